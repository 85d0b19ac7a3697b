/**
 * Whether a partition's records of a hippo are its state. A client that takes over writes `<hippo>/owner` before anything
 * else, and every transaction of it has `<hippo>/offsets`. Where one of the two is missing, the topic was made again or
 * records were removed, and the other records do not tell what the hippo has done.
 *
 * @param has which of the two the partition has
 */
export function isWholeState(has: { owner: boolean; offsets: boolean }): boolean {
  return has.owner && has.offsets;
}

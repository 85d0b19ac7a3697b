/** What a recommender must answer, by the plainest loop. */

/** The factors of items, row after row. */
export interface PlainItems {
  factors: Float32Array;
  rank: number;
  /** Item rows that are left out. */
  leftOut?: ReadonlySet<number>;
}

/** The dot product in double precision. */
export function plainScore(user: ArrayLike<number>, { factors, rank }: PlainItems, row: number): number {
  let sum = 0;
  for (let at = 0; at < rank; at += 1) sum += user[at]! * factors[row * rank + at]!;
  return sum;
}

/** All items by their scores, highest first; of equal scores the smaller row first. */
export function plainTop(
  user: ArrayLike<number>,
  items: PlainItems,
  count: number,
): { row: number; score: number }[] {
  const rows = Array.from({ length: items.factors.length / items.rank }, (_, row) => row);
  return rows
    .filter((row) => items.leftOut?.has(row) !== true)
    .map((row) => ({ row, score: plainScore(user, items, row) }))
    .sort((one, other) => other.score - one.score || one.row - other.row)
    .slice(0, count);
}

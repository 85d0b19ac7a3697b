/** Lists in sentences. */

/** So many things are named in a sentence. */
export const NAMED = 10;

/** `a, b, c`; of very many the first ones, and how many more there are. */
export function listed(names: readonly string[]): string {
  const more = names.length - NAMED;
  return more > 0 ? `${names.slice(0, NAMED).join(', ')} and ${more} more` : names.join(', ');
}

/** The first one that stands there a second time; undefined: each stands there once. */
export function firstTwice<T>(items: readonly T[]): T | undefined {
  return items.find((item, index) => items.indexOf(item) !== index);
}

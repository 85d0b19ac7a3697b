import { distance } from 'fastest-levenshtein';

/**
 * The names that the user may have meant, nearest first, at most three.
 *
 * A name is near if at most a third of its letters differ, or if one name contains the other. Case is ignored.
 */
export function nearMisses(word: string, names: Iterable<string>): string[] {
  const wanted = word.toLowerCase();
  return [...new Set(names)]
    .map((name) => ({ name, score: score(wanted, name.toLowerCase()) }))
    .filter(({ score: value }) => value <= 1 / 3)
    .sort((left, right) => left.score - right.score || left.name.localeCompare(right.name))
    .slice(0, 3)
    .map(({ name }) => name);
}

/** 0 for the same word, 1 for a word that shares nothing. */
function score(wanted: string, name: string): number {
  const contained =
    wanted.length >= 3 && (name.includes(wanted) || (name.length >= 3 && wanted.includes(name)));
  return contained ? 0.3 : changes(wanted, name) / Math.max(wanted.length, name.length, 1);
}

/** Counts two neighbouring letters in the wrong order as one mistake, not two. */
function changes(wanted: string, name: string): number {
  const count = distance(wanted, name);
  return count === 2 && Array.from(wanted).sort().join('') === Array.from(name).sort().join('') ? 1 : count;
}

/** `Did you mean frontier-adw?`, or undefined if no name is near. */
export function didYouMean(word: string, names: Iterable<string>): string | undefined {
  const near = nearMisses(word, names);
  return near.length === 0 ? undefined : `Did you mean ${near.join(' or ')}?`;
}

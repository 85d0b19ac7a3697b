import { UserError } from '../core/errors.ts';
import { didYouMean } from '../core/near.ts';
import type { Check } from './check.ts';

/**
 * The checks with these ids or titles, in their own order; all checks if no name is given.
 *
 * @throws UserError for a name without a check
 */
export function chooseChecks<Named extends Pick<Check, 'id' | 'title'>>(
  checks: readonly Named[],
  words: readonly string[],
): Named[] {
  const names = words.map(
    (word) => checks.find(({ title }) => title.toLowerCase() === word.toLowerCase())?.id ?? word,
  );
  const unknown = names.find((name) => !checks.some(({ id }) => id === name));
  if (unknown !== undefined) {
    throw new UserError(`there is no check named ${JSON.stringify(unknown)}`, {
      why:
        didYouMean(
          unknown,
          checks.flatMap(({ id, title }) => [id, title.toLowerCase()]),
        ) ?? `The checks are ${checks.map(({ id }) => id).join(', ')}.`,
      next: ['hippo doctor --list'],
    });
  }
  return names.length === 0 ? [...checks] : checks.filter(({ id }) => names.includes(id));
}

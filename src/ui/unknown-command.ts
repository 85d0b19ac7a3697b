import { UserError } from '../core/errors.ts';
import { nearMisses } from '../core/near.ts';
import { reportError } from './base-command.ts';

/**
 * Prints that hippo has no such command, and sets the exit code.
 *
 * @param wanted the words that name no command
 * @param topic the first of these words, where they name a topic of commands
 * @param names of all commands, e.g. `job run`
 */
export function reportUnknownCommand(
  wanted: string,
  topic: readonly string[],
  names: readonly string[],
  json: boolean,
): void {
  const error = new UserError(`hippo has no command ${JSON.stringify(wanted)}`, {
    ...(wanted.startsWith('-') && { why: 'Flags come after the command.' }),
    next: [
      ...nearMisses(wanted.replaceAll(':', ' '), names).map((name) => `hippo ${name}`),
      ['hippo', ...topic, '--help'].join(' '),
    ],
  });
  reportError(error, json);
}

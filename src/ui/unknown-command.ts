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
      ...meantCommands(wanted.split(' '), topic.length + 1, names),
      ['hippo', ...topic, '--help'].join(' '),
    ],
  });
  reportError(error, json);
}

/**
 * The command may be misspelt in its first words, and the words after it are its arguments: `job pase load`.
 *
 * @param from how many words at least name the command
 */
function meantCommands(words: readonly string[], from: number, names: readonly string[]): string[] {
  for (let length = from; length <= words.length; length += 1) {
    const near = nearMisses(words.slice(0, length).join(' ').replaceAll(':', ' '), names);
    if (near.length > 0) return near.map((name) => ['hippo', name, ...words.slice(length)].join(' '));
  }
  return [];
}

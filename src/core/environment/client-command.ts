import { basename, dirname, join, relative } from 'node:path';
import { shellWord } from '../shell.ts';
import { isExecutable } from './programs.ts';

/** The command that starts the client of the project in this folder: the project's own script if it has one. */
export function clientCommand(directory: string): string {
  return isExecutable(join(directory, 'start-client.sh')) ? './start-client.sh' : 'hippo run';
}

/** What to type in `cwd` to start the client of the project of this hippo.yaml. */
export function clientCommandFor(file: string, cwd: string): string {
  const directory = dirname(file);
  if (basename(file) !== 'hippo.yaml') return `hippo run --config ${shellWord(relative(cwd, file))}`;
  const command = clientCommand(directory);
  return directory === cwd ? command : `cd ${shellWord(relative(cwd, directory))} && ${command}`;
}

import { stripVTControlCharacters } from 'node:util';
import { execa } from '../../src/core/exec.ts';
import { HIPPO } from './cli.ts';

export interface Terminal {
  /** All that it has shown so far, without colours and carriage returns. */
  text: () => string;
  raw: () => string;
  /** Types into it. */
  type: (keys: string) => void;
  /** Resolves with the exit code. */
  ended: Promise<number | undefined>;
}

export const CTRL_C = '\u0003';

/**
 * Runs the built CLI at a terminal of its own, with colours.
 *
 * @param words of the command line, as a shell reads them: `up --json > out.json`
 */
export function atTerminal(
  words: string,
  { cwd, env }: { cwd: string; env: Record<string, string | undefined> },
): Terminal {
  // The terminal that script makes has no size.
  const command = `stty cols 80 rows 24; exec '${process.execPath}' '${HIPPO}' ${words}`;
  const child = execa('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    cwd,
    env: { CI: undefined, NO_COLOR: undefined, NODE_ENV: undefined, TERM: 'xterm', COLORTERM: '', ...env },
    stdin: 'pipe',
    reject: false,
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return {
    text: () => stripVTControlCharacters(output).replaceAll('\r', ''),
    raw: () => output,
    type: (keys) => void child.stdin.write(keys),
    ended: child.then(({ exitCode }) => exitCode),
  };
}

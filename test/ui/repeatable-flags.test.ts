import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { HippoCommand } from '../../src/ui/base-command.ts';

type Command = Pick<typeof HippoCommand, 'flags' | 'baseFlags'>;
interface Parsed {
  flags: Record<string, unknown>;
  argv: unknown[];
}

/** Parses words as one of the commands does. */
class Probe extends HippoCommand<null> {
  words(command: Command): Promise<Parsed> {
    return this.parse({ ...command, args: {}, strict: false }) as Promise<Parsed>;
  }

  protected work(): Promise<null> {
    return Promise.resolve(null);
  }

  protected render(): string {
    return '';
  }
}

const COMMANDS = join(import.meta.dirname, '../../src/commands');

const repeatable = await Promise.all(
  readdirSync(COMMANDS, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map(async (file) => {
      const { default: command } = (await import(join(COMMANDS, file))) as { default: Command };
      return Object.entries(command.flags)
        .filter(([, flag]) => 'multiple' in flag && flag.multiple)
        .map(([flag]) => ({ name: `hippo ${file.slice(0, -'.ts'.length)} --${flag}`, flag, command }));
    }),
);

test.each(repeatable.flat())(
  '$name takes one value each time, and no word after it',
  async ({ flag, command }) => {
    const parse = (...argv: string[]): Promise<Parsed> => new Probe(argv, 'probe').words(command);
    const parsed = await parse(`--${flag}`, '0', 'finish', `--${flag}`, '1', 'start');
    expect(parsed.flags[flag]).toHaveLength(2);
    expect(parsed.argv).toEqual(['finish', 'start']);
    const other = await parse('finish', 'start', `--${flag}=0`, `--${flag}=1`);
    expect({ flags: other.flags, argv: other.argv }).toEqual({ flags: parsed.flags, argv: parsed.argv });
  },
);

test('the flags that may be repeated are found', () => {
  expect(repeatable.flat().map(({ name }) => name)).toEqual(
    expect.arrayContaining(['hippo tail --partition', 'hippo tractor --hippo', 'hippo trigger --partition']),
  );
});

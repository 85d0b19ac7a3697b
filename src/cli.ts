import { existsSync, readFileSync } from 'node:fs';
import { loadCompiled } from './compiled.ts';
import { ExitCode, UserError } from './core/errors.ts';
import { respectIgnoredHangup } from './core/hangup.ts';
import { parsePlainJson } from './core/json.ts';
import { packageRoot, version } from './version.ts';

const VERSION_FLAGS = new Set(['--version', '-v']);
const HELP_FLAGS = new Set(['--help', '-h']);

/** What a file of src/commands exports. */
interface CommandModule {
  default: { run(argv: readonly string[], name: string): Promise<void> };
}

/**
 * Runs one command line. Never throws; sets `process.exitCode`.
 *
 * A command is a file, and its help is another one, which the build has written: neither has to be looked for among all of
 * them, and what is not asked for is not loaded.
 *
 * @param argv the words after `hippo`
 */
export async function main(argv: readonly string[]): Promise<void> {
  const [first = '--help'] = argv;
  if (VERSION_FLAGS.has(first)) {
    endQuietlyOnClosedPipe();
    process.stdout.write(
      `hippo ${version} (node ${process.versions.node}, ${process.platform}-${process.arch})\n`,
    );
    return;
  }
  const words = leadingWords(first === 'help' ? argv.slice(1) : argv);
  const command = longest(words, (name) => fileOf(name) !== undefined);
  const page = longest(words, (name) => existsSync(helpFile(name))) ?? [];
  const isTopic = command === undefined && page.length > 0 && page.length === words.length;
  if (asksForHelp(argv) ? page.length > 0 || words.length === 0 : isTopic) {
    endQuietlyOnClosedPipe();
    process.stdout.write(readFileSync(helpFile(page), 'utf8'));
    return;
  }
  if (command === undefined) {
    const { reportError } = await import('./ui/base-command.ts');
    reportError(await unknownCommand(words.join(' ') || first, page), argv.includes('--json'));
    return;
  }
  respectIgnoredHangup(process.env, process.ppid);
  const { default: found } = await load(command);
  await found.run(argv.slice(command.length), command.join(' '));
}

/** Those that are waited for most are made to start fast. */
async function load(command: readonly string[]): Promise<CommandModule> {
  const file = fileOf(command) as URL;
  return (file.pathname.endsWith('.cjs') ? loadCompiled(file) : await import(file.href)) as CommandModule;
}

function fileOf(words: readonly string[]): URL | undefined {
  return ['cjs', 'js']
    .map((extension) => new URL(`dist/commands/${words.join('/')}.${extension}`, packageRoot))
    .find((file) => existsSync(file));
}

function helpFile(words: readonly string[]): URL {
  return new URL(`dist/help/${words.join('/') || 'index'}.txt`, packageRoot);
}

/** Those that may name a command. */
function leadingWords(argv: readonly string[]): readonly string[] {
  const end = argv.findIndex((word) => !/^[a-z][a-z-]*$/.test(word));
  return end === -1 ? argv : argv.slice(0, end);
}

/** As many of the words, from the first on, as `fits` takes; at least one. */
function longest(
  words: readonly string[],
  fits: (words: readonly string[]) => boolean,
): readonly string[] | undefined {
  const lengths = words.map((_, index) => words.length - index);
  const length = lengths.find((count) => fits(words.slice(0, count)));
  return length === undefined ? undefined : words.slice(0, length);
}

/** `hippo`, `hippo help X`, `hippo X --help`: not after `--`, where words are only words. */
function asksForHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  const [first = 'help'] = argv;
  return first === 'help' || (end === -1 ? argv : argv.slice(0, end)).some((word) => HELP_FLAGS.has(word));
}

/** @param topic the words that name a topic of commands, if they do */
async function unknownCommand(wanted: string, topic: readonly string[]): Promise<UserError> {
  const { nearMisses } = await import('./core/near.ts');
  const manifest = parsePlainJson(readFileSync(new URL('oclif.manifest.json', packageRoot), 'utf8')) as {
    commands: Record<string, unknown>;
  };
  const names = Object.keys(manifest.commands).map((id) => id.replaceAll(':', ' '));
  return new UserError(`hippo has no command ${JSON.stringify(wanted)}`, {
    ...(wanted.startsWith('-') && { why: 'Flags come after the command.' }),
    next: [
      ...nearMisses(wanted.replaceAll(':', ' '), names).map((name) => `hippo ${name}`),
      ['hippo', ...topic, '--help'].join(' '),
    ],
  });
}

/** `hippo --help | head -1`: the reader has what it wanted. */
function endQuietlyOnClosedPipe(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(ExitCode.ok);
    process.stderr.write(`✗ cannot write to stdout\n  ${error.message}\n`);
    process.exit(ExitCode.usage);
  });
}

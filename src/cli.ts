import { existsSync, readFileSync } from 'node:fs';
import { ExitCode } from './core/errors.ts';
import { respectIgnoredHangup } from './core/hangup.ts';
import { forgetTunables } from './core/tunables.ts';
import { packageRoot, version } from './version.ts';

const VERSION_FLAGS = new Set(['--version', '-v']);
const HELP_FLAGS = new Set(['--help', '-h']);

/** What scripts/build.ts bundles for this file: commands by their names (`job run`), each loaded when it is run. */
interface Bundle {
  commands: Record<
    string,
    () => Promise<{ default: { run(argv: readonly string[], name: string): Promise<void> } }>
  >;
  reportUnknownCommand: (
    wanted: string,
    topic: readonly string[],
    names: readonly string[],
    json: boolean,
  ) => void;
}

/**
 * Runs one command line. Never throws; sets `process.exitCode`.
 *
 * The help pages are files that the build has written, one for each command and topic. A page's name therefore tells which
 * words are a command, and `--version` and `--help` load no bundle.
 *
 * @param argv the words after `hippo`
 */
export async function main(argv: readonly string[]): Promise<void> {
  const [first = '--help'] = argv;
  if (VERSION_FLAGS.has(first)) {
    print(`hippo ${version} (node ${process.versions.node}, ${process.platform}-${process.arch})\n`);
    return;
  }
  const words = leadingWords(first === 'help' ? argv.slice(1) : argv);
  const command = longest(words, (names) => existsSync(commandPage(names)));
  const topic = longest(words, (names) => existsSync(topicPage(names))) ?? [];
  const isTopic = topic.length > 0 && topic.length === words.length;
  if (command === undefined && (isTopic || (asksForHelp(argv) && (topic.length > 0 || words.length === 0)))) {
    print(readFileSync(topicPage(topic), 'utf8'));
  } else if (command !== undefined && asksForHelp(argv)) {
    const type = longest(words, (names) => existsSync(typePage(names)));
    print(readFileSync(type === undefined ? commandPage(command) : typePage(type), 'utf8'));
  } else {
    const { commands, reportUnknownCommand } = await loadBundle(command);
    const load = commands[command?.join(' ') ?? ''];
    if (command === undefined || load === undefined) {
      const names = Object.keys(commands);
      reportUnknownCommand(words.join(' ') || first, topic, names, argv.includes('--json'));
      return;
    }
    respectIgnoredHangup(process.env, process.ppid);
    forgetTunables(process.env);
    const { default: found } = await load();
    await found.run(argv.slice(command.length), command.join(' '));
  }
}

/** A command has a bundle of its own, or is in the bundle of all commands. */
async function loadBundle(command: readonly string[] = ['unknown']): Promise<Bundle> {
  const { loadCompiled } = await import('./compiled.ts');
  const own = new URL(`dist/commands/${command.join('/')}.cjs`, packageRoot);
  const file = existsSync(own) ? own : new URL('dist/commands.cjs', packageRoot);
  return loadCompiled(file, command.join('-')) as Bundle;
}

function commandPage(words: readonly string[]): URL {
  return new URL(`dist/help/${words.join('/')}.txt`, packageRoot);
}

/** No word of a command begins with `_`. The front page is the page of no words. */
function topicPage(words: readonly string[]): URL {
  return commandPage([...words, '_topic']);
}

/** The page of a type of hippo: `hippo new batch-etl --help` has that type's flags. */
function typePage(words: readonly string[]): URL {
  return commandPage([...words, '_type']);
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

/** `hippo --help | head -1`: a reader that closes the pipe has what it wanted. */
function print(text: string): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(ExitCode.ok);
    process.stderr.write(`✗ cannot write to stdout\n  ${error.message}\n`);
    process.exit(ExitCode.usage);
  });
  process.stdout.write(text);
}

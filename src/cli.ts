import { readFileSync } from 'node:fs';
import { ExitCode, UserError } from './core/errors.ts';
import { packageRoot, version } from './version.ts';

const HELP_FLAGS = new Set(['--help', '-h']);

/**
 * Runs one command line. Never throws; sets `process.exitCode`.
 *
 * @param argv the words after `hippo`
 */
export async function main(argv: string[]): Promise<void> {
  endQuietlyOnClosedPipe();
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-v')) {
    process.stdout.write(
      `hippo ${version} (node ${process.versions.node}, ${process.platform}-${process.arch})\n`,
    );
    return;
  }
  const help = helpPage(argv);
  if (help !== undefined) {
    process.stdout.write(help);
    return;
  }
  // Imported late: the version and help are answered without them.
  const [{ run }, { reportError }] = await Promise.all([
    import('./oclif.ts'),
    import('./ui/base-command.ts'),
  ]);
  try {
    await run(argv, { root: packageRoot.pathname });
  } catch (error) {
    const unknown = error instanceof Error && /^command .* not found$/.test(error.message);
    reportError(unknown ? await unknownCommand(argv) : error, {
      json: argv.includes('--json'),
      command: undefined,
    });
  }
}

async function unknownCommand(argv: readonly string[]): Promise<UserError> {
  const { nearMisses } = await import('./core/near.ts');
  const end = argv.findIndex((word) => word.startsWith('-'));
  const words = (end === -1 ? argv : argv.slice(0, end)).join(' ');
  const manifest = JSON.parse(readFileSync(new URL('oclif.manifest.json', packageRoot), 'utf8')) as {
    commands: Record<string, unknown>;
  };
  const names = Object.keys(manifest.commands).map((id) => id.replaceAll(':', ' '));
  return new UserError(`hippo has no command "${words}"`, {
    next: [...nearMisses(words, names).map((name) => `hippo ${name}`), 'hippo --help'],
  });
}

/** The page that the build has written for these words, if they ask for one: `--help`, `help X`, `X --help`. */
function helpPage(argv: readonly string[]): string | undefined {
  const words =
    argv[0] === 'help' ? argv.slice(1) : HELP_FLAGS.has(argv.at(-1) ?? '--help') ? argv.slice(0, -1) : null;
  if (words?.every((word) => /^[a-z][a-z-]*$/.test(word)) !== true) return undefined;
  try {
    return readFileSync(new URL(`dist/help/${words.join('/') || 'index'}.txt`, packageRoot), 'utf8');
  } catch {
    // No such command: the framework says what there is.
    return undefined;
  }
}

/** `hippo tail | head -1`: the reader has what it wanted. */
function endQuietlyOnClosedPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(ExitCode.ok);
      throw error;
    });
  }
}

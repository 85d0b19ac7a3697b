import { ExitCode } from './core/errors.ts';
import { packageRoot, version } from './version.ts';

/**
 * Runs one command line. Never throws; sets `process.exitCode`.
 *
 * @param argv the words after `hippo`
 */
export async function main(argv: string[]): Promise<void> {
  endQuietlyOnClosedPipe();
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-v')) {
    process.stdout.write(`hippo ${version} (node ${process.versions.node}, ${process.platform}-${process.arch})\n`);
    return;
  }
  // Imported late: the version is answered without them.
  const [{ run }, { reportError }] = await Promise.all([import('@oclif/core'), import('./ui/base-command.ts')]);
  try {
    await run(argv, { root: packageRoot.pathname });
  } catch (error) {
    reportError(error, { json: argv.includes('--json'), command: undefined });
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

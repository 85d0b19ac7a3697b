import { fstatSync } from 'node:fs';

/**
 * Tells when the reader of a pipe ends: `hippo tail | head -1` on a quiet topic has nothing to write, so no EPIPE would ever
 * tell. Node cannot ask a pipe for its reader. `tail -f` of GNU can: a helper on the same pipe ends by SIGPIPE as soon as
 * the reader is gone, and by itself when this process ends, however it ends. On other systems nothing is told.
 *
 * @param descriptor of the pipe; any other kind of output is not watched
 */
export async function whenReaderEnds(descriptor: number, tell: () => void): Promise<void> {
  if (process.platform !== 'linux' || !isPipe(descriptor)) return;
  const { spawnDetached } = await import('../core/exec.ts');
  const watcher = spawnDetached('tail', ['-f', `--pid=${process.pid}`, '/dev/null'], {
    stdio: ['ignore', descriptor, 'ignore'],
  });
  // Without such a program it is as without a watcher.
  watcher.on('error', () => undefined);
  watcher.on('exit', (_, signal) => {
    if (signal === 'SIGPIPE') tell();
  });
  watcher.unref();
  process.on('exit', () => watcher.kill());
}

function isPipe(descriptor: number): boolean {
  const kind = fstatSync(descriptor);
  return kind.isFIFO() || kind.isSocket();
}

import { spawn } from 'node:child_process';

/**
 * Ends a process and removes a folder when this process is gone, however it went (kill -9 too): a shell waits for the
 * end of a pipe whose other end only we hold.
 *
 * @returns what calls the watchdog off
 */
export function watchdog(pid: number, folder: string): () => void {
  const script = 'read -r _; kill -TERM "$1"; while kill -0 "$1"; do sleep 0.1; done; rm -rf -- "$2"';
  const dog = spawn('sh', ['-c', `{ ${script}; } 2>/dev/null`, 'sh', String(pid), folder], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  dog.unref();
  // The pipe must not keep this process alive.
  const pipe = dog.stdin as typeof dog.stdin & { unref?: () => void };
  pipe.unref?.();
  return () => dog.kill('SIGKILL');
}

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('watchdog-process.ts', import.meta.url));

/**
 * Ends all brokers and clients of a folder, and removes it, when this process is gone: also after kill -9. A process of its
 * own waits for the end of a pipe whose other end only this process holds.
 *
 * @returns calls the watchdog off
 */
export function watchdog(folder: string): () => void {
  const dog = spawn(process.execPath, [SCRIPT, folder], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  dog.unref();
  // The pipe must not keep this process alive.
  const pipe = dog.stdin as typeof dog.stdin & { unref?: () => void };
  pipe.unref?.();
  return () => dog.kill('SIGKILL');
}

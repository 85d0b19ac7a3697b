/**
 * Looks at files that may never be answered: a hung mount holds a call, and its thread, for ever. Node cannot end such a call, and
 * waits for its thread even in `process.exit`. So these calls are counted, and {@link endProcess} does not wait for them.
 */
let open = 0;

/** Makes a call to the file system that may never return. */
export async function look<T>(call: () => Promise<T>): Promise<T> {
  open += 1;
  try {
    return await call();
  } finally {
    open -= 1;
  }
}

/** Whether a look has not returned: the process would not end by itself. */
export function isLooking(): boolean {
  return open > 0;
}

/** Ends the process with this exit code, whatever has not been answered. */
export function endProcess(code: number): void {
  if (isLooking()) {
    process.emit('exit', code);
    // Another program in the same process has the exit code, and none of its threads. Node 22.15 and 23.11 can do that.
    if (typeof process.execve === 'function')
      process.execve('/bin/sh', ['sh', '-c', 'exit "$0"', String(code)], {});
    process.kill(process.pid, 'SIGKILL');
  }
  process.exit(code);
}

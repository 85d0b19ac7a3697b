/**
 * A guard that outlives the client for as long as it takes to end the client's jobs.
 *
 * A client killed with SIGKILL cannot clean up behind itself. The guard is a tiny shell process (in a session of its own)
 * that holds the reading end of a pipe from the client. The client tells it each job's process group as it begins and
 * ends; when the pipe closes, because the client is gone, it ends the groups that are left and then itself.
 * Only numbers that the client made go through the pipe, and the shell evaluates none of them. ("kill -TERM -- -1" is
 * not understood by
 * every shell, dash among them: POSIX has only "-s TERM".)
 */
import { execa } from '../../core/exec.ts';

const SCRIPT = `
groups=' '
while read -r operation group; do
  case $operation in
    +) groups="$groups$group " ;;
    -) groups="\${groups%% $group *} \${groups#* $group }" ;;
  esac
done
for group in $groups; do kill -s TERM -- "-$group" 2>/dev/null; done
waited=0
for group in $groups; do
  while [ "$waited" -lt "$1" ] && kill -s 0 -- "-$group" 2>/dev/null; do sleep 1; waited=$((waited + 1)); done
  kill -s KILL -- "-$group" 2>/dev/null
done
exit 0
`;

export interface Guard {
  watch(group: number): void;
  forget(group: number): void;
  /** Called when the client ends in order: the guard forgets every group and ends without touching one. */
  dismiss(): void;
}

/** @param grace milliseconds between SIGTERM and SIGKILL, as a job of the client has them */
export function startGuard(grace: number): Guard {
  const guard = execa('/bin/sh', ['-c', SCRIPT, 'hippo-guard', String(Math.ceil(grace / 1000))], {
    detached: true,
    cleanup: false,
    // The guard must not keep a mounted folder in use, and must not carry the variables that tag jobs.
    cwd: '/',
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin' },
    extendEnv: false,
    stdin: 'pipe',
    stdout: 'ignore',
    stderr: 'ignore',
    reject: false,
  });
  // Another program may have killed the guard. Then the next owner finds the orphans.
  guard.stdin.on('error', () => undefined);
  guard.nodeChildProcess.unref();
  const watched = new Set<number>();
  const tell = (operation: '+' | '-', group: number): void => {
    if (guard.stdin.writable) guard.stdin.write(`${operation} ${group}\n`);
  };
  const forget = (group: number): void => {
    if (watched.delete(group)) tell('-', group);
  };
  return {
    watch(group) {
      watched.add(group);
      tell('+', group);
    },
    forget,
    dismiss() {
      for (const group of watched) forget(group);
      guard.stdin.end();
    },
  };
}

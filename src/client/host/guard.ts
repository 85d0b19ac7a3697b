/**
 * A guard that outlives the client for as long as it takes to end the client's jobs and services.
 *
 * A client killed with SIGKILL cannot clean up behind itself. The guard is a tiny shell process (in a session of its own)
 * that holds the reading end of a pipe from the client. The client tells it each process group as it begins and
 * ends; when the pipe closes, because the client is gone, it ends the groups that are left and then itself.
 *
 * It also holds the lease of the owner's services. A client that is frozen cannot end them, and another client owns by and by;
 * so the guard ends their groups when the client has not renewed the lease for too long. The pause before it is a process of
 * its own, which a renewal replaces.
 *
 * Only numbers that the client made go through the pipe, and the shell evaluates none of them. ("kill -TERM -- -1" is
 * not understood by every shell, dash among them: POSIX has only "-s TERM".)
 */
import { execa } from '../../core/exec.ts';
import type { Millis } from '../../core/clock.ts';

const SCRIPT = `
grace=$1 groups=' ' leased=' ' timer=
end() {
  for group in $1; do kill -s TERM -- "-$group" 2>/dev/null; done
  waited=0
  for group in $1; do
    while [ "$waited" -lt "$grace" ] && kill -s 0 -- "-$group" 2>/dev/null; do sleep 0.1; waited=$((waited + 1)); done
    kill -s KILL -- "-$group" 2>/dev/null
  done
}
without() { case $1 in *" $2 "*) echo "\${1%% $2 *} \${1#* $2 }" ;; *) echo "$1" ;; esac; }
disarm() { [ -z "$timer" ] || { kill "$timer" 2>/dev/null; wait "$timer" 2>/dev/null; }; timer=; }
arm() {
  disarm
  case $leased in *[0-9]*) ;; *) return ;; esac
  (
    trap 'kill "$pause" 2>/dev/null; exit' TERM
    sleep "$1" & pause=$!
    wait "$pause"
    trap '' TERM
    end "$leased"
  ) &
  timer=$!
}
while read -r operation number; do
  case $operation in
    +) groups="$groups$number " ;;
    -) groups=$(without "$groups" "$number") leased=$(without "$leased" "$number") ;;
    l) leased="$leased$number " ;;
    r) arm "$number" ;;
  esac
done
disarm
end "$groups"
exit 0
`;

export interface Guard {
  watch(group: number): void;
  /** Of the groups that it watches, those of the owner's services: they end with the lease. */
  lease(group: number): void;
  /** The lease ends after so long a time, unless it is renewed before. */
  renew(millis: Millis): void;
  forget(group: number): void;
  /** Called when the client ends in order: the guard forgets every group and ends without touching one. */
  dismiss(): void;
}

/** @param grace milliseconds between SIGTERM and SIGKILL, as a job of the client has them */
export function startGuard(grace: number): Guard {
  const guard = execa('/bin/sh', ['-c', SCRIPT, 'hippo-guard', String(Math.ceil(grace / 100))], {
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
  const tell = (operation: '+' | '-' | 'l' | 'r', number: number): void => {
    if (guard.stdin.writable) guard.stdin.write(`${operation} ${number}\n`);
  };
  const forget = (group: number): void => {
    if (watched.delete(group)) tell('-', group);
  };
  return {
    watch(group) {
      watched.add(group);
      tell('+', group);
    },
    lease: (group) => tell('l', group),
    renew: (millis) => tell('r', Math.max(0, millis) / 1000),
    forget,
    dismiss() {
      for (const group of watched) forget(group);
      guard.stdin.end();
    },
  };
}

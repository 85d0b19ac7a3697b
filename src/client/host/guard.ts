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
import { type Backoff, pauseAfter } from '../../core/backoff.ts';
import { execa } from '../../core/exec.ts';
import type { Millis } from '../../core/clock.ts';
import { signalGroup } from './process-group.ts';

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

/** A guard that does not live for so long has failed to start, milliseconds. */
const SHORT_LIFE = 1_000;
const RESTART: Backoff = { first: 100, most: 30_000 };

/**
 * @param grace milliseconds between SIGTERM and SIGKILL, as a job of the client has them
 * @param onReplaced called with a sentence when another program has killed the guard: a new one holds all that it held
 */
export function startGuard(grace: Millis, onReplaced: (text: string) => void = () => undefined): Guard {
  const watched = new Set<number>();
  const leased = new Set<number>();
  /** As performance.now() has it. */
  let leaseEnds: number | null = null;
  let isDismissed = false;
  let failures = 0;
  let shell = start();

  function start(): ReturnType<typeof startShell> {
    const began = performance.now();
    const started = startShell(grace);
    started.nodeChildProcess.once('exit', (code, signal) => {
      if (isDismissed) return;
      failures = performance.now() - began < SHORT_LIFE ? failures + 1 : 1;
      const how = signal === null ? `ended with exit code ${code ?? 'unknown'}` : `was killed by ${signal}`;
      setTimeout(() => replace(started.pid, how), pauseAfter(failures, RESTART)).unref();
    });
    return started;
  }

  function replace(pid: number | undefined, how: string): void {
    if (isDismissed) return;
    // Its pause before the end of the lease is a process of its own, which no renewal reaches any more.
    if (pid !== undefined) signalGroup(pid, 'SIGKILL');
    shell = start();
    for (const group of watched) tell('+', group);
    for (const group of leased) tell('l', group);
    if (leaseEnds !== null) renew(leaseEnds - performance.now());
    onReplaced(
      `the guard of this client, process ${pid ?? '?'}, ${how}; process ${shell.pid ?? '?'} replaces it`,
    );
  }

  function tell(operation: '+' | '-' | 'l' | 'r', number: number): void {
    if (shell.stdin.writable) shell.stdin.write(`${operation} ${number}\n`);
  }

  function renew(millis: Millis): void {
    leaseEnds = performance.now() + millis;
    tell('r', Math.max(0, millis) / 1000);
  }

  function forget(group: number): void {
    leased.delete(group);
    if (watched.delete(group)) tell('-', group);
  }

  return {
    watch(group) {
      watched.add(group);
      tell('+', group);
    },
    lease(group) {
      leased.add(group);
      tell('l', group);
    },
    renew,
    forget,
    dismiss() {
      for (const group of watched) forget(group);
      isDismissed = true;
      shell.stdin.end();
    },
  };
}

function startShell(grace: Millis) {
  const shell = execa('/bin/sh', ['-c', SCRIPT, 'hippo-guard', String(Math.ceil(grace / 100))], {
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
  // It may have been killed while it was written to; its exit says so.
  shell.stdin.on('error', () => undefined);
  shell.nodeChildProcess.unref();
  return shell;
}

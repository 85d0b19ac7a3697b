/** One process of `hippo run`, as a supervisor sees it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientEvent } from '../../src/client/host/client-event.ts';
import type { Boundary } from '../../src/client/host/fault.ts';
import { HIPPO } from '../support/cli.ts';

export interface Death {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** What it said of its end: stderr, and what of stdout is not an event. */
  words: string;
}

/** What a client also tells while it takes over. */
const IDLE: readonly ClientEvent['event'][] = ['notice', 'rejected', 'gap', 'disconnected', 'connected'];

/**
 * Whether the events of a client show that it has the hippo's state in memory, and so can write it again. It has not before it
 * owns, after it has lost the ownership, and while it takes over, which is over when it tells of work.
 */
export function showsState(events: readonly ClientEvent['event'][]): boolean {
  const owned = events.lastIndexOf('owner');
  return owned > events.lastIndexOf('lost') && events.slice(owned + 1).some((event) => !IDLE.includes(event));
}

const living = new Set<ChildProcess>();
// However this process ends, its clients do not outlive it.
process.on('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});

/**
 * A namespace of processes stands for a machine: nothing in it sees, or can end, what runs in another one, and its end ends all that is in
 * it. It has a `.hippo` of its own.
 */
const MACHINE = [
  ...['unshare', '--pid', '--mount', '--fork', '--mount-proc', '--kill-child'],
  ...['sh', '-c', 'mount -t tmpfs none .hippo && "$@"; exit $?', 'machine'],
];

/** Whether this user may make such machines. */
export function canMakeMachines(): boolean {
  return spawnSync('unshare', ['--pid', '--mount', '--fork', '--mount-proc', 'true']).status === 0;
}

function childOf(pid: number | undefined): number | undefined {
  if (pid === undefined) return undefined;
  try {
    const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ');
    return child === undefined || child === '' ? undefined : Number(child);
  } catch {
    return undefined;
  }
}

/** A shell tells of a signal by its exit code. */
function endOf({ exitCode, signalCode }: ChildProcess, isApart: boolean): Pick<Death, 'code' | 'signal'> {
  const bySignal = { 137: 'SIGKILL', 143: 'SIGTERM' } as const;
  const signal = isApart ? (bySignal[exitCode as 137 | 143] as NodeJS.Signals | undefined) : undefined;
  return signal === undefined ? { code: exitCode, signal: signalCode } : { code: null, signal };
}

export class Client {
  readonly events: (ClientEvent & { at: string })[] = [];
  readonly death: Promise<Death>;
  readonly #child: ChildProcess;
  readonly #isApart: boolean;
  readonly #others: string[] = [];
  readonly #owns = Promise.withResolvers<undefined>();
  /** Rises with what it says of its own hippo. */
  signs = 0;

  /** The boundary at which it ends itself, if it gets there. */
  readonly crashesAt: Boundary | null;

  /** @param isApart on a machine of its own */
  constructor(
    directory: string,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
    { isApart = false, crashesAt = null }: { isApart?: boolean; crashesAt?: Boundary | null } = {},
  ) {
    this.crashesAt = crashesAt;
    const [program = '', ...words] = [
      ...(isApart ? MACHINE : []),
      ...[process.execPath, HIPPO, 'run', '--json'],
      ...args,
    ];
    this.#isApart = isApart;
    this.#child = spawn(program, words, {
      cwd: directory,
      env: { ...process.env, NODE_ENV: '', HIPPO_CONFIG: '', HIPPO_PROFILE: '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    living.add(this.#child);
    this.#child.once('exit', () => living.delete(this.#child));
    const { stdout, stderr } = this.#child;
    if (stdout === null || stderr === null) throw new Error('no pipes');
    createInterface({ input: stdout }).on('line', (line) => this.#hear(line));
    const errors: Buffer[] = [];
    stderr.on('data', (chunk: Buffer) => errors.push(chunk));
    this.death = once(this.#child, 'close').then(() => ({
      ...endOf(this.#child, this.#isApart),
      words: [...this.#others, Buffer.concat(errors).toString()].join(' '),
    }));
  }

  /** See {@link showsState}. */
  get holdsState(): boolean {
    return showsState(this.events.map(({ event }) => event));
  }

  get isDead(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  kill(signal: NodeJS.Signals): void {
    if (!this.#isApart) {
      this.#child.kill(signal);
      return;
    }
    // unshare → the shell that is the machine's first process → the client
    const client = childOf(childOf(this.#child.pid));
    if (client !== undefined) process.kill(client, signal);
    else if (signal !== 'SIGCONT') this.#child.kill('SIGKILL');
  }

  /** Resolves when it has come to own, has died, or after `patience` milliseconds. */
  async owns(patience: number): Promise<void> {
    await Promise.race([this.#owns.promise, this.death, sleep(patience, undefined, { ref: false })]);
  }

  /** Resolves with how it died; with null when it lives after `patience` milliseconds. */
  died(patience: number): Promise<Death | null> {
    return Promise.race([this.death, sleep(patience, null, { ref: false })]);
  }

  /** An error is several lines; and a line may be cut off by a kill. */
  #hear(line: string): void {
    try {
      const event = JSON.parse(line) as ClientEvent & { at: string };
      this.events.push(event);
      // Bad messages of all hippos' rounds are rejected by each.
      if (event.event !== 'rejected') this.signs += 1;
      if (event.event === 'owner') this.#owns.resolve(undefined);
    } catch {
      this.#others.push(line.trim());
    }
  }
}

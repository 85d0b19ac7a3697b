/** One process of `hippo run`, as a supervisor sees it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientEvent } from '../../src/client/host/client-event.ts';
import { HIPPO } from '../support/cli.ts';

export interface Death {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** What it said of its end: stderr, and what of stdout is not an event. */
  words: string;
}

const living = new Set<ChildProcess>();
// However this process ends, its clients do not outlive it.
process.on('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});

export class Client {
  readonly events: (ClientEvent & { at: string })[] = [];
  readonly death: Promise<Death>;
  readonly #child: ChildProcess;
  readonly #others: string[] = [];
  readonly #owns = Promise.withResolvers<undefined>();

  constructor(directory: string, args: readonly string[], env: Readonly<Record<string, string>>) {
    this.#child = spawn(process.execPath, [HIPPO, 'run', '--json', ...args], {
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
      code: this.#child.exitCode,
      signal: this.#child.signalCode,
      words: [...this.#others, Buffer.concat(errors).toString()].join(' '),
    }));
  }

  get isDead(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
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
      if (event.event === 'owner') this.#owns.resolve(undefined);
    } catch {
      this.#others.push(line.trim());
    }
  }
}

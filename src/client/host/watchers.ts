import { ServiceError } from '../../core/errors.ts';
import { type ScanError, isScanError } from '../../sources/index.ts';
import type { RecordRef } from '../../core/record-ref.ts';
import type { MachineState } from '../machine/index.ts';
import type { ClientLog } from './client-event.ts';
import type { Mailbox } from './mailbox.ts';
import { Listener } from './listener.ts';
import type { Listening, WatchedSource } from './sources.ts';
import { Watcher } from './watcher.ts';

export interface WatchersOptions {
  sources: readonly WatchedSource[];
  mailbox: Mailbox;
  state: () => MachineState;
  log: ClientLog;
  once: boolean;
}

/** The watchers of all sources of a hippo, and the listeners of those that take reports. They work while this client owns it. */
export class Watchers {
  readonly #options: WatchersOptions;
  #watchers: readonly Watcher[] = [];
  #stop = new AbortController();
  #watching = new Set<Watcher>();
  /** They listen from the first {@link start} to {@link close}, and take nothing while the client cannot write. */
  #listeners: readonly Listener[] = [];
  #hasToldOfOnce = false;
  #error: ServiceError | ScanError | undefined;
  #hasStarted = false;
  /** The moment for which scans were asked for last. */
  #hastened = -Infinity;

  constructor(options: WatchersOptions) {
    this.#options = options;
    // A scan fails with the same error, and says so.
    for (const { scanner } of options.sources) scanner.prepare?.().catch(() => undefined);
  }

  /** With `once`: some have not announced all yet. */
  get isBusy(): boolean {
    return this.#watching.size > 0;
  }

  /** With `once`: why a source could not be listed to its end. */
  get error(): ServiceError | ScanError | undefined {
    return this.#error;
  }

  /**
   * Whether the sources have been scanned since this moment, as performance.now() has it. Those that are waited for are scanned
   * now; with `once` all are scanned anyway, until nothing has to settle.
   */
  haveScannedSince(moment: number): boolean {
    if (!this.#hasStarted) return false;
    if (this.#options.once) return !this.isBusy;
    const waiting = this.#watchers.filter((watcher) => !watcher.hasScannedSince(moment));
    if (this.#hastened !== moment) for (const watcher of waiting) watcher.scanNow(null);
    this.#hastened = moment;
    return waiting.length === 0;
  }

  start(): void {
    const { sources, mailbox, state, log, once } = this.#options;
    this.stop();
    this.#stop = new AbortController();
    this.#error = undefined;
    this.#hasStarted = true;
    this.#listen();
    const scanned = sources.filter(({ listening }) => listening === undefined);
    this.#watchers = scanned.map(
      (watched) => new Watcher({ watched, state, tell: (finding) => mailbox.found(finding), log, once }),
    );
    this.#watching = new Set(this.#watchers);
    for (const watcher of this.#watchers) void this.#watch(watcher, this.#stop.signal);
  }

  stop(): void {
    for (const listener of this.#listeners) listener.isReady = false;
    this.#stop.abort();
    this.#hasStarted = false;
    this.#watchers = [];
    this.#watching.clear();
  }

  /** This client does not own the hippo any more. */
  async close(): Promise<void> {
    this.stop();
    const listeners = this.#listeners;
    this.#listeners = [];
    await Promise.all(listeners.map((listener) => listener.close()));
  }

  #listen(): void {
    const { sources, mailbox, state, log, once } = this.#options;
    const listening = sources.filter(
      (each): each is WatchedSource & { listening: Listening } => 'listening' in each,
    );
    if (once) {
      if (this.#hasToldOfOnce) return;
      this.#hasToldOfOnce = true;
      for (const { source } of listening) {
        const text = `source ${source.name} takes reports of landings: with --once nothing listens for them`;
        log({ event: 'notice', level: 'info', text });
      }
      return;
    }
    if (this.#listeners.length === 0) {
      this.#listeners = listening.map(
        (watched) => new Listener({ watched, state, tell: (reported) => mailbox.found(reported), log }),
      );
      for (const listener of this.#listeners) void listener.open();
    }
    for (const listener of this.#listeners) listener.isReady = true;
  }

  scanNow(source: string, request: RecordRef | null): void {
    this.#watchers.find(({ name }) => name === source)?.scanNow(request);
  }

  async #watch(watcher: Watcher, signal: AbortSignal): Promise<void> {
    const { mailbox } = this.#options;
    try {
      await watcher.watch(signal);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ServiceError || isScanError(error)) this.#error ??= error;
      else mailbox.fail(error);
    }
    this.#watching.delete(watcher);
    // With `once`, that may have been all that was left to do.
    mailbox.tick();
  }
}

import { ServiceError } from '../../core/errors.ts';
import type { KafkaRecord, RecordBatch, TopicPartitionOffset } from '../../kafka/port.ts';
import type { AttemptExit } from './supervisor.ts';
import type { MachineEvent } from '../machine/index.ts';
import type { Reported } from './listener.ts';
import type { Finding } from './watcher.ts';

/** Batches that wait to be taken: enough to keep the loop busy, few enough to keep memory flat. */
const MAX_WAITING = 8;

/** One record of the front batch; `next` is the position once it has been taken in. */
export interface Arrival {
  record: KafkaRecord | null;
  batch: RecordBatch;
  next: bigint;
}

/** What a service announces; the owner adds the time. */
type Announced = Omit<Extract<MachineEvent, { type: 'events-told' }>, 'at'>;

/** What receivers of alerts have taken; the owner adds the time. */
type Delivered = Omit<Extract<MachineEvent, { type: 'alerts-delivered' }>, 'at'>;

/** How a service of this client is; the owner adds the time. */
type ToldOfService = Omit<Extract<MachineEvent, { type: 'service-told' }>, 'at'>;

/** What a source's watcher, a service or the delivery of alerts tells, and who waits until it is written. */
export interface ToldFinding {
  finding: Finding | Announced | Reported | Delivered | ToldOfService;
  written: PromiseWithResolvers<undefined>;
}

/** `source orders`, `service stream` */
export function announcerOf(finding: ToldFinding['finding']): string {
  if (finding.type === 'alerts-delivered') return 'the delivery of alerts';
  return finding.type === 'events-told' || finding.type === 'service-told'
    ? `service ${finding.service}`
    : `source ${finding.source}`;
}

/**
 * The single queue of the client's loop: records, new partitions, findings of sources, what services announce, the exits of jobs, ticks. Exits and ticks go first, so that a backlog
 * of messages does not hold up a job that has ended.
 */
export class Mailbox {
  readonly #exits: AttemptExit[] = [];
  #added: TopicPartitionOffset[] = [];
  readonly #findings: ToldFinding[] = [];
  #batches: { batch: RecordBatch; taken: number }[] = [];
  #tick = false;
  #failure: unknown = undefined;
  #wake = Promise.withResolvers<undefined>();
  #room = Promise.withResolvers<undefined>();

  exited(exit: AttemptExit): void {
    this.#exits.push(exit);
    this.#wake.resolve(undefined);
  }

  /** @returns a promise that resolves when what follows from the finding is written, and rejects when reading stops before */
  found(finding: ToldFinding['finding']): Promise<undefined> {
    const written = Promise.withResolvers<undefined>();
    this.#findings.push({ finding, written });
    this.#wake.resolve(undefined);
    return written.promise;
  }

  tick(): void {
    this.#tick = true;
    this.#wake.resolve(undefined);
  }

  /** Partitions of the inputs, some of which may be new, at their beginnings: the next turn begins to read those. */
  added(beginnings: readonly TopicPartitionOffset[]): void {
    this.#added.push(...beginnings);
    this.#wake.resolve(undefined);
  }

  /** The reader has failed; {@link ready} throws the error. */
  fail(error: unknown): void {
    this.#failure ??= error;
    this.#wake.resolve(undefined);
  }

  /** Takes a batch in; resolves when there is room for a further one. */
  async arrived(batch: RecordBatch): Promise<void> {
    this.#batches.push({ batch, taken: 0 });
    this.#wake.resolve(undefined);
    if (this.#batches.length < MAX_WAITING) return;
    await this.#room.promise;
  }

  /** Resolves when there is something to do, or the signal is aborted. */
  async ready(signal: AbortSignal): Promise<void> {
    while (
      !signal.aborted &&
      this.#failure === undefined &&
      this.#exits.length === 0 &&
      this.#batches.length === 0 &&
      this.#added.length === 0 &&
      this.#findings.length === 0 &&
      !this.#tick
    ) {
      const wake = (): void => this.#wake.resolve(undefined);
      signal.addEventListener('abort', wake, { once: true });
      await this.#wake.promise;
      signal.removeEventListener('abort', wake);
      this.#wake = Promise.withResolvers();
    }
    if (this.#failure !== undefined) throw this.#failure as Error;
  }

  takeExits(): AttemptExit[] {
    return this.#exits.splice(0);
  }

  takeAdded(): TopicPartitionOffset[] {
    return this.#added.splice(0);
  }

  takeFinding(): ToldFinding | undefined {
    return this.#findings.shift();
  }

  takeTick(): boolean {
    const due = this.#tick;
    this.#tick = false;
    return due;
  }

  /** The next record; null for a batch without records, which still moves the position past markers and gaps. */
  takeArrival(): Arrival | undefined {
    const front = this.#batches[0];
    if (front === undefined) return undefined;
    const { batch } = front;
    const record = batch.records[front.taken] ?? null;
    front.taken += 1;
    const last = front.taken >= batch.records.length;
    if (last) {
      this.#batches.shift();
      this.#room.resolve(undefined);
      this.#room = Promise.withResolvers();
    }
    return { record, batch, next: last || record === null ? batch.next : record.offset + 1n };
  }

  get hasExits(): boolean {
    return this.#exits.length > 0;
  }

  /** Forgets what was read, which will be read again; keeps the exits, which happen once. */
  forgetReading(): void {
    this.#batches = [];
    this.#added = [];
    for (const { written } of this.#findings.splice(0))
      written.reject(new ServiceError('reading has stopped'));
    this.#failure = undefined;
    this.#room.resolve(undefined);
    this.#room = Promise.withResolvers();
  }
}

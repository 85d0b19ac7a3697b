import type { Clock, Millis } from '../core/clock.ts';
import { ServiceError, UserError } from '../core/errors.ts';
import { shellWord } from '../core/shell.ts';
import { RecordTooLargeError } from '../kafka/failures.ts';
import type { LostRecords, Producer } from '../kafka/port.ts';
import { type BadLine, badLineError } from './check-lines.ts';
import type { LineReader } from './file-message.ts';
import type { Losses } from './losses.ts';
import { type LineFile, type LineSpans, readSpans } from '../records/index.ts';
import { type LineProgress, timeLeft } from './progress.ts';

export interface BulkOptions {
  file: LineFile;
  topic: string;
  /** Lines before it are skipped. */
  fromLine: number;
  /** Whether lines that are not events are skipped. */
  skipBad: boolean;
  /** Counts the events whose partition cannot be written to. */
  losses: Losses;
  /** Flags to give again, as a person types them, to go on. */
  repeat: readonly string[];
  clock: Clock;
  signal: AbortSignal;
}

export interface BulkReport {
  published: number;
  skipped: number;
  /** The last line that was read. */
  lines: number;
  interrupted: boolean;
}

export interface BulkListener {
  /** A line that was skipped. */
  onSkipped(bad: BadLine): void;
  onProgress(progress: LineProgress): void;
}

/**
 * After so many lines all of them are sent, also those in batches that are not full; otherwise an early line might wait
 * for ever.
 */
const SENT = 50_000;
/** If no line arrives for this long, the waiting lines are sent. Milliseconds. */
const IDLE = 20;
/** Between two reports of progress, milliseconds. */
const REPORT = 200;

/**
 * Publishes the events of a file as fast as the brokers take them: only its bytes in a batch are kept of a line. An
 * event without a trace gets none: the run that it causes begins one.
 *
 * @throws UserError for a line that is not an event, or is larger than the topic takes; ServiceError when Kafka is not there; both
 *   say where to go on
 */
export async function publishLines(
  openProducer: (onLost: (lost: LostRecords) => void) => Promise<Producer>,
  reader: LineReader,
  options: BulkOptions,
  listener: BulkListener,
): Promise<BulkReport> {
  const holder: { bulk?: Bulk } = {};
  const producer = await openProducer((lost) => holder.bulk?.lose(lost));
  try {
    holder.bulk = new Bulk(producer, reader, options, listener);
    return await holder.bulk.run();
  } finally {
    await producer.close();
  }
}

class Bulk {
  readonly #producer: Producer;
  readonly #reader: LineReader;
  readonly #options: BulkOptions;
  readonly #listener: BulkListener;
  readonly #report: BulkReport = { published: 0, skipped: 0, lines: 0, interrupted: false };
  readonly #begun: Millis;
  #reported: Millis;
  /** From each of these events on, counted from 0, one comes with each line. The first one is that of the last acknowledged. */
  readonly #marks: { event: number; line: number }[] = [];
  /** Up to this line everything was sent, full batch or not. */
  #sent = 0;

  constructor(producer: Producer, reader: LineReader, options: BulkOptions, listener: BulkListener) {
    this.#producer = producer;
    this.#reader = reader;
    this.#options = options;
    this.#listener = listener;
    this.#begun = this.#reported = options.clock.now();
  }

  async run(): Promise<BulkReport> {
    const { file, signal } = this.#options;
    let idle: NodeJS.Timeout | undefined;
    try {
      for await (const spans of readSpans(file, signal)) {
        clearTimeout(idle);
        await this.#publish(spans);
        this.#mark();
        this.#progress(spans.bytes);
        if (signal.aborted) break;
        // A failure is remembered by the producer, and told by its next call.
        if (file.size === null)
          idle = setTimeout(() => void this.#producer.flush().catch(() => undefined), IDLE);
      }
      await this.#producer.flush();
      const { losses } = this.#options;
      this.#report.published -= losses.count;
      if (this.#report.published === 0 && losses.error !== undefined) throw losses.error;
    } catch (error) {
      if (error instanceof RecordTooLargeError) throw this.#tooLarge(error);
      throw error instanceof ServiceError ? this.#interrupted(error) : error;
    } finally {
      clearTimeout(idle);
    }
    this.#report.interrupted = signal.aborted;
    return this.#report;
  }

  async #publish({ first, count, memory, bounds }: LineSpans): Promise<void> {
    const { topic, fromLine, signal } = this.#options;
    const now = this.#options.clock.now();
    for (let index = Math.max(0, fromLine - first); index < count && !signal.aborted; index++) {
      const from = bounds[2 * index] ?? 0;
      const to = bounds[2 * index + 1] ?? 0;
      const line = first + index;
      const key = this.#reader.keyOf(memory, from, to);
      if (key !== undefined) {
        try {
          const full = this.#producer.appendPart({ topic, key, bytes: memory, from, to, timestamp: now });
          if (full !== undefined) await full;
          this.#count(line);
        } catch (error) {
          await this.#refuseLarge(line, error);
        }
      } else await this.#publishUnusual(line, memory.subarray(from, to));
      this.#report.lines = line;
    }
  }

  /** Its line is known, as an event that is not acknowledged keeps its mark, or is just being appended. */
  lose({ first, count, error, ...place }: LostRecords): void {
    const n = first < this.#report.published ? this.#lineOf(first) : undefined;
    const unknown = { table: null, partition_path: null };
    this.#options.losses.add(place, count, { n: n ?? this.#report.lines + 1, ...unknown }, error);
  }

  #count(line: number): void {
    const event = this.#report.published;
    if (this.#lineOf(event) !== line) this.#marks.push({ event, line });
    this.#report.published = event + 1;
  }

  /** @param event counted from 0; not one that was acknowledged long ago */
  #lineOf(event: number): number | undefined {
    const mark = this.#marks.at(-1);
    const of =
      mark === undefined || mark.event <= event ? mark : this.#marks.findLast((each) => each.event <= event);
    return of === undefined ? undefined : of.line + event - of.event;
  }

  /** Drops the entries of acknowledged events, and sends lines that have waited long. */
  #mark(): void {
    const { lines: line } = this.#report;
    const { acknowledged } = this.#producer;
    while ((this.#marks[1]?.event ?? Infinity) < acknowledged) this.#marks.shift();
    if (line - this.#sent < SENT) return;
    this.#sent = line;
    // Not awaited: the next call reports a failure.
    this.#producer.flush().catch(() => undefined);
  }

  /** Up to this line everything is acknowledged. */
  #safe(): number {
    const { fromLine, losses } = this.#options;
    const safe = this.#lineOf(this.#producer.acknowledged - 1) ?? fromLine - 1;
    return Math.min(safe, (losses.first?.n ?? Infinity) - 1);
  }

  async #publishUnusual(line: number, bytes: Buffer): Promise<void> {
    const read = this.#reader.read(bytes);
    if (read === undefined) return;
    if (!read.ok) {
      await this.#refuse({ line, reason: read.reason });
      return;
    }
    const { key, value, headers } = read.message;
    try {
      const full = this.#producer.append({ topic: this.#options.topic, key, value, headers });
      if (full !== undefined) await full;
      this.#count(line);
    } catch (error) {
      await this.#refuseLarge(line, error);
    }
  }

  /** The line that is just being appended may be larger than the topic is known to take: nothing of it has been sent. */
  async #refuseLarge(line: number, error: unknown): Promise<void> {
    if (!(error instanceof RecordTooLargeError) || error.index !== this.#report.published) throw error;
    const fault = `is too large for topic ${error.topic}`;
    await this.#refuse({ line, fault, reason: error.why ?? '' }, error);
  }

  async #refuse(bad: BadLine, cause?: RecordTooLargeError): Promise<void> {
    const { file, skipBad } = this.#options;
    if (skipBad) {
      this.#report.skipped += 1;
      this.#listener.onSkipped(bad);
      return;
    }
    await this.#producer.flush();
    const { losses } = this.#options;
    const published = this.#report.published - losses.count;
    const said =
      published === 0
        ? 'Nothing was published.'
        : losses.first === undefined
          ? `The ${published} events before it are published.`
          : `Of the events before it ${published} are published, and ${losses.count} are not.`;
    const goOn = this.#goOn(Math.min(bad.line, losses.first?.n ?? Infinity));
    if (cause !== undefined) {
      const next = file.name === '-' ? [] : [`${goOn} --skip-bad`];
      throw tooLargeError(file, bad.line, { said, cause, next });
    }
    throw badLineError(
      file,
      bad,
      said,
      file.name === '-'
        ? ['hippo trigger --file - --skip-bad']
        : [`mend it, then ${goOn}`, `${goOn} --skip-bad`],
    );
  }

  /** The broker has refused an earlier line: its topic's settings could not be read, or have just changed. */
  #tooLarge(error: RecordTooLargeError): UserError {
    const { file } = this.#options;
    const line = this.#lineOf(error.index) ?? this.#safe() + 1;
    return tooLargeError(file, line, { said: this.#known(), cause: error, next: [] });
  }

  #known(): string {
    const safe = this.#safe();
    return safe < this.#options.fromLine
      ? 'Some events may be published.'
      : `All events up to line ${safe} are published; some after it may be too.`;
  }

  /** A line that was being sent when Kafka failed may have been written or not. */
  #interrupted(error: ServiceError): ServiceError {
    const { name } = this.#options.file;
    const safe = this.#safe();
    const known = this.#known();
    return new ServiceError(error.message, {
      why: [error.why, known].filter((text) => text !== undefined).join('\n'),
      next: [...error.next, ...(name === '-' ? [] : [this.#goOn(safe + 1)])],
      place: error.place,
      cause: error,
    });
  }

  #goOn(line: number): string {
    return goOnCommand(this.#options.file, line, this.#options.repeat);
  }

  /** @param bytes how far in the file this is */
  #progress(bytes: number): void {
    const { clock, file } = this.#options;
    const now = clock.now();
    if (now - this.#reported < REPORT) return;
    this.#reported = now;
    const took = now - this.#begun;
    const { published } = this.#report;
    this.#listener.onProgress({
      kind: 'lines',
      published,
      rate: (published / took) * 1000,
      fraction: file.size === null ? null : Math.min(1, bytes / Math.max(file.size, 1)),
      left: timeLeft(bytes, file.size === null ? null : Math.max(0, file.size - bytes), took),
    });
  }
}

/** @param said what it means for the other lines */
function tooLargeError(
  file: LineFile,
  line: number,
  { said, cause, next }: { said: string; cause: RecordTooLargeError; next: readonly string[] },
): UserError {
  return new UserError(`a line of ${file.shown} is too large for topic ${cause.topic}`, {
    why: `${cause.why ?? ''}\n${said}`,
    next: [...cause.next, ...next],
    place: { file: file.shown, line },
    cause,
  });
}

/** The command that publishes the lines from one on. */
export function goOnCommand({ name }: LineFile, line: number, repeat: readonly string[]): string {
  return ['hippo trigger', `--file ${shellWord(name)}`, `--from-line ${line}`, ...repeat].join(' ');
}

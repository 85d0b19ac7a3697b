import { topicName } from '../config/topics.ts';
import type { Config } from '../config/schema.ts';
import type { Clock, Millis } from '../core/clock.ts';
import { ServiceError, UserError } from '../core/errors.ts';
import type { RecordRef } from '../core/record-ref.ts';
import { shellWord } from '../core/shell.ts';
import { RecordTooLargeError } from '../kafka/failures.ts';
import type { Kafka } from '../kafka/port.ts';
import { type BulkReport, goOnCommand, publishLines } from './bulk.ts';
import { type BadLine, nothingLeftError } from './check-lines.ts';
import { Drive } from './drive.ts';
import type { HippoError } from '../core/errors.ts';
import type { FollowChange } from './follow.ts';
import type { WaitReport } from './following.ts';
import { Losses, type Unpublished } from './losses.ts';
import { backfillBegan } from './mark.ts';
import type { TriggerProgress } from './progress.ts';
import { isFarAhead } from '../messages/index.ts';
import type { NoRun, PublishedMessage } from './no-run.ts';
import type { OtherOrder } from './order.ts';
import type { PlannedEvent } from './publish.ts';
import type { EventSource, LineSource, Source } from './source.ts';
import { type UnknownTable, unknownTables } from './tables.ts';
import { type Rate, Throttle } from './throttle.ts';
import type { IdleReason, Watch } from './wait.ts';
import { within } from '../core/deadline.ts';

/** An event that was published. */
export interface PublishedEvent extends RecordRef {
  /** Which of them, from 1; of a file: the line. */
  n: number;
  /** null where the message is not an event that hippo can read. */
  table: string | null;
  /** `yyyymm=201704`; empty for an unpartitioned table. */
  partition_path: string;
  /** null: none. */
  key: string | null;
  traceparent: string | null;
}

export interface TriggerReport {
  /** How many were published by this command. */
  published: number;
  /** The first {@link LISTED} of them; none of a file that went out as fast as could be. */
  events: PublishedEvent[];
  /** null: a single event, or a file that went out as fast as could be. */
  backfill: { id: string; total: number; remaining: number } | null;
  /** null: not from a file. */
  file: { name: string; lines: number; skipped: number } | null;
  /** The events that their partition could not take, while others could; one entry a partition. */
  unpublished: Unpublished[];
  /** Why it ended before everything was published. */
  stopped: 'interrupted' | 'timed-out' | null;
  /** What to type to go on; null: nothing is left to publish. */
  next: string | null;
  unknown_tables: UnknownTable[];
  /** Of a range that is published backwards: the jobs of this hippo.yaml whose runs start in another order. */
  other_orders: readonly OtherOrder[];
  /** Why jobs do not run because of these events, if some events have caused no run. */
  no_run: NoRun[];
  /** null: not waited for. */
  wait: WaitReport | null;
}

export interface TriggerOptions {
  wait: boolean;
  /** How long an event's outcome may take, milliseconds. */
  timeout: Millis;
  /** How many events may have runs that have not ended. */
  maxActive?: number | undefined;
  rate?: Rate | undefined;
  /** Flags to give again, as a person types them, to go on. */
  repeat: readonly string[];
  clock: Clock;
  signal: AbortSignal;
}

/** What happens on the way. */
export interface TriggerListener {
  onPublished(event: PublishedEvent, source: EventSource): void;
  onChange(change: FollowChange): void;
  onExplanation(explanation: IdleReason): void;
  onProgress(progress: TriggerProgress): void;
  onSkipped(bad: BadLine): void;
  onUnknownTable(unknown: UnknownTable): void;
  /** Told before anything is published. */
  onOtherOrder(other: OtherOrder): void;
  /** Called once for each partition that is given up, while the others are written to. */
  onGivenUp(error: HippoError): void;
  /** Called at the end, once for each of these partitions. */
  onUnpublished(unpublished: Unpublished, isOfFile: boolean): void;
  /** Called once, with the first event whose exec_date is far in the future. */
  onFutureDate(event: PublishedEvent, execDate: number): void;
}

/** Of more events than these the report counts, and does not list them. */
const LISTED = 10_000;
/** How long the command waits for the warning about unknown tables, milliseconds. */
const TABLES_PATIENCE = 2_000;

/** Whether each event is published by itself: they are held back, or what they cause is followed. */
export function isOneByOne({
  wait,
  maxActive,
  rate,
}: Pick<TriggerOptions, 'wait' | 'maxActive' | 'rate'>): boolean {
  return wait || maxActive !== undefined || rate !== undefined;
}

export interface TriggerContext {
  options: TriggerOptions;
  listener: TriggerListener;
}

/**
 * Publishes events and, where that is asked for, follows what they cause.
 *
 * @throws ServiceError when Kafka is not there, UserError for a line that is not an event; both say how to go on
 */
export async function trigger(
  kafka: Kafka,
  config: Config,
  source: Source,
  context: TriggerContext,
): Promise<TriggerReport> {
  const { listener } = context;
  const losses = new Losses((error) => listener.onGivenUp(error));
  const publishing = { ...context, kafka, losses, config };
  const report = await triggerSource(source, publishing);
  const isOfFile = source.kind === 'lines' || source.file !== null;
  for (const unpublished of report.unpublished) listener.onUnpublished(unpublished, isOfFile);
  return report;
}

async function triggerSource(source: Source, publishing: Publishing): Promise<TriggerReport> {
  if (source.kind === 'lines') return triggerLines(source, publishing);
  const { kafka, config, listener } = publishing;
  const { otherOrders = [] } = source;
  for (const other of otherOrders) listener.onOtherOrder(other);
  // At the same time as the publish: an event must not wait for a warning.
  const unknown = warn(source.tables, config, kafka, listener);
  const report = await triggerEvents(source, publishing);
  return { ...report, unknown_tables: await unknown, other_orders: otherOrders };
}

interface Publishing extends TriggerContext {
  kafka: Kafka;
  losses: Losses;
  config: Config;
}

async function triggerLines(
  source: LineSource,
  { kafka, losses, config, options, listener }: Publishing,
): Promise<TriggerReport> {
  const topic = topicName(config, 'frontier');
  const report: BulkReport = await publishLines(
    (onLost) => kafka.producer({ onLost }),
    source.reader,
    { ...source, ...options, topic, losses },
    listener,
  );
  const { published, skipped, lines, interrupted } = report;
  const { first } = losses;
  if (!interrupted && published === 0 && first === undefined && skipped > 0)
    throw nothingLeftError(source.file, skipped);
  const canGoOn = (interrupted || first !== undefined) && source.file.name !== '-';
  const goOnFrom = first?.n ?? Math.max(lines, source.fromLine - 1) + 1;
  const repeat = [...(source.skipBad ? ['--skip-bad'] : []), ...options.repeat];
  return {
    published,
    events: [],
    backfill: null,
    file: { name: source.file.shown, lines, skipped },
    unpublished: losses.list,
    stopped: interrupted ? 'interrupted' : null,
    next: canGoOn ? goOnCommand(source.file, goOnFrom, repeat) : null,
    unknown_tables: await warn(source.reader.tables(), config, kafka, listener),
    other_orders: [],
    no_run: [],
    wait: null,
  };
}

async function triggerEvents(
  source: EventSource,
  { kafka, losses, config, options, listener }: Publishing,
): Promise<Omit<TriggerReport, 'unknown_tables' | 'other_orders'>> {
  const { backfill, before, total } = source;
  const follows = options.wait || options.maxActive !== undefined;
  const since = before.length > 0 && backfill !== null ? backfillBegan(backfill.id) : undefined;
  // Without `onLost` a partition that cannot be written to would stop the others.
  const producer = await kafka.producer({ onLost: () => undefined });
  // Before the publish: nothing of what it causes must be missed.
  const watch = follows
    ? await openWatch({
        kafka,
        config,
        clock: options.clock,
        onChange: (change) => listener.onChange(change),
        since,
      })
    : null;
  const events: PublishedEvent[] = [];
  const followed: PublishedMessage[] = [];
  let published = 0;
  let isWarned = false;
  const onPublished = (event: PlannedEvent, ref: RecordRef): void => {
    published += 1;
    const said = publishedEvent(event, ref);
    if (events.length < LISTED) events.push(said);
    listener.onPublished(said, source);
    if (follows && followed.length < LISTED) followed.push({ event, ref });
    if (isWarned || !isFarAhead(event.execDate, options.clock.now())) return;
    isWarned = true;
    listener.onFutureDate(said, event.execDate);
  };
  const next = resumeCommand(source, options.repeat);
  try {
    const throttle = new Throttle(options);
    const driven = { ...options, events: source.events(), total, before, throttle, losses, watch };
    const { progress, wait, stopped } = await new Drive(producer, driven, {
      onPublished,
      onExplanation: (explanation) => listener.onExplanation(explanation),
      onProgress: (progress) => listener.onProgress(progress),
    }).run();
    if (before.length + published === 0 && losses.error !== undefined) throw losses.error;
    return {
      published,
      events,
      backfill: backfill === null ? null : { ...backfill, remaining: progress.remaining },
      file: source.file === null ? null : { name: source.file, lines: backfill?.total ?? 0, skipped: 0 },
      unpublished: losses.list,
      stopped,
      next: progress.remaining > 0 && before.length + published > 0 ? next : null,
      no_run: wait !== null && wait.unanswered > 0 ? await explainNoRun(kafka, config, followed) : [],
      wait,
    };
  } catch (error) {
    if (error instanceof RecordTooLargeError && total > 1) throw tooLarge(error, source, next);
    throw error instanceof ServiceError && backfill !== null && before.length + published > 0
      ? withNext(error, before.length + published, total, next)
      : error;
  } finally {
    await producer.close();
    await watch?.close();
  }
}

/** The code is loaded when it is needed, as that of {@link explainNoRun}. */
async function openWatch(options: Parameters<typeof Watch.open>[0]): Promise<Watch> {
  const { Watch } = await import('./wait.ts');
  return Watch.open(options);
}

/** The reasons are loaded when they are asked for: few commands wait. */
async function explainNoRun(
  kafka: Kafka,
  config: Config,
  followed: readonly PublishedMessage[],
): Promise<NoRun[]> {
  const { whyNoRun } = await import('./no-run.ts');
  return whyNoRun(kafka, config, followed);
}

function withNext(error: ServiceError, published: number, total: number, next: string | null): ServiceError {
  const said = `${published} of ${total} events are published, as far as is known.`;
  return new ServiceError(error.message, {
    why: [error.why, said].filter((text) => text !== undefined).join('\n'),
    next: [...error.next, ...(next === null ? [] : [next])],
    place: error.place,
    cause: error,
  });
}

/** @param cause at the number of the event */
function tooLarge(cause: RecordTooLargeError, { file }: EventSource, next: string | null): UserError {
  const { index: n, topic, why = '' } = cause;
  const what = file === null ? `event ${n}` : `a line of ${file}`;
  return new UserError(`${what} is too large for topic ${topic}`, {
    why: `${why}\nEvents before it are published.`,
    next: [...cause.next, ...(next === null ? [] : [next])],
    place: file === null ? { topic } : { file, line: n },
    cause,
  });
}

/** null: there is nothing to go on with. */
function resumeCommand({ backfill, file }: EventSource, repeat: readonly string[]): string | null {
  if (backfill === null) return null;
  const named = file === null ? [] : [`--file ${file === '-' ? 'FILE' : shellWord(file)}`];
  return ['hippo trigger', `--resume ${backfill.id}`, ...named, ...repeat].join(' ');
}

/**
 * Reports tables that no hippo is known to need, if the brokers answer in time.
 *
 * @param kafka null to look only at hippo.yaml
 */
export async function warn(
  tables: Iterable<string>,
  config: Config,
  kafka: Kafka | null,
  listener: Pick<TriggerListener, 'onUnknownTable'>,
): Promise<UnknownTable[]> {
  // A failed look at the tables must not fail the command.
  const asked = unknownTables(tables, config, kafka).catch(() => []);
  const found = await within(asked, { millis: TABLES_PATIENCE, late: () => [] });
  for (const unknown of found) listener.onUnknownTable(unknown);
  return found;
}

function publishedEvent(
  { n, table, partition, traceparent, record }: PlannedEvent,
  { topic, partition: number, offset }: RecordRef,
): PublishedEvent {
  return {
    n,
    table,
    partition_path: partition,
    topic,
    partition: number,
    offset,
    key: record.key === null ? null : String(record.key),
    traceparent,
  };
}

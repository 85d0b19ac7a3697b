import { topicName } from '../config/topics.ts';
import type { Config } from '../config/schema.ts';
import { type Clock, type Millis, epochSeconds } from '../core/clock.ts';
import { UserError } from '../core/errors.ts';
import type { Kafka, RecordPlace } from '../kafka/port.ts';
import { POSITION_TIMES, parseTime } from '../tail/positions.ts';
import { type EventWords, completeEvent } from './event.ts';
import { type PlannedEvent, planEvent, publish } from './publish.ts';
import { Watch, type WaitOptions, type WaitReport } from './wait.ts';

export interface TriggerWords extends EventWords {
  /** A date, a time, an epoch or `now`; undefined: now. */
  execDate?: string | undefined;
}

/** An event that was published. */
export interface PublishedEvent {
  table: string;
  /** `yyyymm=201704`; empty for an unpartitioned table. */
  partition_path: string;
  topic: string;
  partition: number;
  /** Decimal text. */
  offset: string;
  key: string;
  traceparent: string;
}

export interface TriggerReport {
  events: PublishedEvent[];
  /** null: not waited for. */
  wait: WaitReport | null;
}

/** What happens on the way; all calls are in the order of the events. */
export interface TriggerListener extends Pick<WaitOptions, 'onChange' | 'onExplanation'> {
  onPublished(event: PublishedEvent): void;
}

/**
 * The one event that was described, completed from hippo.yaml.
 *
 * @throws UserError naming what is missing or malformed
 */
export async function planOne(words: TriggerWords, config: Config, clock: Clock): Promise<PlannedEvent> {
  const { partition, ...event } = completeEvent(words, config);
  const execDate = await readExecDate(words.execDate ?? 'now', config, clock);
  return planEvent(
    { kind: 'frontier', ...event, partitions: [partition], execDate, extra: {} },
    topicName(config, 'frontier'),
  );
}

/**
 * Publishes events and, where `wait` is given, follows what they cause.
 *
 * @throws ServiceError when Kafka is not there
 */
export async function trigger(
  kafka: Kafka,
  config: Config,
  events: readonly PlannedEvent[],
  wait: { timeout: Millis; clock: Clock; signal: AbortSignal } | null,
  listener: TriggerListener,
): Promise<TriggerReport> {
  // Before the publish: nothing of what it causes must be missed.
  const watch = wait === null ? null : await Watch.open(kafka, config, wait.clock);
  try {
    const places = await publish(kafka, events);
    const published = events.map((event, index) => publishedEvent(event, places[index] as RecordPlace));
    for (const event of published) listener.onPublished(event);
    if (watch === null || wait === null) return { events: published, wait: null };
    watch.follow(places);
    return {
      events: published,
      wait: await watch.wait({ timeout: wait.timeout, signal: wait.signal, ...listener }),
    };
  } finally {
    await watch?.close();
  }
}

function publishedEvent(
  { table, partition, traceparent, record }: PlannedEvent,
  place: RecordPlace,
): PublishedEvent {
  return {
    table,
    partition_path: partition,
    topic: place.topic,
    partition: place.partition,
    offset: String(place.offset),
    key: String(record.key),
    traceparent,
  };
}

async function readExecDate(text: string, { calendar }: Config, clock: Clock): Promise<number> {
  const time = await parseTime(text.replace(/^@/, ''), { clock, timezone: calendar.timezone });
  if (time !== undefined) return epochSeconds(time);
  throw new UserError(`--exec-date ${text} is no time`, { why: `It may be ${POSITION_TIMES}.` });
}

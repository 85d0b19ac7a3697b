import type { Config } from '../config/schema.ts';
import type { Clock } from '../core/clock.ts';
import type { Kafka, KafkaRecord, Trouble } from '../kafka/port.ts';
import type { MessageKind } from '../messages/index.ts';
import { Counter, type TopicCount } from './count.ts';
import { type Output, type Printer, Sink, printEnvelope } from '../records/index.ts';
import {
  type Doubts,
  type Gap,
  type SpanWords,
  type ReadTopicsRequest,
  type ReadTopicsSummary,
  type Selection,
  type SelectionWords,
  compileSelection,
  readSpan,
  readTopics,
} from '../records/reading.ts';
import { RAW_FORMAT, compileFormat } from './format.ts';
import { Statistics, type TailStats } from './stats.ts';

/** What a person said; undefined: not said. */
export interface TailWords extends SpanWords, SelectionWords {
  max?: number | undefined;
  json: boolean;
  raw: boolean;
  format?: string | undefined;
  count: boolean;
  stats: boolean;
  /** Continue after the end, also when only sums are printed. */
  follow: boolean;
}

/** The plan of a tail, checked as far as possible without Kafka. */
export interface TailPlan {
  request: Omit<ReadTopicsRequest, 'topics' | 'choose'>;
  selection: Selection;
  /** Whether it goes on until it is interrupted. */
  follows: boolean;
  /** `pretty`: the view prints the records. */
  output: 'count' | 'stats' | 'pretty' | Printer;
}

export interface TailReport extends ReadTopicsSummary {
  /** With `--count`. */
  counts: TopicCount[] | null;
  /** With `--stats`. */
  stats: TailStats | null;
  /** What `--filter` left out without judging it. */
  doubts: Readonly<Doubts> | undefined;
  /** What could not be read at the end: a right or a leader is missing. */
  unread: Unread[];
}

/** A topic, or one partition of it, that could not be read. */
export interface Unread {
  topic: string;
  /** null: all of them. */
  partition: number | null;
  error: string;
}

/** How a tail is shown to people. */
export interface TailView {
  /** Called before the first record. */
  begin(): void;
  /** The line of a record, its newline included. */
  line(record: KafkaRecord): string;
  gap(gap: Gap): void;
  /** Partitions cannot be read, or can be read again, while the others are. */
  trouble(trouble: Trouble): void;
  /** Called each second with the sums so far; undefined off a terminal. */
  progress: ((report: Pick<TailReport, 'counts' | 'stats'>) => void) | undefined;
  /** Called after the last record, unless the tail failed. */
  end(report: TailReport): void;
}

const PROGRESS_MS = 1000;

/** @throws UserError for a position, an expression or a format that cannot be read */
export async function planTail(words: TailWords, config: Config, clock: Clock): Promise<TailPlan> {
  const sums = words.count || words.stats;
  // --count and --stats end at the end of the topics unless --follow is given.
  const exitAtEnd = words.exitAtEnd || (sums && !words.follow && words.to === undefined);
  const span = await readSpan({ ...words, exitAtEnd }, config, clock);
  const { last, max, partitions } = words;
  return {
    request: { span, last, max, partitions, exitAtEnd },
    selection: await compileSelection(words),
    follows: span.to === null && !exitAtEnd,
    output: outputOf(words),
  };
}

function outputOf({ count, stats, json, raw, format }: TailWords): TailPlan['output'] {
  if (count) return 'count';
  if (stats) return 'stats';
  if (json) return printEnvelope;
  if (raw) return compileFormat(RAW_FORMAT);
  return format === undefined ? 'pretty' : compileFormat(format);
}

export interface TailPlace {
  /** Names of topics that exist. */
  topics: readonly string[];
  /** The kind of message that a topic carries. */
  kinds: ReadonlyMap<string, MessageKind>;
  choose?: ReadTopicsRequest['choose'];
}

/**
 * Tails as planned: prints what is wanted as fast as `output` takes it, and no faster, or sums it up.
 *
 * @throws ServiceError when no broker can be reached
 */
export async function runTail(
  kafka: Pick<Kafka, 'topics' | 'offsets' | 'offsetsAt' | 'reader'>,
  { request, selection, output: what }: TailPlan,
  { topics, kinds, choose }: TailPlace,
  { view, output, signal }: { view: TailView; output: Output; signal: AbortSignal },
): Promise<TailReport> {
  const counter = what === 'count' ? new Counter(topics) : undefined;
  const statistics = what === 'stats' ? new Statistics(topics, kinds) : undefined;
  const sums = (): Pick<TailReport, 'counts' | 'stats'> => ({
    counts: counter?.report() ?? null,
    stats: statistics?.report() ?? null,
  });
  const unread = new Map<string, Unread>();
  const sink = new Sink(output);
  const sum = counter ?? statistics;
  const print: Printer = typeof what === 'function' ? what : (record, to) => to.write(view.line(record));
  const take =
    sum === undefined
      ? (record: KafkaRecord) => print(record, sink)
      : (record: KafkaRecord) => sum.take(record);
  const timer =
    sum === undefined || view.progress === undefined
      ? undefined
      : setInterval(() => view.progress?.(sums()), PROGRESS_MS);
  try {
    const consumer = {
      keep: selection.keep,
      take,
      gap: (gap: Gap) => view.gap(gap),
      trouble: (trouble: Trouble) => {
        note(unread, trouble);
        view.trouble(trouble);
      },
      ready: () => sink.ready(),
    };
    const summary = await readTopics(kafka, { ...request, topics, choose }, consumer, signal);
    return { ...summary, ...sums(), doubts: selection.doubts, unread: [...unread.values()] };
  } finally {
    clearInterval(timer);
    sink.flush();
  }
}

function note(unread: Map<string, Unread>, { places, error }: Trouble): void {
  for (const { topic, partition } of places) {
    const place = `${topic} ${partition ?? ''}`;
    if (error !== null) unread.set(place, { topic, partition: partition ?? null, error: error.message });
    else {
      unread.delete(place);
      unread.delete(`${topic} `);
    }
  }
}

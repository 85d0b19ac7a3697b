import type { Config } from '../config/schema.ts';
import type { Clock } from '../core/clock.ts';
import { type HoldUpChange, HoldUps, standingHoldUps } from '../kafka/hold-ups.ts';
import type { Kafka, KafkaRecord, TopicPartition, Trouble } from '../kafka/port.ts';
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
  /** Open transactions hide records, or hide them no longer. */
  heldUp(change: HoldUpChange): void;
  /** Called each second with the sums so far; undefined off a terminal. */
  progress: ((report: Pick<TailReport, 'counts' | 'stats'>) => void) | undefined;
  /** Called after the last record, unless the tail failed. */
  end(report: TailReport): void;
}

const PROGRESS_MS = 1000;
/**
 * Looks for open transactions: how often; how long nothing must have come before it is looked; how long one must have stayed.
 * Milliseconds.
 */
const HOLD_UPS = { every: 2_500, quiet: 5_000, patience: 2_000 };

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

type TailKafka = Pick<Kafka, 'topics' | 'offsets' | 'offsetsAt' | 'reader' | 'openTransactions'>;

/**
 * Tails as planned: prints what is wanted as fast as `output` takes it, and no faster, or sums it up.
 *
 * @throws ServiceError when no broker can be reached
 */
export async function runTail(
  kafka: TailKafka,
  { request, selection, output: what, follows }: TailPlan,
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
  const { partitions } = request;
  const holdUps = follows ? new TailHoldUps(kafka, { topics, choose, partitions }, view) : undefined;
  try {
    const consumer = {
      keep:
        holdUps === undefined
          ? selection.keep
          : (record: KafkaRecord) => {
              holdUps.came();
              return selection.keep?.(record) ?? true;
            },
      take,
      gap: (gap: Gap) => view.gap(gap),
      trouble: (trouble: Trouble) => {
        note(unread, trouble);
        view.trouble(trouble);
      },
      ready: () => sink.ready(),
    };
    const summary = await readTopics(kafka, { ...request, topics, choose }, consumer, signal);
    sink.flush();
    // What an open transaction hides is missing from what was printed.
    if (!follows && summary.stopped === 'end') {
      const matters = ({ partition }: TopicPartition): boolean => partitions?.includes(partition) !== false;
      const found = await standingHoldUps(kafka, topics, { matters, signal });
      if (found.length > 0) view.heldUp({ found, over: [] });
    }
    return { ...summary, ...sums(), doubts: selection.doubts, unread: [...unread.values()] };
  } finally {
    holdUps?.close();
    clearInterval(timer);
    sink.flush();
  }
}

type HeldPlace = Pick<TailPlace, 'topics' | 'choose'> & Pick<ReadTopicsRequest, 'partitions'>;

/** While nothing comes, looks whether an open transaction hides records. */
class TailHoldUps {
  readonly #kafka: TailKafka;
  readonly #place: HeldPlace;
  readonly #view: Pick<TailView, 'heldUp'>;
  readonly #holdUps: HoldUps;
  readonly #timer: NodeJS.Timeout;
  /** By performance.now(). */
  #lastCame = performance.now();
  #isLooking = false;
  #isClosed = false;

  constructor(kafka: TailKafka, place: HeldPlace, view: Pick<TailView, 'heldUp'>) {
    this.#kafka = kafka;
    this.#place = place;
    this.#view = view;
    this.#holdUps = new HoldUps(kafka, HOLD_UPS.patience);
    this.#timer = setInterval(() => void this.#look(), HOLD_UPS.every);
  }

  came(): void {
    this.#lastCame = performance.now();
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    // What was told is looked at until it is over.
    const isQuiet = performance.now() - this.#lastCame >= HOLD_UPS.quiet;
    if (this.#isLooking || !(isQuiet || this.#holdUps.open.length > 0)) return;
    this.#isLooking = true;
    const { partitions } = this.#place;
    const change = await this.#holdUps.look(
      await this.#topics(),
      ({ partition }) => partitions?.includes(partition) !== false,
    );
    this.#isLooking = false;
    if (!this.#isClosed && change.found.length + change.over.length > 0) this.#view.heldUp(change);
  }

  async #topics(): Promise<readonly string[]> {
    const { topics, choose } = this.#place;
    if (choose === undefined) return topics;
    const existing = await this.#kafka.topics().catch(() => []);
    return choose(existing.map(({ topic }) => topic));
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

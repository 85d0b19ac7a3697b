import { dlqName, topicName } from '../config/topics.ts';
import type { Config } from '../config/schema.ts';
import { type Clock, epochSeconds } from '../core/clock.ts';
import { UserError } from '../core/errors.ts';
import type { RecordRef } from '../core/record-ref.ts';
import { shellWord } from '../core/shell.ts';
import { parseFrontier, serialiseFrontier } from '../messages/index.ts';
import {
  type LineFile,
  POSITION_TIMES,
  findLines,
  meantTimes,
  parseTime,
  readLines,
  rereadable,
} from '../records/index.ts';
import { badLinesError, checkLines } from './check-lines.ts';
import { type EventWords, completeEvent } from './event.ts';
import { LineReader } from './file-message.ts';
import { newBackfillId } from './mark.ts';
import { type OtherOrder, otherOrders } from './order.ts';
import { type PlannedEvent, planEvent, planMessage } from './publish.ts';
import type { RangePlan } from './range-plan.ts';
import type { FoundBackfill } from './resume.ts';

/** What a person said; undefined: not said. */
export interface TriggerWords extends EventWords {
  /** A date, a time, an epoch or `now`; undefined: now. */
  execDate?: string | undefined;
  /** `2017-01..2017-12` */
  range?: string | undefined;
  backwards?: boolean | undefined;
  /** `-`: standard input. */
  file?: string | undefined;
  fromLine?: number | undefined;
  skipBad?: boolean | undefined;
  /** The id of a backfill. */
  resume?: string | undefined;
}

/** Events to publish one after the other. */
export interface EventSource {
  kind: 'events';
  events(): Iterable<PlannedEvent> | AsyncIterable<PlannedEvent>;
  total: number;
  /** null: a single event. */
  backfill: { id: string; total: number } | null;
  /** What was published before. */
  before: RecordRef[];
  tables: Iterable<string>;
  /** Of a range that is published backwards: the jobs whose runs start in another order. */
  otherOrders?: readonly OtherOrder[];
  /** The file that must be named again to go on; null: the topic has all that is needed to continue. */
  file: string | null;
}

/** Lines to publish as fast as the brokers take them. */
export interface LineSource {
  kind: 'lines';
  file: LineFile;
  reader: LineReader;
  fromLine: number;
  skipBad: boolean;
}

export type Source = EventSource | LineSource;

/** What {@link openSource} has to know besides the words. */
export interface SourceContext {
  config: Config;
  clock: Clock;
  signal: AbortSignal;
  /** Whether events are held back, or what they cause is followed: then each is one of a backfill. */
  oneByOne: boolean;
}

/** Files up to this size are checked whole before anything is published. Bytes. */
const CHECKED = 16 * 1024 * 1024;

/**
 * What is to be published: one event, a range, or the lines of a file.
 *
 * @throws UserError naming what is missing or malformed
 */
export async function openSource(words: TriggerWords, context: SourceContext): Promise<Source> {
  if (words.file !== undefined) return fileSource(words.file, words, context, null);
  if (words.range !== undefined) return rangeSource(words.range, words, context);
  if (words.backwards === true)
    throw new UserError('--backwards needs a --range', {
      next: ['hippo trigger --range 2017-01..2017-12 --backwards'],
    });
  const event = await planOne(words, context);
  const tables = event.table === null ? [] : [event.table];
  return { kind: 'events', events: () => [event], total: 1, backfill: null, before: [], tables, file: null };
}

/** The rest of a backfill. */
export async function resumedSource(
  words: TriggerWords,
  found: FoundBackfill,
  context: SourceContext,
): Promise<EventSource> {
  if (words.file !== undefined) {
    const source = await fileSource(words.file, words, { ...context, oneByOne: true }, found);
    if (source.kind === 'events') return source;
  }
  if (found.plan === null) {
    throw new UserError(`the backfill ${found.id} is of a file`, {
      why: 'Its topic does not know the lines that are still to come.',
      next: [`hippo trigger --resume ${found.id} --file FILE`],
    });
  }
  return planned(found.plan, found.id, found, context.config);
}

/** The events of a range, but for those that were published before. */
async function planned(
  plan: RangePlan,
  id: string,
  found: FoundBackfill | null,
  config: Config,
): Promise<EventSource> {
  const { rangeEvents } = await import('./range-plan.ts');
  const all = rangeEvents(plan, topicName(config, 'frontier'), id);
  const total = all.length;
  if (found !== null && found.total !== total) {
    throw new UserError(`the backfill ${id} has ${found.total} events; its plan makes ${total} here`, {
      why: 'Another version of hippo has begun it.',
    });
  }
  const tables = [`${plan.db}.${plan.table}`];
  const events = all.filter(({ n }) => found?.published.has(n) !== true);
  return {
    kind: 'events',
    events: () => events,
    total,
    backfill: { id, total },
    before: [...(found?.published.values() ?? [])],
    tables,
    ...(plan.backwards ? { otherOrders: otherOrders(tables, config) } : {}),
    file: null,
  };
}

async function planOne(words: TriggerWords, context: SourceContext): Promise<PlannedEvent> {
  const { config } = context;
  const { shape, said, usual } = completeEvent(words, config);
  const partition = said ?? usual;
  const pattern = said?.find(({ value }) => /%[-_]?[YymdHjGVbF]/.test(value));
  if (pattern !== undefined) {
    throw new UserError(`--partition ${pattern.name}=${pattern.value} is a pattern, not a value`, {
      next: [`hippo trigger --partition ${pattern.name}=${pattern.value} --range 2017-01..2017-12`],
    });
  }
  const table = `${shape.db}.${shape.table}`;
  if (Object.keys(config.jobs).length > 0) {
    const [{ checkPartition }, { tableNeeds }] = await Promise.all([
      import('./check.ts'),
      import('./needs.ts'),
    ]);
    checkPartition(table, partition, tableNeeds(table, config), Date.now());
  }
  const execDate = await readExecDate(words.execDate ?? 'now', context);
  const event = { kind: 'frontier', ...shape, partitions: [partition], execDate, extra: {} } as const;
  // A partition that no job of hippo.yaml could read must not be published.
  const parsed = parseFrontier(serialiseFrontier(event));
  if (parsed.ok) return planEvent(event, topicName(config, 'frontier'));
  const { reason, key } = parsed.rejection;
  throw new UserError(`that is not a frontier event: ${key === undefined ? '' : `${key} `}${reason}`);
}

async function rangeSource(range: string, words: TriggerWords, context: SourceContext): Promise<EventSource> {
  const { config, clock } = context;
  const [{ rangeFormat, rangeUnit }, { formatSources }] = await Promise.all([
    import('./range.ts'),
    import('./format.ts'),
  ]);
  const { shape, said = [], usual } = completeEvent(words, config);
  const table = `${shape.db}.${shape.table}`;
  const format = rangeFormat({ table, said, usual }, config);
  const every = rangeUnit(table, format, config);
  const { timezone, day_starts } = config.calendar;
  const plan: RangePlan = {
    ...shape,
    exec_date: await readExecDate(words.execDate ?? 'now', context),
    partition: formatSources(format),
    range,
    backwards: words.backwards ?? false,
    calendar: { timezone, day_starts },
    ...(every !== undefined && { every }),
  };
  return planned(plan, newBackfillId(clock.now()), null, config);
}

/** Lines that go out one by one are all checked first; so are those of a file that is not too large. */
async function fileSource(
  name: string,
  words: TriggerWords,
  { config, clock, signal, oneByOne }: SourceContext,
  resumed: FoundBackfill | null,
): Promise<Source> {
  const given = await findLines(name);
  const file = oneByOne ? await rereadable(given, signal) : given;
  const reader = new LineReader(foreignTopics(config));
  const { fromLine = 1, skipBad = false } = words;
  if (file.size === null || (file.size > CHECKED && !oneByOne)) {
    return { kind: 'lines', file, reader, fromLine, skipBad };
  }
  const checked = await checkLines(file, reader, fromLine, signal);
  if (checked.bad > 0 && (!skipBad || checked.events === 0)) throw badLinesError(file, checked);
  if (!oneByOne) return { kind: 'lines', file, reader, fromLine, skipBad };
  const { id, total, published } = resumed ?? {
    id: newBackfillId(clock.now()),
    total: checked.lines,
    published: new Map<number, RecordRef>(),
  };
  if (total !== checked.lines) {
    throw new UserError(`${name} has ${checked.lines} lines; the backfill ${id} is of a file with ${total}`, {
      why: 'An event is known by its line: the file must be the same.',
    });
  }
  const events = (): AsyncGenerator<PlannedEvent> =>
    lineEvents({
      file,
      reader,
      fromLine,
      topic: topicName(config, 'frontier'),
      id,
      total,
      published,
      signal,
    });
  return {
    kind: 'events',
    events,
    total: checked.events,
    backfill: { id, total },
    before: [...published.values()],
    tables: reader.tables(),
    file: name,
  };
}

interface LineEventsOptions {
  file: LineFile;
  reader: LineReader;
  fromLine: number;
  topic: string;
  id: string;
  total: number;
  published: ReadonlyMap<number, RecordRef>;
  signal: AbortSignal;
}

async function* lineEvents(options: LineEventsOptions): AsyncGenerator<PlannedEvent> {
  const { file, reader, fromLine, topic, id, total, published, signal } = options;
  for await (const { first, lines } of readLines(file, signal)) {
    for (const [index, bytes] of lines.entries()) {
      const n = first + index;
      if (n < fromLine || published.has(n)) continue;
      const read = reader.read(bytes);
      if (read?.ok === true) yield planMessage(read.message, topic, n, { id, n, total });
    }
  }
}

/** The topics of hippo.yaml that carry no events, and what they carry: `finish messages, not frontier events`. */
export function foreignTopics(config: Config): Map<string, string> {
  const roles = ['start', 'finish', 'schedule', 'health', 'state', 'alert', 'model'] as const;
  return new Map([
    ...roles.map((role): [string, string] => [
      topicName(config, role),
      `${role} messages, not frontier events`,
    ]),
    ...[...roles, 'frontier' as const].map((role): [string, string] => [
      dlqName(topicName(config, role)),
      'dead letters: hippo replay publishes them again',
    ]),
  ]);
}

async function readExecDate(text: string, { config, clock }: SourceContext): Promise<number> {
  const bare = text.replace(/^@/, '');
  const time = await parseTime(bare, { clock, timezone: config.calendar.timezone });
  if (time !== undefined) return epochSeconds(time);
  throw new UserError(`--exec-date ${shellWord(text)} is not a time`, {
    why: `It may be ${POSITION_TIMES}.`,
    next: meantTimes(bare).map((meant) => `--exec-date ${meant}`),
  });
}

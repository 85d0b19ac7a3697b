import type { Config } from '../config/schema.ts';
import type { Clock } from '../core/clock.ts';
import type { Kafka, TopicPartitionOffset } from '../kafka/port.ts';
import { compileSelection, deadLetterTopics, readSpan, readTopics } from '../records/reading.ts';
import { sizeAbove } from '../kafka/record-size.ts';
import { type History, readHistory } from './history.ts';
import { type DeadLetter, type LetterStatus, onePerRecord, readLetter, sentBack, wasSent } from './letter.ts';
import { madeWhole } from './original.ts';

/** Which dead letters, as flags like those of `hippo tail`; undefined if not given. */
export interface ReplayWords {
  /** Topics, or dead-letter topics; empty for all dead letters. */
  topics: readonly string[];
  from?: string | undefined;
  to?: string | undefined;
  last?: number | undefined;
  filter?: string | undefined;
  /** Includes letters that were, or may have been, sent back before. */
  again: boolean;
  /** Includes letters that were rejected too often. */
  force: boolean;
  /** How often a message may be rejected before it is not sent any more. */
  limit: number;
}

/** Which letters are sent back, and which are not. */
export interface ReplayPlan {
  letters: DeadLetter[];
  /** For each topic that letters go back to, the positions up to which its replays are known. */
  known: ReadonlyMap<string, readonly TopicPartitionOffset[]>;
}

const DLQ = '.dlq';

/**
 * Finds the dead letters and decides which may be sent back. Reads only.
 *
 * @throws UserError for invalid topics, positions and filters
 */
export async function planReplay(
  kafka: Pick<Kafka, 'topics' | 'offsets' | 'offsetsAt' | 'reader' | 'topicLimit'>,
  config: Config,
  words: ReplayWords,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<ReplayPlan> {
  const { from, to, last, filter, limit } = words;
  const span = await readSpan({ from, to, last, exitAtEnd: true }, config, clock);
  const { keep } = await compileSelection({ filter, ignoreCase: false });
  const infos = await kafka.topics();
  const existing = infos.map(({ topic }) => topic);
  const topics = deadLetterTopics(config, existing, words.topics);
  const read: DeadLetter[] = [];
  await readTopics(
    kafka,
    { topics, span, last, exitAtEnd: true },
    {
      keep,
      take: (record) => void read.push(readLetter(record, record.topic.slice(0, -DLQ.length))),
    },
    signal,
  );
  signal.throwIfAborted();
  const letters = onePerRecord(read);
  const partitions = new Map(infos.map((info) => [info.topic, info.partitions.length]));
  const homes = [...Map.groupBy(letters, ({ letter }) => letter.to.topic)];
  const histories = new Map<string, History>();
  const limits = new Map<string, number>();
  for (const [home, those] of homes) {
    if (!partitions.has(home)) continue;
    const at = those.reduce((first, { record }) => Math.min(first, record.timestamp), Infinity);
    const records = those.flatMap(({ origin }) => origin ?? []);
    histories.set(home, await readHistory(kafka, home, { at, records }, signal));
    // A topic whose settings may not be read says it when it refuses a message.
    limits.set(home, (await kafka.topicLimit(home).catch(() => null))?.bytes ?? Infinity);
  }
  const judged: DeadLetter[] = [];
  for (const found of letters) {
    const { letter } = found;
    const status = judge(found, { ...words, limit }, histories.get(letter.to.topic), partitions);
    const whole = await madeWhole(kafka, { ...found, letter: { ...letter, status } }, signal);
    judged.push(fits(whole, limits, clock) ? whole : withStatus(whole, 'too-large'));
  }
  return {
    letters: judged.sort((left, right) => left.record.timestamp - right.record.timestamp),
    known: new Map([...histories].map(([home, { ends }]) => [home, ends])),
  };
}

/** Whether the topic takes the message that would be sent, if one would be. */
function fits(found: DeadLetter, limits: ReadonlyMap<string, number>, clock: Clock): boolean {
  const { status, to } = found.letter;
  if (status !== 'ready') return true;
  return sizeAbove(sentBack(found, clock.now()), limits.get(to.topic) ?? Infinity) === undefined;
}

function withStatus(found: DeadLetter, status: LetterStatus): DeadLetter {
  return { ...found, letter: { ...found.letter, status } };
}

function judge(
  found: DeadLetter,
  { again, force, limit }: ReplayWords,
  history: History | undefined,
  partitions: ReadonlyMap<string, number>,
): LetterStatus {
  const { letter, record } = found;
  const { to, status, replays } = letter;
  if (status === 'foreign' || history === undefined || to.partition >= (partitions.get(to.topic) ?? 0)) {
    return 'foreign';
  }
  if (!again) {
    if (wasSent(found, history.sent)) return 'sent-before';
    if (record.timestamp < (history.reachesBackTo.get(to.partition) ?? Infinity)) return 'perhaps-sent';
  }
  return replays >= limit && !force ? 'looping' : 'ready';
}

import { isUtf8 } from 'node:buffer';
import chalk, { chalkStderr } from 'chalk';
import stringWidth from 'fast-string-width';
import { LAST_MOMENT } from '../core/clock.ts';
import { visible } from '../core/visible.ts';
import { lastHeader } from '../core/headers.ts';
import type { KafkaRecord } from '../kafka/port.ts';
import { type MessageKind, parseMessage, recognise } from '../messages/index.ts';
import { describeMessage } from './messages.ts';
import type { TailView } from '../tail/run.ts';
import type { TailViewOptions } from '../tail/tail.ts';
import { Live } from './live.ts';
import { renderDoubts, renderGap, renderHoldUps, renderSums, renderTrouble } from './tail-report.ts';
import { lineColumns } from './terminal.ts';
import { COLUMNS, cut } from './text.ts';

/** What a person sees of a tail: its lines on stdout; on stderr what is read, the sums so far, and what went wrong. */
export function tailView({ topics, kinds, timezone, now, follows, brokers }: TailViewOptions): TailView {
  const { stdout, stderr } = process;
  const say = (text: string): void => void stderr.write(`${text}\n`);
  const live = stderr.isTTY ? new Live(stderr) : undefined;
  return {
    begin: () => {
      if (stderr.isTTY) say(tailHeading(topics, follows));
    },
    line: prettyPrinter({
      topics,
      kinds,
      timeOf: timePrinter(timezone, now),
      columns: () => lineColumns(stdout),
    }),
    gap: (gap) => say(renderGap(gap)),
    trouble: (trouble) => say(renderTrouble(trouble)),
    heldUp: (change) => say(renderHoldUps(change, brokers)),
    progress: live === undefined ? undefined : (sums) => live.show(renderSums(sums)),
    end: (report) => {
      live?.clear();
      const doubts = renderDoubts(report);
      if (doubts !== '') say(doubts);
      const { records, stopped, counts, stats } = report;
      if (stderr.isTTY && records === 0 && stopped === 'end' && counts === null && stats === null)
        say(chalkStderr.dim('Nothing there.'));
    },
  };
}

export interface PrettyOptions {
  /** The kinds of the topics that hippo.yaml names; others are recognised by their messages' shape. */
  kinds: ReadonlyMap<string, MessageKind>;
  /** What is read: where a record comes from is shown only where there are several. */
  topics: readonly string[];
  timeOf: (timestamp: number) => string;
  /** The width to which hippo messages are cut, asked for each line; undefined off a terminal, where they are not cut. */
  columns: () => number | undefined;
}

const LABEL_WIDTH = 24;

/** Makes the function that turns a record into one readable line, its newline included. */
export function prettyPrinter(options: PrettyOptions): (record: KafkaRecord) => string {
  const labels = new Map(options.topics.map((topic) => [topic, labelOf(topic, options.kinds)]));
  const width =
    labels.size < 2
      ? 0
      : Math.min(LABEL_WIDTH, Math.max(...[...labels.values()].map(({ length }) => length)));
  return (record) => {
    const label = width === 0 ? '' : `${(labels.get(record.topic) ?? record.topic).padEnd(width)} `;
    const place = `${record.partition}:${record.offset}`.padEnd(6);
    const head = chalk.dim(`${options.timeOf(record.timestamp)} ${label}${place}`);
    const { text, whole } = describeRecord(record, options.kinds);
    const line = `${head} ${text}`;
    const columns = whole ? undefined : options.columns();
    return `${columns === undefined ? line : cut(line, columns)}\n`;
  };
}

/** A topic by its role, a name that `hippo tail` accepts too: `finish`, `frontier.dlq`; else by its name. */
function labelOf(topic: string, kinds: PrettyOptions['kinds']): string {
  const base = topic.endsWith(DLQ) ? topic.slice(0, -DLQ.length) : topic;
  const kind = kinds.get(base);
  return kind === undefined ? topic : `${kind}${topic.slice(base.length)}`;
}

const DLQ = '.dlq';

/** A hippo message by its meaning; a rejected one with its reason; anything else as it is, and whole. */
function describeRecord(
  record: KafkaRecord,
  kinds: PrettyOptions['kinds'],
): { text: string; whole: boolean } {
  const { value } = record;
  if (value === null) return { text: chalk.dim(`${keyText(record)}deleted`), whole: true };
  const reason = lastHeader(record.headers, 'dlq.reason');
  if (reason !== undefined) {
    const field = lastHeader(record.headers, 'dlq.key');
    const why = visible([field, reason].filter((part) => part !== undefined).join(' '));
    return { text: `${chalk.red('✗ rejected:')} ${why} ${chalk.dim(asIs(value))}`, whole: false };
  }
  const kind = kinds.get(record.topic) ?? recognise(value);
  const parsed = kind === undefined ? undefined : parseMessage(kind, value);
  if (parsed?.ok === true) return { text: describeMessage(parsed.message), whole: false };
  return { text: `${chalk.dim(keyText(record))}${asIs(value)}`, whole: true };
}

function keyText({ key }: KafkaRecord): string {
  return key === null ? '' : `${asIs(key)} `;
}

/** Text as it stands, with its control characters made visible; other bytes as hexadecimal. */
function asIs(bytes: Buffer): string {
  return isUtf8(bytes) ? visible(bytes.toString('utf8')) : `0x${bytes.toString('hex')}`;
}

/**
 * `15:42:26` today, `2017-04-28 15:42:26` on another day.
 *
 * @param timezone IANA name
 * @param now epoch milliseconds
 */
export function timePrinter(timezone: string, now: number): (timestamp: number) => string {
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone: timezone,
    dateStyle: 'short',
    timeStyle: 'medium',
  });
  const today = format.format(now).slice(0, 10);
  return (timestamp) => {
    if (timestamp < 0) return 'no time ';
    if (timestamp > LAST_MOMENT) return String(timestamp);
    const text = format.format(timestamp);
    return text.startsWith(today) ? text.slice(11) : text;
  };
}

/** What a terminal shows on stderr before the first record: what is read, and how to leave. */
export function tailHeading(topics: readonly string[], following: boolean): string {
  const heading = (named: string): string =>
    following ? `Following ${named}; Ctrl-C ends.` : `Reading ${named}.`;
  const all = heading(topics.join(', '));
  return chalkStderr.dim(stringWidth(all) <= COLUMNS ? all : heading(`${topics.length} topics`));
}

import { isUtf8 } from 'node:buffer';
import chalk from 'chalk';
import stringWidth from 'string-width';
import type { KafkaRecord } from '../kafka/port.ts';
import { type MessageKind, parseMessage, recognise } from '../messages/index.ts';
import { describeMessage, visible } from './messages.ts';

export interface PrettyOptions {
  /** The kinds of the topics that hippo.yaml names; others are recognised by their messages' shape. */
  kinds: ReadonlyMap<string, MessageKind>;
  /** What is read: a topic's name is shown only where there are several. */
  topics: readonly string[];
  /** IANA name. */
  timezone: string;
  /** Epoch milliseconds: what is of another day shows its date. */
  now: number;
}

/** Makes the function that turns a record into one readable line. */
export function prettyPrinter(options: PrettyOptions): (record: KafkaRecord) => string {
  const timeOf = timePrinter(options.timezone, options.now);
  const width =
    options.topics.length < 2 ? 0 : Math.min(24, Math.max(...options.topics.map((name) => name.length)));
  return (record) => {
    const topic = width === 0 ? '' : `${chalk.dim(record.topic.padEnd(width))} `;
    const place = chalk.dim(`${record.partition}:${record.offset}`.padEnd(6));
    return `${chalk.dim(timeOf(record.timestamp))} ${topic}${place} ${describeRecord(record, options.kinds)}\n`;
  };
}

/** A hippo message by its meaning; a rejected one with its reason; anything else as it is. */
function describeRecord(record: KafkaRecord, kinds: PrettyOptions['kinds']): string {
  const { value } = record;
  if (value === null) return chalk.dim(`${keyText(record)}deleted`);
  const reason = record.headers['dlq.reason'];
  if (reason !== undefined)
    return `${chalk.red('✗ rejected:')} ${visible(reason.toString())} ${chalk.dim(asIs(value))}`;
  const kind = kinds.get(record.topic) ?? recognise(value);
  const parsed = kind === undefined ? undefined : parseMessage(kind, value);
  if (parsed?.ok === true) return describeMessage(parsed.message);
  return `${chalk.dim(keyText(record))}${asIs(value)}`;
}

function keyText({ key }: KafkaRecord): string {
  return key === null ? '' : `${asIs(key)} `;
}

/** Text as it stands, with its control characters made visible; other bytes as hexadecimal. */
function asIs(bytes: Buffer): string {
  return isUtf8(bytes) ? visible(bytes.toString('utf8')) : `0x${bytes.toString('hex')}`;
}

/** `15:42:26` today, `2017-04-28 15:42:26` on another day. */
function timePrinter(timezone: string, now: number): (timestamp: number) => string {
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone: timezone,
    dateStyle: 'short',
    timeStyle: 'medium',
  });
  const today = format.format(now).slice(0, 10);
  return (timestamp) => {
    if (timestamp < 0) return 'no time';
    const text = format.format(timestamp);
    return text.startsWith(today) ? text.slice(11) : text;
  };
}

/** What a terminal shows on stderr before the first record: what is read, and how to leave. */
export function tailHeading(topics: readonly string[], following: boolean): string {
  const named =
    topics.length <= 3
      ? topics.join(', ')
      : `${topics.slice(0, 2).join(', ')} and ${topics.length - 2} more topics`;
  const line = following ? `Following ${named}; Ctrl-C ends.` : `Reading ${named}.`;
  return chalk.dim(
    stringWidth(line) <= 80
      ? line
      : following
        ? `Following ${topics.length} topics; Ctrl-C ends.`
        : `Reading ${topics.length} topics.`,
  );
}

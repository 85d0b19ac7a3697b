import chalk, { chalkStderr } from 'chalk';
import { formatDuration, formatSeconds } from '../core/duration.ts';
import { visible } from '../core/visible.ts';
import type { TopicCount } from '../tail/count.ts';
import type { Flow, TailStats } from '../tail/stats.ts';
import type { TailReport } from '../tail/run.ts';
import type { HoldUpChange } from '../kafka/hold-ups.ts';
import { abortCommand, describeHoldUp, endOfTransaction } from '../core/open-transaction.ts';
import type { Jump, Trouble } from '../kafka/port.ts';
import type { Gap } from '../records/reading.ts';
import { renderErrorReport } from './errors.ts';
import { table, wrap } from './text.ts';

/** At most this many tables are shown, those with the most events; `--json` has all of them. */
const SHOWN = 20;

/** The sums that were asked for; empty where records were printed instead. */
export function renderSums({ counts, stats }: Pick<TailReport, 'counts' | 'stats'>): string {
  if (counts !== null) return renderCount(counts);
  return stats === null ? '' : renderStats(stats);
}

/** The number alone where one topic was counted, so that scripts can use it. */
function renderCount(topics: readonly TopicCount[]): string {
  const [only] = topics;
  if (topics.length === 1 && only !== undefined) return String(only.records);
  const total = topics.reduce((sum, { records }) => sum + records, 0);
  const rows = [...topics.map(({ topic, records }) => [records, topic] as const), [total, 'in all'] as const];
  return table(rows, [0]).join('\n');
}

/** How much came and how fast, what landed of each table, and what each hippo did. */
function renderStats(stats: TailStats): string {
  const sections = [
    section(
      [1, 2, 3],
      ['topic', 'records', 'size', 'rate', 'last'],
      stats.topics.map((topic) => [
        topic.topic,
        topic.records,
        size(topic.bytes),
        rate(topic),
        time(topic.last),
      ]),
    ),
    section(
      [1],
      ['table', 'events', 'last'],
      stats.tables
        .slice(0, SHOWN)
        .map(({ table: name, events, last }) => [visible(name), events, time(last)]),
      stats.tables.length - SHOWN,
    ),
    section(
      [1, 2, 3, 4, 5],
      ['hippo', 'started', 'succeeded', 'failed', 'mean', 'requests', 'health'],
      stats.hippos.map((hippo) => [
        visible(hippo.hippo),
        hippo.started,
        hippo.succeeded,
        hippo.failed,
        hippo.mean_duration === null ? '' : formatSeconds(hippo.mean_duration),
        hippo.requested,
        hippo.well === null ? '' : hippo.well ? chalk.green('well') : chalk.red('ill'),
      ]),
    ),
  ].filter((lines) => lines.length > 0);
  return [...sections.map((lines) => `${lines.join('\n')}\n`), sentence(stats)].join('\n');
}

function section(right: number[], head: string[], rows: (string | number)[][], more = 0): string[] {
  if (rows.length === 0) return [];
  const [title = '', ...lines] = table([head, ...rows], right);
  return [
    chalk.bold(title),
    ...lines,
    ...(more > 0 ? [chalk.dim(`and ${number(more)} more; --json lists them all`)] : []),
  ];
}

/** `1,204 records (171.4 kB) in 2 h 5 min, 9.63 a minute; 3 are not hippo messages.` */
function sentence({ records, bytes, first, last, rate: perSecond, others }: TailStats): string {
  const over = first === null || last === null ? 0 : Date.parse(last) - Date.parse(first);
  const span =
    perSecond === null ? '' : ` in ${formatDuration(over)}, ${pace(perSecond, ' a second', ' a minute')}`;
  const strange =
    others === 0
      ? ''
      : `; ${number(others)} ${others === 1 ? 'is not a hippo message' : 'are not hippo messages'}`;
  return `${number(records)} ${records === 1 ? 'record' : 'records'} (${size(bytes)})${span}${strange}.`;
}

function rate({ rate: perSecond }: Flow): string {
  return perSecond === null ? '' : pace(perSecond, '/s', '/min');
}

/** Slow rates are given per minute. */
function pace(perSecond: number, second: string, minute: string): string {
  return perSecond >= 1 ? `${number(perSecond)}${second}` : `${number(perSecond * 60)}${minute}`;
}

/** `2017-04-28 15:42:26Z` */
function time(iso: string | null): string {
  return iso === null ? '' : `${iso.slice(0, 19).replace('T', ' ')}Z`;
}

function size(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  while (value >= 1000 && units.length > 1) {
    value /= 1000;
    units.shift();
  }
  return `${Number(value.toFixed(1))} ${units[0] ?? ''}`;
}

function number(value: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: value < 1000 ? 3 : 21 });
}

/** That records are missing between the lines, and why. */
export function renderGap({ topic, partition, ...jump }: Gap): string {
  return `${chalkStderr.yellow('!')} ${topic}[${partition}]: ${describeJump(jump)}; on at ${jump.to}`;
}

function describeJump({ from, to, cause }: Jump): string {
  switch (cause) {
    case 'removed':
      return `offsets ${from} to ${to - 1n} are gone from the log (retention)`;
    case 'shorter':
      return `offset ${from} is past the end, so the topic may have been created again`;
    case 'made-again':
      return 'the topic was created again';
  }
}

/** That partitions cannot be read while the others are, why, and what to do; or that they can be read again. */
export function renderTrouble({ places, error }: Trouble): string {
  if (error !== null) return renderErrorReport(error.toJSON());
  const names = places.map(({ topic, partition }) =>
    partition === undefined ? topic : `${topic}[${partition}]`,
  );
  return `${chalkStderr.green('✓')} ${names.join(', ')}: can be read again`;
}

/** That open transactions hide records, and how that ends; or that they hide nothing any more. */
export function renderHoldUps({ found, over }: HoldUpChange, brokers: readonly string[]): string {
  return [
    ...over.map(
      ({ topic, partition, transactionalId }) =>
        `${chalkStderr.green('✓')} ${topic}[${partition}]: the transaction${transactionalId === null ? '' : ` of transactional id ${visible(transactionalId)}`} has ended`,
    ),
    ...found.flatMap((transaction) => [
      ...wrap(visible(describeHoldUp(transaction)), `${chalkStderr.yellow('!')} `),
      ...wrap(visible(endOfTransaction(transaction)), '  '),
      `  ${chalkStderr.cyan('→')} ${abortCommand(brokers, transaction)}`,
    ]),
  ].join('\n');
}

/** That the filter could not judge everything, or that it asked for a field that nothing has; empty: all is well. */
export function renderDoubts({ doubts, records }: Pick<TailReport, 'doubts' | 'records'>): string {
  const { unjudged, lacking } = doubts ?? {};
  const lines: string[] = [];
  if (unjudged?.reason !== undefined) {
    const [noun, was] = unjudged.count === 1 ? ['record', 'was'] : ['records', 'were'];
    lines.push(
      `${number(unjudged.count)} ${noun} could not be judged by --filter and ${was} left out: ${unjudged.reason}`,
    );
  }
  if (records === 0 && lacking?.reason !== undefined)
    lines.push(`--filter matched nothing, and some records lack a field that it uses: ${lacking.reason}`);
  return lines.flatMap((line) => wrap(visible(line), `${chalkStderr.yellow('!')} `)).join('\n');
}

/** What a person reads of a delivery. Plain text: each shape escapes it in its own way. */
import { formatDuration } from '../core/duration.ts';
import { listed } from '../core/listed.ts';
import { visible } from '../core/visible.ts';
import { type Zone, isoIn, openZone } from '../windows/index.ts';
import type { Delivery, ToldAlert } from './types.ts';

/** All texts are of one line. */
export interface Summary {
  /** `etl: load 2017-04-28 has failed: exit code 3`, `etl: 100 alerts, 3 over` */
  readonly title: string;
  readonly entries: readonly Entry[];
  /** What is left out, or null: `and 12 more: hippo alerts list`. */
  readonly more: string | null;
}

/** One alert, or many of one condition and subject. */
export interface Entry {
  readonly state: ToldAlert['state'];
  readonly text: string;
  /** `failed, since 2017-04-29 06:30 UTC` */
  readonly facts: string;
  /** Commands to type. */
  readonly next: readonly string[];
}

/** So many alerts of one condition and subject are told one by one. */
const ONE_BY_ONE = 3;
/** A message has no more entries. */
const MOST = 20;
const LONGEST_TEXT = 500;

/** Ends before beginnings would hide what matters: what fires comes first, in the order in which it began. */
export function summarize(delivery: Delivery): Summary {
  const { alerts, timezone } = delivery;
  const zone = openZone(timezone);
  const ordered = [...alerts].sort(inOrder);
  const groups = Map.groupBy(ordered, ({ state, condition, subject }) => `${state}/${condition}/${subject}`);
  const entries = [...groups.values()]
    .flatMap((group) =>
      group.length > ONE_BY_ONE ? [entryOfMany(group, zone)] : group.map((alert) => entryOf(alert, zone)),
    )
    .sort((left, right) => Number(left.state === 'resolved') - Number(right.state === 'resolved'));
  const hidden = entries.length - MOST;
  return {
    title: oneLine(titleOf(delivery)),
    entries: entries.slice(0, MOST),
    more: hidden > 0 ? `and ${hidden} more: hippo alerts list` : null,
  };
}

/** By their beginning; of those that began together by their run. */
function inOrder(left: ToldAlert, right: ToldAlert): number {
  return (
    left.since - right.since || (left.runKey ?? '').localeCompare(right.runKey ?? '', 'en', { numeric: true })
  );
}

/** The same in one text of several lines. */
export function plainText({ title, entries, more }: Summary): string {
  const lines = entries.flatMap(({ state, text, facts, next }) => [
    `${markOf(state)} ${text}`,
    `  ${facts}`,
    ...next.map((command) => `  → ${command}`),
    '',
  ]);
  return [title, '', ...lines, ...(more === null ? [] : [more])].join('\n').trimEnd();
}

export function markOf(state: ToldAlert['state']): string {
  return state === 'firing' ? '▲' : '✓';
}

function titleOf({ hippo, alerts, isTest }: Delivery): string {
  const test = isTest ? 'test: ' : '';
  const over = alerts.filter(({ state }) => state === 'resolved').length;
  const firing = alerts.length - over;
  const [only] = alerts;
  if (only !== undefined && alerts.length === 1)
    return `${test}${hippo}: ${over === 1 ? 'over: ' : ''}${only.text}`;
  const counts = [
    ...(firing === 0 ? [] : [firing === 1 ? '1 alert' : `${firing} alerts`]),
    ...(over === 0 ? [] : [`${over} over`]),
  ];
  const conditions = [...new Set(alerts.map(({ condition }) => condition))];
  return `${test}${hippo}: ${counts.join(', ')} (${conditions.join(', ')})`;
}

function entryOf({ state, condition, text, since, resolvedAt, next }: ToldAlert, zone: Zone): Entry {
  const began = clockText(zone, since);
  const facts =
    resolvedAt === null
      ? `${condition}, since ${began}`
      : `${condition}, over after ${formatDuration(Math.max(0, resolvedAt - since))}, since ${began}`;
  return {
    state,
    text: oneLine(text),
    facts: oneLine(facts),
    next: state === 'firing' ? next.map(oneLine) : [],
  };
}

function entryOfMany(alerts: readonly ToldAlert[], zone: Zone): Entry {
  const [first] = alerts;
  const last = alerts.at(-1);
  if (first === undefined || last === undefined) throw new Error('there is no alert');
  const { state, condition, subject } = first;
  const keys = alerts.flatMap(({ runKey }) => (runKey === null ? [] : [runKey]));
  const of = keys.length === 0 ? '' : `: ${listed(keys)}`;
  const over = state === 'resolved' ? ' over' : '';
  return {
    state,
    text: oneLine(`${subject}, ${alerts.length} × ${condition}${over}${of}`),
    facts: oneLine(`since ${clockText(zone, first.since)}; the last: ${last.text}`),
    next: state === 'firing' ? ['hippo alerts list'] : [],
  };
}

/** `2017-04-29 06:30 +02:00` */
function clockText(zone: Zone, at: number): string {
  const iso = isoIn(zone, at);
  const offset = iso.endsWith('Z') ? 'UTC' : iso.slice(-6);
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)} ${offset}`;
}

function oneLine(text: string): string {
  const line = visible(text.trim());
  return line.length <= LONGEST_TEXT ? line : `${line.slice(0, LONGEST_TEXT).toWellFormed()}…`;
}

import { type RecordRef, RecordSet, offsetOf } from '../../core/record-ref.ts';
import { shellWord } from '../../core/shell.ts';
import { type FrontierEvent, partitionPath, producedBy } from '../../messages/index.ts';
import { nextOffset } from '../../state/index.ts';
import { type Recovery, type Stuck, iso } from '../recovery.ts';
import { isJsonObject } from '../../core/json.ts';
import {
  type Found,
  type HippoGroup,
  type Snapshot,
  isOwned,
  mayNeedEvents,
  startCommand,
} from '../../observe/index.ts';
import { ago } from '../words.ts';

/** A younger event may still be on its way through a client, milliseconds. */
const GRACE = 10_000;

/**
 * Frontier events that no start message, no finish message and no hippo's state names, by table. Topics and state tell that
 * no hippo has used an event; only the hippos themselves know whether they need the table.
 *
 * A source, or a service, announces all that lands, and a job all that it produces, needed or not. So such an event is stuck
 * only while a hippo with jobs has not read it: {@link unneededEvents} counts the others.
 */
export const unansweredTrigger: Recovery = {
  id: 'unanswered-trigger',
  title: 'Unanswered events',
  plan(snapshot) {
    const readers = readersOf(snapshot);
    const byTable = Map.groupBy(
      unanswered(snapshot).filter((event) => !isUnneeded(event, readers)),
      ({ message }) => tableOf(message),
    );
    return [...byTable]
      .map(([table, events]) => describe(table, events, snapshot))
      .sort((a, b) => a.since.localeCompare(b.since));
  },
};

/** Events that sources and services have announced, or jobs have produced, of a table. */
export interface UnneededEvents {
  /** `db.table` */
  table: string;
  events: number;
}

/** The events of sources, services and jobs that all hippos with jobs have read, and none has used, by table. */
export function unneededEvents(snapshot: Snapshot): UnneededEvents[] {
  const readers = readersOf(snapshot);
  const events = unanswered(snapshot).filter((event) => isUnneeded(event, readers));
  return [...Map.groupBy(events, ({ message }) => tableOf(message))]
    .map(([table, { length }]) => ({ table, events: length }))
    .sort((a, b) => a.table.localeCompare(b.table));
}

function unanswered(snapshot: Snapshot): Found<FrontierEvent>[] {
  const isAnswered = answerer(snapshot);
  return snapshot.events.filter((event) => event.at <= snapshot.now - GRACE && !isAnswered(event));
}

/** A hippo without jobs reads the topic, too, and needs nothing. */
function readersOf(snapshot: Snapshot): HippoGroup[] {
  return snapshot.groups.filter(({ hippo }) => mayNeedEvents(snapshot, hippo));
}

/** What a hippo that has read the event needed of it, its state would name. */
function isUnneeded(event: Found<FrontierEvent>, readers: readonly HippoGroup[]): boolean {
  const { announced_by: by } = event.message.extra;
  const isAnnounced =
    producedBy(event.message) !== undefined ||
    (isJsonObject(by) && (typeof by['source'] === 'string' || typeof by['service'] === 'string'));
  return isAnnounced && readers.every((reader) => hasRead(reader, [event]));
}

function tableOf({ db, table }: FrontierEvent): string {
  return `${db}.${table}`;
}

/** An event also counts as answered when a later landing of the same partition, or a duplicate of it, is answered. */
function answerer({ starts, finishes, landed, events }: Snapshot): (event: Found<FrontierEvent>) => boolean {
  const received = new RecordSet(
    [...starts, ...finishes].flatMap(({ message }) => message.receiveMsgs ?? []),
  );
  const isNamed = (ref: RecordRef): boolean => landed.has(ref) || received.has(ref);
  const newest = new Map<string, number>();
  for (const { message, ref } of events) {
    if (!isNamed(ref)) continue;
    const what = whatLanded(message);
    newest.set(what, Math.max(newest.get(what) ?? 0, message.execDate));
  }
  return ({ message, ref }) => isNamed(ref) || message.execDate <= (newest.get(whatLanded(message)) ?? -1);
}

function whatLanded({ db, table, partitions }: FrontierEvent): string {
  return JSON.stringify([db, table, partitions.map(partitionPath)]);
}

function describe(table: string, events: readonly Found<FrontierEvent>[], snapshot: Snapshot): Stuck {
  const partitions = [...new Set(events.flatMap(({ message }) => message.partitions.map(partitionPath)))];
  const named = partitions.filter((text) => text !== '');
  const shown =
    named.length > 3 ? [...named.slice(0, 2), `… ${named.at(-1) ?? ''} (${named.length})`] : named;
  const first = Math.min(...events.map(({ at }) => at));
  const last = events.reduce((latest, event) => (event.at >= latest.at ? event : latest));
  const reading = readBy(events, snapshot);
  return {
    recovery: 'unanswered-trigger',
    hippo: null,
    job: null,
    run_key: null,
    what: [table, ...shown].join(' '),
    why: `landed ${ago(snapshot.now, last.at)}; ${reading.why}`,
    notes: [],
    cause: null,
    command:
      reading.waitsFor !== undefined
        ? startCommand(reading.waitsFor, snapshot)
        : `hippo tail ${shellWord(last.ref.topic)} --from ${last.ref.partition}:${last.ref.offset} --max 1`,
    since: iso(first),
    pull: false,
    events: events.map(({ ref }) => ref),
  };
}

/**
 * Which hippos have read these events and which have not; `waitsFor` is a hippo of the latter without a client. Only a hippo
 * with a client is said to have read them: what a hippo needs that is down is not known.
 */
function readBy(
  events: readonly Found<FrontierEvent>[],
  snapshot: Snapshot,
): { why: string; waitsFor?: string } {
  const readers = readersOf(snapshot);
  const [running, down] = split(readers, ({ hippo }) => isOwned(snapshot, hippo));
  if (snapshot.groups.length === 0) return { why: 'no hippo has ever run with these topics' };
  if (readers.length === 0) return { why: 'no hippo with these topics has jobs' };
  const [read, behind] = split(running, (group) => hasRead(group, events));
  const [downAndRead, waiting] = split(down, (group) => hasRead(group, events));
  const [first] = waiting;
  if (first !== undefined) {
    const they = waiting.length === 1 ? 'it has' : 'they have';
    return {
      why: `no client of ${namesOf(waiting)} runs: ${they} not read ${events.length === 1 ? 'it' : 'them'} yet`,
      waitsFor: first.hippo,
    };
  }
  if (behind.length > 0) return { why: `not read yet by ${namesOf(behind)}` };
  if (read.length > 0) return { why: `read by ${namesOf(read)}, needed by none` };
  return { why: `no client of ${namesOf(downAndRead)} runs` };
}

/** A hippo without a position in a partition has read nothing there. */
function hasRead({ read }: HippoGroup, events: readonly Found<FrontierEvent>[]): boolean {
  return events.every(({ ref }) => (nextOffset(read, ref) ?? 0n) > offsetOf(ref));
}

function split<Item>(items: readonly Item[], is: (item: Item) => boolean): [Item[], Item[]] {
  return [items.filter(is), items.filter((item) => !is(item))];
}

function namesOf(groups: readonly HippoGroup[]): string {
  return list(groups.map(({ hippo }) => hippo));
}

function list(names: readonly string[]): string {
  return names.length > 3
    ? `${names.slice(0, 2).join(', ')} and ${names.length - 2} others`
    : names.join(', ');
}

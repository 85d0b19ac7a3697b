import { formatDuration } from '../../core/duration.ts';
import { offsetOf, recordId } from '../../core/record-ref.ts';
import { shellWord } from '../../core/shell.ts';
import { type FrontierEvent, type ReceivedMessage, partitionPath } from '../../messages/index.ts';
import { type Recovery, type Stuck, iso } from '../recovery.ts';
import { type Found, type Snapshot, isOwned, startCommand } from '../../observe/snapshot.ts';

/** A younger event may still be on its way through a client, milliseconds. */
export const GRACE = 10_000;

/**
 * Frontier events that no start message, no finish message and no hippo's state names, by table. Topics and state tell that
 * no hippo has used an event; only the hippos themselves know whether they need the table.
 */
export const unansweredTrigger: Recovery = {
  id: 'unanswered-trigger',
  title: 'Unanswered events',
  plan(snapshot) {
    const isAnswered = answerer(snapshot);
    const byTable = Map.groupBy(
      snapshot.events.filter((event) => event.at <= snapshot.now - GRACE && !isAnswered(event)),
      ({ message }) => `${message.db}.${message.table}`,
    );
    return [...byTable]
      .map(([table, events]) => describe(table, events, snapshot))
      .sort((a, b) => a.since.localeCompare(b.since));
  },
};

/** An event is answered, too, when a later landing of the same partition, or the same one told twice, is. */
function answerer({ starts, finishes, landed, events }: Snapshot): (event: Found<FrontierEvent>) => boolean {
  const received: ReceivedMessage[] = [...starts, ...finishes].flatMap(
    ({ message }) => message.receiveMsgs ?? [],
  );
  const named = new Set([...landed, ...received.map(recordId)]);
  const newest = new Map<string, number>();
  for (const { message, ref } of events) {
    if (!named.has(recordId(ref))) continue;
    const what = whatLanded(message);
    newest.set(what, Math.max(newest.get(what) ?? 0, message.execDate));
  }
  return ({ message, ref }) =>
    named.has(recordId(ref)) || message.execDate <= (newest.get(whatLanded(message)) ?? -1);
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
    why: `landed ${formatDuration(Math.max(0, snapshot.now - last.at))} ago; ${reading.why}`,
    command:
      reading.waitsFor !== undefined
        ? startCommand(reading.waitsFor, snapshot)
        : `hippo tail ${shellWord(last.ref.topic)} --from ${last.ref.partition}:${last.ref.offset} --max 1`,
    since: iso(first),
    pull: false,
    events: events.map(({ ref }) => ref),
  };
}

/** Which hippos have read these events and which have not; `waitsFor` is a hippo of the latter without a client. */
function readBy(
  events: readonly Found<FrontierEvent>[],
  snapshot: Snapshot,
): { why: string; waitsFor?: string } {
  const { groups } = snapshot;
  if (groups.length === 0) return { why: 'no hippo has run on these brokers' };
  const behind = groups.filter(({ read }) =>
    events.some(({ ref }) => {
      const partitions = read.get(ref.topic);
      // Of a topic that a hippo reads, a partition without a position was added since.
      return (
        partitions !== undefined &&
        partitions.size > 0 &&
        (partitions.get(ref.partition) ?? 0n) <= offsetOf(ref)
      );
    }),
  );
  const down = behind.filter(({ hippo }) => !isOwned(snapshot, hippo)).map(({ hippo }) => hippo);
  const [waitsFor] = down;
  if (waitsFor !== undefined)
    return { why: `not read yet by ${list(down)}, which ${down.length === 1 ? 'is' : 'are'} down`, waitsFor };
  if (behind.length > 0) return { why: `not read yet by ${list(behind.map(({ hippo }) => hippo))}` };
  return { why: `read by ${list(groups.map(({ hippo }) => hippo))}, needed by none` };
}

function list(names: readonly string[]): string {
  return names.length > 3
    ? `${names.slice(0, 2).join(', ')} and ${names.length - 2} others`
    : names.join(', ');
}

/** What the alerts of a round must say: on their topic, in the state, and to their receiver. */
import type { Alert, JobFinish } from '../../src/messages/index.ts';

/** A receiver has taken this: it answered that it did, though the client may not have heard it. */
export interface Taken {
  id: string;
  state: Alert['state'];
}

export interface AlertCase {
  /** The committed ones of the hippo; those of one id in the order of their offsets. */
  alerts: readonly Alert[];
  /** Of the hippo; those of one run in the order of their offsets. */
  finishes: readonly JobFinish[];
  /** Runs, each `<job> <run key>`, for which nothing had landed until they were alerted. */
  absent: ReadonlySet<string>;
  /** Runs for whose windows something landed before their deadline or after it, as it came. */
  mayBeAbsent: ReadonlySet<string>;
  /** Jobs that were paused for long, once, and then resumed. */
  paused: ReadonlySet<string>;
  /** The ids that `hippo alerts list` shows at the end. */
  open: ReadonlySet<string>;
  taken: readonly Taken[];
  /** How many clients have owned at most: each of them may send again what another has sent. */
  clients: number;
  /** A client was frozen: it may send a beginning when it goes on that another has told the end of. */
  wasFrozen: boolean;
}

/** Of what says that a run is late it has one alert. */
const LATE: readonly string[] = ['absent', 'deadline', 'gave-up'];
/** Of the others we know nothing here, but what holds for all. */
const KNOWN: readonly string[] = [...LATE, 'failed', 'paused'];

export function judgeAlerts(round: AlertCase): string[] {
  return [
    ...pairs(round.alerts),
    ...failures(round),
    ...lateness(round),
    ...pauses(round),
    ...remembered(round),
    ...deliveries(round),
  ];
}

/** Each has one beginning, and after it at most one end. */
function pairs(alerts: readonly Alert[]): string[] {
  return [...Map.groupBy(alerts, ({ alertId }) => alertId)].flatMap(([id, messages]) => {
    const states = messages.map(({ state }) => state).join(', ');
    return states === 'firing' || states === 'firing, resolved' ? [] : [`alert ${id} is ${states}`];
  });
}

/** From the first failure for good to the next success is one occurrence. */
function failures({ alerts, finishes }: AlertCase): string[] {
  const begun = new Map<string, number>();
  const ended = new Map<string, number>();
  const last = new Map<string, boolean>();
  for (const { jobName, runKey = '', isSuccess } of finishes) {
    const run = `${jobName} ${runKey}`;
    const hadFailed = last.get(run) === false;
    if (!isSuccess && !hadFailed) count(begun, run);
    if (isSuccess && hadFailed) count(ended, run);
    last.set(run, isSuccess);
  }
  const failed = alerts.filter(({ condition }) => condition === 'failed');
  return [
    ...differences('failed', begun, tally(failed, 'firing')),
    ...differences('failed and is over', ended, tally(failed, 'resolved')),
  ];
}

/** All runs that may be late have succeeded at the end. */
function lateness({ alerts, absent, mayBeAbsent }: AlertCase): string[] {
  const late = alerts.filter(({ condition }) => LATE.includes(condition));
  const missed = tally(
    late.filter(({ condition }) => condition === 'absent'),
    'firing',
  );
  const over = tally(late, 'resolved');
  return [
    ...[...absent]
      .filter((run) => !missed.has(run))
      .map((run) => `${run} was absent, and has no alert of that`),
    ...[...missed.keys()]
      .filter((run) => !absent.has(run) && !mayBeAbsent.has(run))
      .map((run) => `${run} has an alert that it is absent, and had landed before`),
    ...[...tally(late, 'firing')].flatMap(([run, alerted]) => [
      ...(alerted > 1 ? [`${run} has ${alerted} alerts that it is late`] : []),
      ...(over.get(run) === alerted ? [] : [`${run} is alerted to be late, and that is not over`]),
    ]),
  ];
}

function pauses({ alerts, paused }: AlertCase): string[] {
  const told = alerts.filter(({ condition }) => condition === 'paused');
  const expected = new Map([...paused].map((job) => [`${job} `, 1]));
  return [
    ...differences('paused', expected, tally(told, 'firing')),
    ...differences('paused and is over', expected, tally(told, 'resolved')),
  ];
}

/** What the state says is open, and what the topic says is. */
function remembered({ alerts, open }: AlertCase): string[] {
  const published = openOf(alerts);
  return [
    ...[...open]
      .filter((id) => !published.has(id))
      .map((id) => `${id} is open in the state, not on the topic`),
    ...[...published]
      .filter((id) => !open.has(id))
      .map((id) => `${id} is open on the topic, not in the state`),
  ];
}

/** At least once, and what is not over is not told to be. */
function deliveries({ alerts, taken, clients, wasFrozen }: AlertCase): string[] {
  const published = new Set(alerts.map(({ alertId, state }) => `${alertId} ${state}`));
  const counts = new Map<string, number>();
  for (const { id, state } of taken) count(counts, `${id} ${state}`);
  const open = openOf(alerts);
  const known = alerts.filter(({ condition }) => KNOWN.includes(condition));
  const ids = new Set(known.map(({ alertId }) => alertId));
  return [
    ...[...counts.keys()]
      .filter((what) => !published.has(what))
      .map((what) => `the receiver was told ${what}, and that is not published`),
    ...[...counts]
      .filter(([, times]) => times > clients)
      .map(([what, times]) => `the receiver was told ${what} ${times} times by ${clients} clients`),
    ...[...ids]
      .map((id) => `${id} ${open.has(id) ? 'firing' : 'resolved'}`)
      .filter((what) => !counts.has(what))
      .map((what) => `the receiver was not told ${what}`),
    ...(wasFrozen ? [] : reversed(taken)),
  ];
}

function reversed(taken: readonly Taken[]): string[] {
  const over = new Set<string>();
  return taken.flatMap(({ id, state }) => {
    if (state === 'resolved') over.add(id);
    return state === 'firing' && over.has(id) ? [`the receiver was told that ${id} began after its end`] : [];
  });
}

function openOf(alerts: readonly Alert[]): Set<string> {
  const open = new Set(alerts.map(({ alertId }) => alertId));
  for (const { alertId, state } of alerts) if (state === 'resolved') open.delete(alertId);
  return open;
}

/** By `<subject> <run key>`. */
function tally(alerts: readonly Alert[], state: Alert['state']): Map<string, number> {
  const counts = new Map<string, number>();
  for (const alert of alerts)
    if (alert.state === state) count(counts, `${alert.subject} ${alert.runKey ?? ''}`);
  return counts;
}

function differences(
  what: string,
  expected: ReadonlyMap<string, number>,
  found: ReadonlyMap<string, number>,
): string[] {
  return [...new Set([...expected.keys(), ...found.keys()])].flatMap((subject) => {
    const [should, does] = [expected.get(subject) ?? 0, found.get(subject) ?? 0];
    return should === does
      ? []
      : [`${subject.trim()} has ${does} alerts that it ${what}, and ${should} expected`];
  });
}

function count(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}

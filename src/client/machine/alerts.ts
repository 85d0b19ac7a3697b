/**
 * Alerts: what needs a person. An alert is one occurrence of a cause: it has one id, one message when it is raised and one when it
 * is over, each written in the transaction that decides it. Of one cause at most one alert is open.
 */
import { type Millis, epochSeconds } from '../../core/clock.ts';
import { shellWord } from '../../core/shell.ts';
import type { Alert, AlertCondition } from '../../messages/types.ts';
import type { AlertState, RunId } from '../../state/index.ts';
import { expectsWindows, inOrder } from './definition.ts';
import type { Draft } from './draft.ts';
import { missing, stateOf } from './run-words.ts';
import type { MachineState, Run } from './state.ts';
import { nameOf, slotOf } from './timing.ts';
import { traceFrom, traceOf } from './trace.ts';
import type { AlertDelivery } from './types.ts';

/** What an alert is about. */
export interface Cause {
  readonly condition: AlertCondition;
  /** The job, service, source or topic. */
  readonly subject: string;
  readonly runKey?: string;
}

export interface NewAlert extends Cause {
  /** What has happened, one line. */
  readonly text: string;
  /** Commands to type. */
  readonly next?: readonly string[];
  /** When it began. [default: now] */
  readonly since?: Millis;
  /** See {@link AlertState}. */
  readonly count?: number;
  readonly last?: Millis;
  /** Left out: a trace begins with it. */
  readonly traceparent?: string;
}

/** What is kept of a text, characters: errors of jobs may be long. */
const TEXT_LENGTH = 500;

/** Raises an alert, unless one of this cause is open. Without `alerts` in hippo.yaml nothing is raised. */
export function raise(draft: Draft, { since = draft.at, traceparent, ...alert }: NewAlert): void {
  if (draft.definition.alerts === undefined || isAlerting(draft.state, alert)) return;
  const id = newId(draft, alert);
  draft.noteLastAlert(causeName(alert), id);
  tell(draft, { id, state: 'firing', traceparent }, { ...alert, text: cut(alert.text), since });
}

/**
 * Ends the open alert of this cause, where there is one.
 *
 * @param over why, one line
 */
export function resolve(draft: Draft, cause: Cause, over: string): void {
  const id = openAlert(draft.state, cause);
  if (id !== undefined) resolveId(draft, id, over);
}

function resolveId(draft: Draft, id: string, over: string): void {
  const alert = draft.state.alerts.get(id);
  if (alert === undefined || alert.resolvedAt !== undefined) return;
  tell(draft, { id, state: 'resolved' }, { ...alert, resolvedAt: draft.at, over: cut(over) });
}

/** Whether an alert of this cause is open. */
export function isAlerting(state: MachineState, cause: Cause): boolean {
  return openAlert(state, cause) !== undefined;
}

/** @returns the id of the open alert of this cause */
export function openAlert({ alerts, lastAlerts }: MachineState, cause: Cause): string | undefined {
  const id = lastAlerts.get(causeName(cause));
  const alert = id === undefined ? undefined : alerts.get(id);
  return alert === undefined || alert.resolvedAt !== undefined ? undefined : id;
}

/** `load/deadline/2017-04-28`; names of jobs, services, sources and topics have no slash. */
function causeName({ condition, subject, runKey }: Cause): string {
  return [subject, condition, ...(runKey === undefined ? [] : [runKey])].join('/');
}

/** `load/deadline/2017-04-28/1493394946`: a cause that comes again, even in the same second, has another id. */
function newId({ state, at }: Draft, cause: Cause): string {
  const name = causeName(cause);
  const last = state.lastAlerts.get(name);
  const second = epochSeconds(at);
  return `${name}/${last === undefined ? second : Math.max(second, secondOf(last) + 1)}`;
}

function secondOf(id: string): number {
  return Number(id.slice(id.lastIndexOf('/') + 1));
}

/** Keeps and publishes what has become of an alert. Where it cannot be published, its state remembers that. */
function tell(
  draft: Draft,
  { id, state, traceparent }: { id: string; state: Alert['state']; traceparent?: string | undefined },
  alert: AlertState,
): void {
  if (draft.state.alertsWithheld) {
    keep(draft, id, { ...alert, owed: alert.owed === undefined ? state : 'both' });
    return;
  }
  publish(draft, { id, state, traceparent }, alert);
  keep(draft, id, alert);
}

function publish(
  draft: Draft,
  { id, state, traceparent }: { id: string; state: Alert['state']; traceparent?: string | undefined },
  { condition, subject, runKey, text, next, since, over }: AlertState,
): void {
  const { hippo, identity } = draft.definition;
  draft.publishAlert(
    {
      kind: 'alert',
      alertId: `${identity}/${id}`,
      state,
      condition,
      hippoName: hippo,
      subject,
      ...(runKey === undefined ? {} : { runKey }),
      since: epochSeconds(since),
      time: epochSeconds(draft.at),
      text: state === 'resolved' ? (over ?? text) : text,
      ...(next === undefined || state === 'resolved' ? {} : { next }),
      extra: {},
    },
    traceparent ?? traceFrom(`${identity}/${id}`),
  );
}

function keep(draft: Draft, id: string, alert: AlertState): void {
  draft.putAlert(id, isDone(draft, alert) ? null : alert);
}

/**
 * It is over, that is published, and each receiver has taken its end, or needs not to. A receiver that has taken nothing of it may
 * have been told of its beginning all the same, by a client that ended before that was written.
 */
function isDone({ definition }: Draft, { resolvedAt, owed, delivered = {} }: AlertState): boolean {
  if (resolvedAt === undefined || owed !== undefined) return false;
  return (definition.alerts?.receivers ?? []).every((name) => delivered[name] === 'resolved');
}

/** Publishes what could not be published before. */
export function publishOwed(draft: Draft): void {
  if (draft.state.alertsWithheld || draft.definition.alerts === undefined) return;
  for (const [id, alert] of draft.state.alerts) {
    const { owed, ...rest } = alert;
    if (owed === undefined) continue;
    if (owed !== 'resolved') publish(draft, { id, state: 'firing' }, rest);
    if (owed !== 'firing') publish(draft, { id, state: 'resolved' }, rest);
    keep(draft, id, rest);
  }
}

/** Notes what receivers have taken, or need not be told. An alert that is gone needs nothing. */
export function takeDeliveries(draft: Draft, deliveries: readonly AlertDelivery[]): void {
  for (const { alert: id, receiver, state } of deliveries) {
    const alert = draft.state.alerts.get(id);
    if (alert === undefined || alert.delivered?.[receiver] === state) continue;
    keep(draft, id, { ...alert, delivered: { ...alert.delivered, [receiver]: state } });
  }
}

/**
 * After hippo.yaml may have changed: ends the alerts of what it does not have any more, and those of runs that were removed from the
 * state. Without `alerts` in it, all are forgotten: no message is published.
 */
export function reviewAlerts(draft: Draft): void {
  const { alerts: configured } = draft.definition;
  for (const [id, alert] of draft.state.alerts) {
    if (configured === undefined) draft.putAlert(id, null);
    else if (alert.resolvedAt !== undefined) keep(draft, id, alert);
    else if (isOfRun(alert)) reviewRun(draft, id, alert);
  }
}

/** Ends the alerts of windows for which nothing has landed for as long as runs are remembered, and forgets past causes. */
export function forgetAlerts(draft: Draft, horizon: Millis): void {
  for (const [id, alert] of draft.state.alerts) {
    if (alert.condition !== 'absent' || alert.runKey === undefined || alert.since >= horizon) continue;
    const run = { job: alert.subject, key: alert.runKey };
    if (draft.run(run) === undefined) resolveId(draft, id, `${nameOf(run)} is too old to be waited for`);
  }
  draft.forgetCauses((id) => secondOf(id) * 1000 < horizon);
}

/** Of what a run may alert, what says that it is late. A run has one of these at a time. */
const LATE = ['absent', 'deadline', 'gave-up'] as const satisfies AlertCondition[];
const OF_RUNS = [...LATE, 'failed'] as const satisfies AlertCondition[];
type RunCondition = (typeof OF_RUNS)[number];

function isOfRun(alert: AlertState): alert is AlertState & { runKey: string } {
  return alert.runKey !== undefined && OF_RUNS.some((condition) => condition === alert.condition);
}

function reviewRun(draft: Draft, id: string, alert: AlertState & { runKey: string }): void {
  const { subject, runKey, condition } = alert;
  const job = draft.definition.jobs.get(subject);
  const run = { job: subject, key: runKey };
  if (job === undefined || slotOf(draft.definition, job, runKey) === undefined)
    resolveId(draft, id, `hippo.yaml does not have ${nameOf(run)} any more`);
  else if (condition === 'absent' && !expectsWindows(job) && draft.run(run) === undefined)
    resolveId(draft, id, `${nameOf(run)} is not expected any more`);
  else if (condition !== 'absent' && draft.run(run) === undefined)
    resolveId(draft, id, `${nameOf(run)} was forgotten`);
}

/** Raises and ends the alerts of the runs that this step has changed. */
export function judgeRuns(draft: Draft): void {
  if (draft.definition.alerts === undefined) return;
  for (const { id, before, after, settled } of draft.changedRuns()) {
    const over = settled === undefined ? undefined : endOf(settled);
    if (over !== undefined) resolveRun(draft, id, OF_RUNS, over);
    if (after === undefined) resolveRun(draft, id, OF_RUNS, `${nameOf(id)} was forgotten`);
    else judgeRun(draft, before, after);
  }
}

function judgeRun(draft: Draft, before: Run | undefined, run: Run): void {
  const { status } = run;
  if (status === 'running') resolveRun(draft, run, ['gave-up'], `${nameOf(run)} has started after all`);
  if (run.deadlineMissed && before?.deadlineMissed !== true) raiseLate(draft, run, 'deadline');
  if (status === 'timed-out' && before?.status !== status) raiseLate(draft, run, 'gave-up');
  if (status === 'failed' && (before?.status !== status || before.finishedAt !== run.finishedAt))
    raiseOfRun(draft, run, 'failed', `has failed: ${run.error ?? 'it does not say why'}`);
}

/** It is said once that a run is late, and not of one that is known to have failed. */
function raiseLate(draft: Draft, run: Run, condition: 'deadline' | 'gave-up'): void {
  const isKnown = OF_RUNS.some((known) => isAlerting(draft.state, causeOf(run, known)));
  const job = draft.definition.jobs.get(run.job);
  if (isKnown || job === undefined) return;
  const words =
    condition === 'deadline'
      ? `has missed its deadline: it is ${stateOf(job, run)}`
      : `timed out: ${missing(job, run)} did not land in time`;
  raiseOfRun(draft, run, condition, words);
}

function raiseOfRun(draft: Draft, run: Run, condition: RunCondition, words: string): void {
  const { hippo, jobs } = draft.definition;
  const job = jobs.get(run.job);
  if (job === undefined) return;
  raise(draft, {
    ...causeOf(run, condition),
    text: `${nameOf(run)} ${words}`,
    next: commandsOf(hippo, run),
    traceparent: traceOf(hippo, { ...run, inputs: inOrder(job, run.inputs) }, 'alert'),
    ...(condition === 'failed' && run.finishedAt !== null ? { since: run.finishedAt } : {}),
  });
}

/** What settles a run, whatever has become of it. */
export function commandsOf(hippo: string, { job, key }: RunId): string[] {
  const which = `${hippo}/${job} --key ${shellWord(key)}`;
  return [`hippo job run ${which}`, `hippo job mark-success ${which}`];
}

function resolveRun(draft: Draft, run: RunId, conditions: readonly RunCondition[], over: string): void {
  for (const condition of conditions) resolve(draft, causeOf(run, condition), over);
}

function causeOf({ job, key }: RunId, condition: RunCondition): Cause {
  return { condition, subject: job, runKey: key };
}

function endOf(run: Run): string {
  if (run.status === 'cancelled') return `${nameOf(run)} was cancelled: ${run.error ?? 'by hand'}`;
  return `${nameOf(run)} ${run.attempt === 0 ? 'was marked as done' : 'has succeeded'}`;
}

/** The state with one more alert, as its record says. */
export function withStoredAlert(state: MachineState, id: string, alert: AlertState): MachineState {
  const name = causeName(alert);
  const last = state.lastAlerts.get(name);
  const isNewer = last === undefined || secondOf(last) < secondOf(id);
  return {
    ...state,
    alerts: state.alerts.set(id, alert),
    lastAlerts: isNewer ? state.lastAlerts.set(name, id) : state.lastAlerts,
  };
}

/** As alerts keep it: one line, not too long. It ends with a whole word: half a secret would not be recognized and masked. */
export function cut(text: string): string {
  const line = text.split('\n', 1)[0] ?? '';
  if (line.length <= TEXT_LENGTH) return line;
  const whole = line.slice(0, TEXT_LENGTH + 1).replace(/\S+$/, '');
  return `${whole.trimEnd()} …`;
}

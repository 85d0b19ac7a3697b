import { listed } from '../../core/listed.ts';
import type { Millis } from '../../core/clock.ts';
import type { JobFinish } from '../../messages/index.ts';
import { type RunState, formatStateKey } from '../../state/index.ts';
import { pullRuns } from '../pull.ts';
import { type Recovery, type Scope, type Stuck, inScope, iso } from '../recovery.ts';
import { type Snapshot, isOwned } from '../../observe/index.ts';
import { isGone } from './gone-job.ts';
import { ago, by, jobCommand, runName } from '../words.ts';

/** A run whose latest firing did not succeed. */
interface FailedRun {
  hippo: string;
  job: string;
  /** null: a hippo that does not say which run it was. */
  key: string | null;
  at: Millis;
  why: string;
  /** The same without times. */
  cause: string;
  /** Running it again may succeed: its inputs are complete, and the failure was not permanent. */
  repeatable: boolean;
  /** What must be done before it is run again. */
  first?: string;
}

/** Runs that have failed for good, or whose window timed out; a manual-run message runs them again. */
export const rerunFailedRun: Recovery = {
  id: 'rerun-failed-run',
  title: 'Failed runs',
  plan(snapshot, scope) {
    return failedRuns(snapshot, scope)
      .filter((run) => !isSettled(run, snapshot))
      .sort((a, b) => a.at - b.at)
      .map((run) => describe(run, snapshot));
  },
  pull: pullRuns,
};

/**
 * From the state where a hippo keeps one, else from the finish messages: the older clients keep none. A run that is not in a
 * state which is there was forgotten, by an operator or because it is old.
 */
function failedRuns(snapshot: Snapshot, scope: Scope): FailedRun[] {
  const known = new Set(snapshot.runs.map(({ hippo, run }) => runId(hippo, run.job, run.key)));
  const fromState = snapshot.runs.flatMap((found): FailedRun[] => {
    const { hippo, run } = found;
    if ((run.status !== 'failed' && run.status !== 'timed-out') || isGone(snapshot, found)) return [];
    return [{ hippo, job: run.job, key: run.key, ...failureOf(run, snapshot.now) }];
  });
  const latest = new Map<string, FailedRun & { success: boolean }>();
  for (const { message, at } of snapshot.finishes) {
    const { hippoName: hippo, jobName: job, runKey, isSuccess, errorMsg } = message;
    const id = runId(hippo, job, runKey ?? null);
    if (snapshot.jobs.has(hippo) || known.has(id) || hasSucceeded(snapshot, message)) continue;
    if (at <= (snapshot.forgotten.get(hippo) ?? -Infinity)) continue;
    const before = latest.get(id);
    if (before !== undefined && before.at > at) continue;
    latest.set(id, {
      hippo,
      job,
      key: runKey ?? null,
      at,
      why: `failed ${ago(snapshot.now, at)}${reason(errorMsg)}`,
      cause: `failed${reason(errorMsg)}`,
      repeatable: true,
      success: isSuccess,
    });
  }
  const fromFinishes = [...latest.values()].filter(({ success }) => !success);
  return [...fromState, ...fromFinishes].filter(({ hippo }) => inScope(scope, hippo));
}

function failureOf(
  run: RunState,
  now: Millis,
): Pick<FailedRun, 'at' | 'why' | 'cause' | 'repeatable' | 'first'> {
  const at = run.finishedAt ?? run.firstInputAt;
  if (run.status === 'timed-out') {
    const landed = Object.keys(run.inputs);
    const there = landed.length === 0 ? 'nothing has landed' : `only ${listed(landed)} landed`;
    const why = `its needs were not complete in time: ${there}`;
    return { at, repeatable: false, why, cause: why };
  }
  const attempts = run.attempt > 1 ? ` after ${run.attempt} attempts` : '';
  const why = `failed ${ago(now, at)}${attempts}${reason(run.error)}`;
  const cause = `failed${reason(run.error)}`;
  return run.permanent === true
    ? { at, repeatable: false, why, cause, first: 'after the cause is repaired: as it is, it fails again' }
    : { at, repeatable: true, why, cause };
}

/** An operator has said since that it counts as done: the older clients keep no state to say so in. */
function isSettled({ hippo, job, key, at }: FailedRun, { requests }: Snapshot): boolean {
  return requests.some(
    ({ message, at: asked }) =>
      message.action === 'mark_success' &&
      message.hippoName === hippo &&
      message.jobName === job &&
      (message.runKey ?? null) === key &&
      asked > at,
  );
}

function describe(run: FailedRun, snapshot: Snapshot): Stuck {
  const { hippo, job, key, at } = run;
  const owned = isOwned(snapshot, hippo);
  const asked = snapshot.requests.findLast(
    ({ message, at: when }) =>
      message.action === 'run' &&
      message.hippoName === hippo &&
      message.jobName === job &&
      (message.runKey ?? null) === key &&
      when > at,
  );
  const pause = snapshot.paused.find((paused) => paused.hippo === hippo && paused.job === job);
  const notes = [
    asked === undefined ? '' : `asked again ${ago(snapshot.now, asked.at)}${by(asked.message.by)}`,
    pause === undefined ? '' : `its job is paused${by(pause.by)}`,
    owned || !snapshot.withRuns.has(hippo) ? '' : 'no client of its hippo runs',
  ].filter((note) => note !== '');
  return {
    recovery: 'rerun-failed-run',
    hippo,
    job,
    run_key: key,
    what: runName(hippo, job, key),
    why: run.why,
    notes,
    cause: run.cause,
    command: `${jobCommand('run', { hippo, job, key })}${run.first === undefined ? '' : `    (${run.first})`}`,
    since: iso(at),
    // A run without all its inputs is a person's decision; one that waits for its client has been asked for already.
    pull: run.repeatable && (asked === undefined || owned),
    events: [],
  };
}

/** As the state of a hippo has it that does not say which jobs it has. */
function hasSucceeded(
  { succeeded }: Snapshot,
  { hippoName: hippo, jobName: job, runKey: key }: JobFinish,
): boolean {
  return key !== undefined && succeeded.has(formatStateKey({ kind: 'run', hippo, job, key }));
}

function runId(hippo: string, job: string, key: string | null): string {
  return JSON.stringify([hippo, job, key]);
}

/** The first line of what went wrong. */
function reason(text: string | undefined): string {
  const line = text?.split('\n').find((candidate) => candidate.trim() !== '');
  return line === undefined ? '' : `: ${line.trim()}`;
}

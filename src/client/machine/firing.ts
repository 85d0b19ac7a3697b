/** The life of a run from complete to finished: which run may start, which messages it publishes, what follows the end of an attempt. */
import { type Millis, epochSeconds } from '../../core/clock.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import { listed } from '../../core/listed.ts';
import { shellWord } from '../../core/shell.ts';
import type { JobStart, ReceivedMessage } from '../../messages/types.ts';
import { inOrder, isComplete, type JobDefinition } from './definition.ts';
import type { Draft } from './draft.ts';
import { outputProblem, produce } from './outputs.ts';
import { type Inputs, isFiring, isStartable, NO_INPUTS, omit, type Run } from './state.ts';
import { byUrgency } from './order.ts';
import { attemptIdOf, submissionOf } from './submission.ts';
import { backoff, nameOf, slotFor } from './timing.ts';
import { traceOf } from './trace.ts';
import { attemptOf, buildProblem, modelFileOf, modelOf, takeVersion } from './versions.ts';
import type { RunId } from '../../state/index.ts';
import type { JobOutcome } from './types.ts';

/** A new run. */
export function newRun({ job, key }: RunId, inputs: Inputs, at: Millis): Run {
  return {
    job,
    key,
    status: 'waiting',
    jobId: null,
    attempt: 0,
    failures: 0,
    attemptId: null,
    inputs,
    relanded: NO_INPUTS,
    firstInputAt: at,
    startedAt: null,
    attemptAt: null,
    finishedAt: null,
    notBefore: null,
    deadlineMissed: false,
  };
}

/** The same run, before a further firing. Of the last one it keeps the ids and times. */
export function renewed(run: Run, inputs: Inputs, at: Millis): Run {
  const { jobId, startedAt, finishedAt } = run;
  return { ...newRun(run, inputs, at), jobId, startedAt, finishedAt };
}

/** Puts a run that is not firing: it waits, or is ready to start. */
export function settle(draft: Draft, job: JobDefinition, run: Run): void {
  const { mostNeeds } = draft.definition;
  if (job.needs.length > mostNeeds) {
    const error = `it has ${job.needs.length} needs; a run may have ${mostNeeds}`;
    draft.notice('error', `${nameOf(run)} failed: ${error}`, run);
    end(draft, job, { ...run, permanent: true }, { status: 'failed', error });
    return;
  }
  if (run.manual === undefined && !isComplete(job, run.inputs)) {
    draft.putRun(job, run.status === 'waiting' ? run : { ...run, status: 'waiting' });
    return;
  }
  if (run.status !== 'ready' && run.manual === undefined && isDropping(draft, job)) {
    end(draft, job, run, { status: 'cancelled', error: 'it became ready while its job was paused' });
    return;
  }
  draft.putRun(job, run.status === 'ready' ? run : { ...run, status: 'ready' });
}

function isDropping(draft: Draft, job: JobDefinition): boolean {
  return job.policy.while_paused === 'drop' && draft.pauseOf(job) !== undefined;
}

/**
 * Starts this run if it may. After an event about one run, no other run can have become ready, so the backlog is not
 * searched.
 */
export function startOne(draft: Draft, job: JobDefinition, id: RunId): void {
  const run = draft.run(id);
  if (run !== undefined && hasPlace(draft, job) && mayStart(draft, run)) start(draft, job, run);
}

/** Starts as many of the ready runs as there are places. */
export function fillPlaces(draft: Draft, job: JobDefinition): void {
  if (!hasPlace(draft, job)) return;
  let ready = draft.openRuns(job).filter((run) => mayStart(draft, run));
  while (ready.length > 0) {
    const next = smallest(ready, placesOf(draft, job), byUrgency(draft, job));
    for (const run of next) start(draft, job, run);
    if (!hasPlace(draft, job)) return;
    // One of them could not be started, and left its place.
    ready = ready.filter((run) => !next.includes(run));
  }
}

/** The `count` smallest in order, without sorting a backlog of many. */
function smallest<T>(items: readonly T[], count: number, compare: (a: T, b: T) => number): T[] {
  if (count >= items.length) return items.toSorted(compare);
  const found: T[] = [];
  for (const item of items) {
    const last = found.at(-1);
    if (found.length === count && last !== undefined && compare(item, last) >= 0) continue;
    if (found.length === count) found.pop();
    const place = found.findLastIndex((other) => compare(other, item) <= 0);
    found.splice(place + 1, 0, item);
  }
  return found;
}

function hasPlace(draft: Draft, job: JobDefinition): boolean {
  return placesOf(draft, job) > 0;
}

/** How many more runs of the job may run. */
function placesOf(draft: Draft, job: JobDefinition): number {
  return job.policy.concurrency - draft.runs(job).running.size;
}

function mayStart(draft: Draft, run: Run): boolean {
  return isStartable(draft.state, run) && (run.notBefore === null || run.notBefore <= draft.at);
}

function start(draft: Draft, job: JobDefinition, run: Run): void {
  const { hippo, identity } = draft.definition;
  const isFirst = run.attempt === 0;
  const jobId = isFirst || run.jobId === null ? nextJobId(draft, job) : run.jobId;
  const attempt = run.attempt + 1;
  const attemptId = attemptIdOf(identity, run, jobId, attempt);
  const model = modelOf(draft.definition, job.name);
  const running = {
    ...run,
    status: 'running' as const,
    jobId,
    attempt,
    attemptId,
    startedAt: isFirst ? draft.at : run.startedAt,
    attemptAt: draft.at,
    notBefore: null,
    ...(model === undefined ? {} : { build: attemptOf(draft, model, run, attemptId) }),
  };
  draft.putRun(job, running);
  const traceparent = traceOf(hippo, { ...running, inputs: inOrder(job, running.inputs) }, 'start');
  if (isFirst) {
    draft.publish(
      'start',
      {
        kind: 'start',
        hippoName: hippo,
        jobName: job.name,
        jobId,
        startTime: epochSeconds(draft.at),
        runKey: run.key,
        ...receivedBy(job, running),
        extra: byHand(running, 'asked_by'),
      },
      traceparent,
    );
  }
  const submission = submissionOf(draft.definition, job, slotFor(draft.definition, job, run), {
    run: running,
    traceparent,
    lastResult: job.policy.keep_result ? (draft.state.lastResults.get(job.name)?.result ?? null) : null,
    model: model === undefined ? undefined : modelFileOf(draft, model, running),
  });
  if (submission.ok) draft.submit(submission.value);
  else end(draft, job, running, { status: 'failed', error: submission.message });
}

/** An attempt has ended by itself, or as it was asked to. */
export function endAttempt(draft: Draft, job: JobDefinition, run: Run, outcome: JobOutcome): void {
  const { stopping } = run;
  if (outcome.status === 'succeeded') {
    const result = outcome.result ?? undefined;
    const unbuilt = buildProblem(draft.definition, run, result);
    const problem = outputProblem(draft, job, run, result);
    if (unbuilt !== undefined) failAttempt(draft, job, run, { error: unbuilt, isPermanent: false });
    else if (problem !== undefined) failAttempt(draft, job, run, { error: problem, isPermanent: true });
    else end(draft, job, run, { status: 'succeeded', ...(result === undefined ? {} : { result }) });
  } else if (outcome.status === 'vetoed') {
    end(draft, job, run, { status: 'cancelled', error: `vetoed: ${outcome.reason}` });
  } else if (stopping?.cause === 'cancel') {
    end(draft, job, run, { status: 'cancelled', error: reasonOf(outcome, stopping.reason) });
  } else if (outcome.status === 'failed' || stopping?.cause === 'timeout') {
    failAttempt(draft, job, run, {
      error: reasonOf(outcome, stopping?.reason),
      isPermanent: run.permanent === true || (outcome.status === 'failed' && outcome.permanent === true),
    });
  } else {
    end(draft, job, run, { status: 'cancelled', error: outcome.reason });
  }
}

/** The reason that was given for stopping, with what the end of the process adds to it. */
function reasonOf(outcome: Extract<JobOutcome, { status: 'failed' | 'cancelled' }>, asked?: string): string {
  const text = outcome.status === 'failed' ? outcome.error : outcome.reason;
  return asked === undefined || text.startsWith(asked) ? text : `${asked}\n${text}`;
}

function failAttempt(
  draft: Draft,
  job: JobDefinition,
  run: Run,
  { error, isPermanent }: { error: string; isPermanent: boolean },
): void {
  const failures = run.failures + 1;
  if (isPermanent || failures > job.policy.retries.attempts) {
    const failed: Run = isPermanent ? { ...run, failures, permanent: true } : { ...run, failures };
    end(draft, job, failed, { status: 'failed', error });
    return;
  }
  draft.putRun(job, {
    ...omit(run, 'stopping'),
    status: 'ready',
    failures,
    attemptAt: null,
    notBefore: draft.at + backoff(job, failures),
    error: firstLine(error),
  });
}

/**
 * The process of a running attempt ended with the client that owned it. That does not count as a failure of the job.
 */
export function loseAttempt(draft: Draft, job: JobDefinition, run: Run): void {
  const { stopping } = run;
  if (stopping !== undefined) {
    endAttempt(draft, job, run, { status: 'cancelled', reason: stopping.reason });
    return;
  }
  draft.putRun(job, { ...run, status: 'ready', attemptAt: null, notBefore: null });
}

interface End {
  status: 'succeeded' | 'failed' | 'cancelled';
  error?: string;
  /** What the job has written as its result. */
  result?: Json;
  /** Marked as done by an operator; it did not run. */
  marked?: boolean;
}

/**
 * A run comes to its end. If it was firing, its one finish message says so; downstream hippos react to success only. What
 * landed again meanwhile follows the job's policy.
 */
export function end(
  draft: Draft,
  job: JobDefinition,
  run: Run,
  { status, error, result, marked = false }: End,
): void {
  const finishTime = finishSecond(draft.at, run);
  const ended: Run = {
    ...omit(run, 'stopping', 'error'),
    status,
    finishedAt: Math.max(draft.at, finishTime * 1000),
    attemptAt: null,
    notBefore: null,
    ...(error === undefined ? {} : { error: firstLine(error) }),
  };
  if (isFiring(run) && hasJobId(run)) {
    if (status === 'succeeded' && result !== undefined && job.policy.keep_result)
      draft.putLastResult(job, { jobId: run.jobId, result });
    const traceparent = traceOf(
      draft.definition.hippo,
      { ...run, inputs: inOrder(job, run.inputs) },
      'finish',
    );
    const built = status === 'succeeded' && !marked ? takeVersion(draft, run, result, traceparent) : {};
    const produced = status === 'succeeded' ? produce(draft, job, run, { result, finishTime, marked }) : {};
    draft.publish(
      'finish',
      {
        kind: 'finish',
        hippoName: draft.definition.hippo,
        jobName: job.name,
        jobId: run.jobId,
        isSuccess: status === 'succeeded',
        finishTime,
        durationTime: Math.max(0, Math.round((draft.at - (run.startedAt ?? draft.at)) / 1000)),
        runKey: run.key,
        ...receivedBy(job, run),
        ...(error === undefined ? {} : { errorMsg: error }),
        extra: {
          ...(result === undefined ? {} : { result }),
          ...produced,
          ...built,
          ...(status === 'cancelled' ? { cancelled: true } : {}),
          ...byHand(run, marked ? 'marked_by' : 'asked_by'),
        },
      },
      traceparent,
    );
  }
  draft.putRun(job, { ...ended, relanded: NO_INPUTS });
  if (run.relanded.size > 0) {
    // After a cancellation the run must not start again at once.
    reland(draft, job, ended, run.stopping?.cause === 'cancel' ? 'hold' : job.policy.on_reland);
  }
}

function hasJobId(run: Run): run is Run & { jobId: string } {
  return run.jobId !== null;
}

/** Inputs of a run that has ended have landed again: those in `run.relanded`. */
export function reland(
  draft: Draft,
  job: JobDefinition,
  run: Run,
  policy: 'rerun' | 'hold' | 'ignore',
): void {
  if (policy === 'ignore' || isDropping(draft, job)) return;
  const landed = (): Inputs => draft.inputsFor(job, slotFor(draft.definition, job, run));
  if (policy === 'rerun') {
    const inputs = landed();
    if (isComplete(job, inputs)) settle(draft, job, renewed(run, inputs, draft.at));
    return;
  }
  if (!isComplete(job, run.inputs) && !isComplete(job, landed())) return;
  const held = `${listed([...run.relanded.keys()])} landed again after the run`;
  draft.putRun(job, { ...run, held });
  const which = `${draft.definition.hippo}/${job.name} --key ${shellWord(run.key)}`;
  draft.notice(
    'warning',
    `${nameOf(run)} is held until an operator decides: ${held}. To run it again: hippo job run ${which}. To accept it as it is: hippo job mark-success ${which}`,
    run,
  );
}

/** So many messages are listed in a start or finish; of more it has the number, and the state has the rest. */
const MOST_LISTED = 100;

/** The messages that a run was started with: its inputs, and the request where it was asked for by hand. */
function receivedBy(
  job: JobDefinition,
  { inputs, manual }: Run,
): Pick<JobStart, 'receiveMsgs' | 'receiveCount'> {
  const receiveCount = inputs.size + (manual === undefined ? 0 : 1);
  // A timed run has received nothing.
  if (receiveCount === 0) return {};
  if (receiveCount > MOST_LISTED) return { receiveCount };
  const received = inOrder(job, inputs).map(
    ({ topic, topicId, partition, offset, need, traceparent }): ReceivedMessage => ({
      topic,
      ...(topicId === undefined ? {} : { topicId }),
      partition,
      offset,
      need,
      ...(traceparent === undefined ? {} : { traceparent }),
    }),
  );
  return { receiveMsgs: manual === undefined ? received : [...received, manual.from] };
}

/** Who asked for it, and why, where it was asked for by hand. */
function byHand({ manual }: Run, name: 'asked_by' | 'marked_by'): JsonObject {
  if (manual === undefined) return {};
  const { by = 'unknown', reason } = manual;
  return { [name]: by, ...(reason === undefined ? {} : { reason }) };
}

/** `<job>_<epoch s>`: unique and rising. */
export function nextJobId(draft: Draft, job: JobDefinition): string {
  return `${job.name}_${Math.max(epochSeconds(draft.at), draft.runs(job).lastId + 1)}`;
}

/** Downstream hippos tell a new finish from an old one by its second, so a run never has two in the same second. */
function finishSecond(at: Millis, { finishedAt }: Run): number {
  return Math.max(epochSeconds(at), finishedAt === null ? 0 : epochSeconds(finishedAt) + 1);
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}

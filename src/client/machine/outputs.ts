/** The events of what jobs have written: published with the finish message of each success, in the same step. */
import { epochSeconds } from '../../core/clock.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import { listed } from '../../core/listed.ts';
import {
  type ProducedEvent,
  partitionPath,
  partitionProblem,
  producedByField,
  producedField,
} from '../../messages/index.ts';
import type { FrontierEvent, Partition } from '../../messages/types.ts';
import {
  type AnnouncementChange,
  type LandingHash,
  countAnnouncements,
  eachAnnouncement,
  findAnnouncement,
  fingerprintOf,
  landingHash,
} from '../../state/index.ts';
import { type JobDefinition, type OutputDefinition, inOrder, tableSubject } from './definition.ts';
import type { Draft } from './draft.ts';
import { isForgotten } from './sources.ts';
import type { Run } from './state.ts';
import { contextOf } from './submission.ts';
import { nameOf, slotFor } from './timing.ts';
import { traceOf } from './trace.ts';

/** How a run succeeded. */
interface Success {
  /** What the job has written as its result; undefined: nothing, or no job has run. */
  result: Json | undefined;
  /** Epoch seconds of its finish message: rising from one firing of a run to the next. */
  finishTime: number;
  /** Marked as done by an operator. */
  marked: boolean;
}

/** @returns why the outputs of this run cannot be published, one line; undefined: they can */
export function outputProblem(
  draft: Draft,
  job: JobDefinition,
  run: Run,
  result: Json | undefined,
): string | undefined {
  for (const output of job.outputs) {
    const rendered = partitionOf(draft, job, run, { output, result });
    if (!rendered.ok) return `its output ${tableOf(output)} cannot be published: ${rendered.problem}`;
  }
  return undefined;
}

/**
 * Publishes an event of each output of a run that succeeds. Of a run that is marked as done what cannot be rendered is left
 * out, and a notice names it.
 *
 * @returns what the finish message says of them
 */
export function produce(
  draft: Draft,
  job: JobDefinition,
  run: Run & { jobId: string },
  { result, finishTime, marked }: Success,
): JsonObject {
  const produced: ProducedEvent[] = [];
  const left: string[] = [];
  for (const output of job.outputs) {
    const rendered: Rendered =
      marked && output.needsResult
        ? { ok: false, problem: 'it needs the result of the job, which has not run' }
        : partitionOf(draft, job, run, { output, result });
    if (rendered.ok) produced.push(publish(draft, run, { job, output, finishTime, ...rendered }));
    else left.push(`${tableOf(output)} (${rendered.problem})`);
  }
  if (left.length > 0)
    draft.notice(
      'warning',
      `${nameOf(run)} is marked as done, and no event is published of ${listed(left)}`,
      run,
    );
  return producedField(produced);
}

/**
 * Forgets the events that are older than `keep`. Those of a job that is gone from hippo.yaml go together, when the last one is
 * old: until then its records are not written, for `hippo forget` may have removed them.
 */
export function dropOutputs(draft: Draft): void {
  for (const [job, announcements] of draft.state.outputs) {
    const changes: AnnouncementChange[] = [];
    eachAnnouncement(announcements, (hash, { unlistedSince }) => {
      if (unlistedSince !== null && isForgotten(draft, unlistedSince)) changes.push({ hash, to: null });
    });
    if (draft.definition.jobs.has(job)) draft.changeOutputs(job, changes);
    else if (changes.length === countAnnouncements(announcements)) draft.forgetOutputs(job);
  }
}

type Rendered = { ok: true; partition: Partition } | { ok: false; problem: string };

function partitionOf(
  { definition }: Draft,
  job: JobDefinition,
  run: Run,
  { output, result }: { output: OutputDefinition; result: Json | undefined },
): Rendered {
  const context = { ...contextOf(definition, job, slotFor(definition, job, run), run), result };
  const partition: { name: string; value: string }[] = [];
  for (const { name, value } of output.levels) {
    const text = value.render(context);
    if (!text.ok) return { ok: false, problem: `${name}: ${text.message}` };
    partition.push({ name, value: text.value });
  }
  const problem = partitionProblem(partition, output.dialect);
  return problem === undefined ? { ok: true, partition } : { ok: false, problem };
}

/** @param execDate epoch seconds */
export function outputEvent(
  { db, table, method, dialect }: OutputDefinition,
  partition: Partition,
  execDate: number,
): FrontierEvent {
  return { kind: 'frontier', dialect, db, table, partitions: [partition], method, execDate, extra: {} };
}

interface Publication {
  job: JobDefinition;
  output: OutputDefinition;
  partition: Partition;
  finishTime: number;
}

/**
 * Its exec_date is the second of the finish message, but later than that of the event before of the same partition, whichever
 * run or job of this hippo it was of: consumers take an equal exec_date for a duplicate.
 */
function publish(
  draft: Draft,
  run: Run & { jobId: string },
  { job, output, partition, finishTime }: Publication,
): ProducedEvent {
  const { hippo } = draft.definition;
  const hash = hashOf(output, partition);
  const execDate = Math.max(finishTime, lastExecDate(draft, hash) + 1);
  draft.changeOutputs(job.name, [
    {
      hash,
      to: { fingerprint: fingerprintOf(run.jobId), execDate, unlistedSince: epochSeconds(draft.at) },
    },
  ]);
  const by = { hippoName: hippo, jobName: job.name, jobId: run.jobId };
  draft.announce(
    { ...outputEvent(output, partition, execDate), extra: producedByField(by) },
    traceOf(hippo, { ...run, inputs: inOrder(job, run.inputs) }, 'finish'),
  );
  const event = { table: tableOf(output), partition: partitionPath(partition), execDate };
  draft.produced(run, run.jobId, event);
  return event;
}

/** Of all jobs: two of them may produce the same partition. */
function lastExecDate({ state }: Draft, hash: LandingHash): number {
  let last = -1;
  for (const announcements of state.outputs.values())
    last = Math.max(last, findAnnouncement(announcements, hash)?.execDate ?? -1);
  return last;
}

/** Hive and Spark ignore case in names of tables and levels. */
function hashOf({ db, table }: OutputDefinition, partition: Partition): LandingHash {
  const levels = partition.map(({ name, value }) => ({ name: name.toLowerCase(), value }));
  return landingHash(`${tableSubject(db, table)} ${partitionPath(levels)}`);
}

function tableOf({ db, table }: Pick<OutputDefinition, 'db' | 'table'>): string {
  return `${db}.${table}`;
}

import type { Json, JsonObject } from '../../core/json.ts';
import { parsePartitionPath } from '../../messages/index.ts';
import { type Definition, inOrder, type JobDefinition, type Slot } from './definition.ts';
import { type ArgumentContext, type TemplateResult, WindowDate } from '../../windows/index.ts';
import { hash, slug } from './text.ts';
import type { Run } from './state.ts';
import type { Submission } from './types.ts';

/** Everything that starting this attempt takes; a problem where an argument cannot be rendered. */
export function submissionOf(
  definition: Definition,
  job: JobDefinition,
  slot: Slot,
  {
    run,
    traceparent,
    lastResult,
    model,
  }: {
    run: Run & { jobId: string; attemptId: string };
    traceparent: string;
    lastResult: Json | null;
    model: JsonObject | undefined;
  },
): TemplateResult<Submission> {
  const context = contextOf(definition, job, slot, run);
  const argv = [...job.program];
  for (const [index, template] of job.args.entries()) {
    const text = template.render(context);
    if (!text.ok) return { ...text, message: `argument ${index + 1}: ${text.message}` };
    argv.push(text.value);
  }
  const env: [name: string, value: string][] = [];
  for (const [name, template] of job.env) {
    const text = template.render(context);
    if (!text.ok) return { ...text, message: `variable ${name}: ${text.message}` };
    env.push([name, text.value]);
  }
  return {
    ok: true,
    value: {
      job: job.name,
      key: run.key,
      jobId: run.jobId,
      attempt: run.attempt,
      attemptId: run.attemptId,
      window: slot.window === null ? null : { start: slot.window.start, end: slot.window.end },
      argv,
      env: Object.fromEntries(env),
      inputs: inOrder(job, run.inputs),
      timeout: job.policy.timeout ?? null,
      traceparent,
      lastResult,
      ...(model === undefined ? {} : { model }),
    },
  };
}

/**
 * Fits file names, YARN tags and Kubernetes labels (63 characters); the same for the same attempt for ever.
 *
 * @param identity `<prefix>/<name>` of the hippo: two hippos of one name may start the same run in the same second
 */
export function attemptIdOf(
  identity: string,
  { job, key }: { job: string; key: string },
  jobId: string,
  attempt: number,
): string {
  const second = jobId.slice(jobId.lastIndexOf('_') + 1);
  const id = hash(JSON.stringify([identity, job, key, jobId, attempt]));
  return [slug(job, 28), second, String(attempt), id].filter((part) => part !== '').join('-');
}

/** Whether the id is that of an attempt of this run. Its job ids are `<job>_<epoch s>`. */
export function isAttemptOf(identity: string, run: { job: string; key: string }, attemptId: string): boolean {
  const [, second, attempt] = /(\d+)-(\d+)-[^-]+$/.exec(attemptId) ?? [];
  if (second === undefined || attempt === undefined) return false;
  return attemptIdOf(identity, run, `${run.job}_${second}`, Number(attempt)) === attemptId;
}

/** What the templates of a run may speak of. */
export function contextOf(
  { hippo, calendar }: Definition,
  job: JobDefinition,
  slot: Slot,
  run: Pick<Run, 'inputs'>,
): ArgumentContext {
  const landed = job.needs.flatMap(({ id }) => run.inputs.get(id) ?? []);
  const values = landed.map((input) => input.values);
  return {
    hippo,
    job: job.name,
    key: slot.key,
    window: slot.window === null ? undefined : WindowDate.of(slot.window, calendar.units),
    // What comes first in the file decides; a run by hand has what its missing inputs would have brought.
    partition: Object.assign({}, ...[...values, ...expectedValues(job, slot)].reverse()) as Record<
      string,
      string
    >,
    needs: Object.fromEntries(landed.map((input) => [input.need, input.values])),
  };
}

/** The named levels of the partitions that the run's needs are about. */
function expectedValues(job: JobDefinition, slot: Slot): Record<string, string>[] {
  return job.needs.map((need) =>
    Object.fromEntries(
      (parsePartitionPath(need.expects(slot)) ?? [])
        .filter(({ name }) => name !== '')
        .map(({ name, value }) => [name, value]),
    ),
  );
}

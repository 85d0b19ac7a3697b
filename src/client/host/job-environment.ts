import type { YarnConfig } from '../../config/schema.ts';
import type { StackEnvironment } from '../../config/stack-file.ts';
import type { HookDecision } from '../hooks.ts';
import type { Submission } from '../machine/types.ts';
import { MAX_INPUTS_VARIABLE } from './inputs-file.ts';
import { sparkDefaults } from './spark-mode.ts';
import { ATTEMPT_TAG, OWNER_TAG, SPARK_TAGS, sparkTags } from './tags.ts';

/** The files of one attempt. */
export interface AttemptPaths {
  /** Where the job may write its result. */
  result: string;
  inputs: { path: string; json: string };
  /** Of a job that builds a model: what it is to build. */
  model?: string | undefined;
}

export interface JobEnvironmentOptions {
  hippo: string;
  owner: string;
  sparkSubmit: string | null;
  /** Variables of the local stack that the client's own environment does not have. */
  environment: StackEnvironment;
  yarn: YarnConfig;
}

/**
 * The variables of an attempt's process, added to the client's own (docs/SPARK.md lists them); undefined removes one. What
 * hippo.yaml and a hook set replaces hippo's defaults for Spark, but never the variables that identify the attempt.
 */
export function jobEnvironment(
  { hippo, owner, sparkSubmit, environment, yarn }: JobEnvironmentOptions,
  submission: Submission,
  decision: Exclude<HookDecision, { veto: string }>,
  files: AttemptPaths,
): Record<string, string | undefined> {
  const { window, traceparent } = submission;
  const given = { ...submission.env, ...decision.env };
  const { owner: ofHippo, run, firing, attempt } = sparkTags(owner, submission);
  return {
    ...environment,
    ...(sparkSubmit === null ? {} : { SPARK_SUBMIT: sparkSubmit }),
    ...sparkDefaults(yarn, { ...process.env, ...given }),
    ...given,
    HIPPO_NAME: hippo,
    HIPPO_JOB: submission.job,
    HIPPO_JOB_ID: submission.jobId,
    HIPPO_RUN_KEY: submission.key,
    HIPPO_ATTEMPT: String(submission.attempt),
    HIPPO_WINDOW_START: window === null ? '' : new Date(window.start).toISOString(),
    HIPPO_WINDOW_END: window === null ? '' : new Date(window.end).toISOString(),
    HIPPO_INPUTS: Buffer.byteLength(files.inputs.json) > MAX_INPUTS_VARIABLE ? undefined : files.inputs.json,
    HIPPO_INPUTS_FILE: files.inputs.path,
    HIPPO_TRACEPARENT: traceparent ?? '',
    HIPPO_RESULT_FILE: files.result,
    HIPPO_MODEL_FILE: files.model,
    HIPPO_LAST_RESULT: submission.lastResult === null ? undefined : JSON.stringify(submission.lastResult),
    [ATTEMPT_TAG]: submission.attemptId,
    [OWNER_TAG]: owner,
    [SPARK_TAGS]: [ofHippo, run, firing, attempt].join(','),
  };
}

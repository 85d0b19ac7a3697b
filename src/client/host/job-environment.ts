import type { YarnConfig } from '../../config/schema.ts';
import type { HookDecision } from '../hooks.ts';
import type { Submission } from '../machine/types.ts';
import { sparkDefaults } from './spark-mode.ts';
import { ATTEMPT_TAG, OWNER_TAG, SPARK_TAGS, sparkTags } from './tags.ts';

export interface JobEnvironmentOptions {
  hippo: string;
  owner: string;
  sparkSubmit: string | null;
  yarn: YarnConfig;
}

/**
 * The variables of an attempt's process, on top of the client's own (docs/SPARK.md lists them). What hippo.yaml and a hook
 * say comes before what hippo would suggest; what names the attempt is nobody else's to say.
 */
export function jobEnvironment(
  { hippo, owner, sparkSubmit, yarn }: JobEnvironmentOptions,
  submission: Submission,
  decision: Exclude<HookDecision, { veto: string }>,
  resultFile: string,
): Record<string, string> {
  const { window, traceparent } = submission;
  const given = { ...submission.env, ...decision.env };
  const { owner: ofHippo, run, firing, attempt } = sparkTags(owner, submission);
  return {
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
    HIPPO_INPUTS: JSON.stringify(submission.inputs),
    HIPPO_TRACEPARENT: traceparent ?? '',
    HIPPO_RESULT_FILE: resultFile,
    [ATTEMPT_TAG]: submission.attemptId,
    [OWNER_TAG]: owner,
    [SPARK_TAGS]: [ofHippo, run, firing, attempt].join(','),
  };
}

import type { Recovery } from '../recovery.ts';
import { goneJob } from './gone-job.ts';
import { heldRun } from './held-run.ts';
import { ownerGone } from './owner-gone.ts';
import { pausedJob } from './paused-job.ts';
import { rerunFailedRun } from './rerun-failed-run.ts';
import { unansweredTrigger } from './unanswered-trigger.ts';

/** In the order of the plan: what `--pull` can do comes first. */
export const recoveries: readonly Recovery[] = [
  rerunFailedRun,
  goneJob,
  heldRun,
  pausedJob,
  ownerGone,
  unansweredTrigger,
];

/**
 * Runs of the state that hippo.yaml does not have any more: their job was removed or renamed, or has other windows now. They
 * cannot be run. Requests settle them, so that they are not reported for ever.
 */
import type { ManualRequest, MessageRef } from '../../messages/types.ts';
import type { JobDefinition } from './definition.ts';
import type { Draft } from './draft.ts';
import { end, nextJobId, renewed } from './firing.ts';
import { cancelReason, refuse, requesterOf } from './request-words.ts';
import { isFiring, NO_INPUTS, omit, type Run } from './state.ts';
import { nameOf } from './timing.ts';

/** Meets a request about such a run, or refuses it. */
export function settleGone(
  draft: Draft,
  found: Run,
  { request, from }: { request: ManualRequest; from: MessageRef },
): void {
  const { action } = request;
  const name = nameOf(found);
  if (action !== 'cancel' && action !== 'mark_success') {
    refuse(draft, request, `hippo.yaml does not have ${name} any more: mark it as done, or cancel it`);
    return;
  }
  if (found.held === undefined && (found.status === 'succeeded' || found.status === 'cancelled')) {
    refuse(draft, request, `${name} has ended: ${found.status}`);
    return;
  }
  const job = goneJob(found);
  // Its process was ended at the takeover, as that of every run that the client does not continue.
  const isRunning = found.status === 'running';
  const known: Run = { ...omit(found, 'held', 'stopping'), attemptId: null, relanded: NO_INPUTS };
  const run: Run = isRunning ? { ...known, status: 'ready' } : known;
  draft.adopt(job, run);
  if (run.status === 'succeeded') return;
  if (action === 'cancel') {
    end(draft, job, run, { status: 'cancelled', error: cancelReason(request) });
    return;
  }
  const manual = { ...requesterOf(request), from, marked: true as const };
  const marked: Run = isFiring(run)
    ? { ...run, manual }
    : {
        ...renewed(run, run.inputs, draft.at),
        status: 'running',
        jobId: nextJobId(draft, job),
        startedAt: draft.at,
        manual,
      };
  end(draft, job, marked, { status: 'succeeded', marked: true });
}

/** A job as far as it takes to end its runs: nothing of it is started. */
function goneJob({ job: name, apart }: Run): JobDefinition {
  return {
    name,
    unit: null,
    groups: [],
    needs: [],
    least: 0,
    isLarge: apart === true,
    program: [],
    args: [],
    env: [],
    outputs: [],
    policy: {
      expected: false,
      retries: { attempts: 0, backoff: 0, max_backoff: 0 },
      concurrency: 0,
      on_reland: 'ignore',
      while_paused: 'keep',
      keep_result: false,
    },
  };
}

/** Requests on hippo-schedule. A request that cannot be met becomes a warning that says why, and changes nothing. */
import type { Millis } from '../../core/clock.ts';
import type { ManualRequest, MessageRef } from '../../messages/types.ts';
import type { Pause } from '../../state/index.ts';
import { fresh, newestSlot, runByHand, slotByHand } from './by-hand.ts';
import type { JobDefinition, ServiceDefinition, Slot, SourceDefinition } from './definition.ts';
import type { Draft } from './draft.ts';
import { end, fillPlaces, nextJobId, startOne } from './firing.ts';
import { settleGone } from './gone.ts';
import { noteResumed } from './models.ts';
import { cancelReason, refuse, requesterOf } from './request-words.ts';
import { isFiring, isOpen, NO_INPUTS, omit, type Run } from './state.ts';
import { nameOf, slotOf } from './timing.ts';

/** @param written the timestamp of the request's record, not later than now */
export function applyRequest(
  draft: Draft,
  request: ManualRequest,
  { from, written }: { from: MessageRef; written: Millis },
): void {
  const gone =
    request.runKey === undefined ? undefined : draft.goneRun({ job: request.jobName, key: request.runKey });
  if (gone !== undefined) {
    settleGone(draft, gone, { request, from });
    return;
  }
  const { jobs } = draft.definition;
  const job = jobs.get(request.jobName);
  const source = draft.definition.sources.get(request.jobName);
  if (source !== undefined) {
    applyToSource(draft, source, request, { from, written });
    return;
  }
  const service = draft.definition.services.get(request.jobName);
  if (service !== undefined) {
    applyToService(draft, service, request, written);
    return;
  }
  if (job === undefined) {
    const known = [...jobs.keys()].join(', ');
    refuse(draft, request, `there is no job "${request.jobName}"; this hippo has ${known}`);
    return;
  }
  switch (request.action) {
    case 'pause':
      draft.setPause(job, pauseOf(draft, job, request));
      return;
    case 'resume':
      noteResumed(draft, job, written);
      if (resume(draft, job, request, written)) fillPlaces(draft, job);
      return;
    case 'run':
    case 'cancel':
    case 'mark_success': {
      const slot = slotAsked(draft, job, request, from);
      if (slot !== undefined) RUN_ACTIONS[request.action](draft, job, slot, { request, from });
    }
  }
}

/** A paused source is not scanned; `run` scans it now. */
function applyToSource(
  draft: Draft,
  source: SourceDefinition,
  request: ManualRequest,
  { from: { topic, topicId, partition, offset }, written }: { from: MessageRef; written: Millis },
): void {
  switch (request.action) {
    case 'pause':
      draft.setPause(source, pauseOf(draft, source, request));
      return;
    case 'resume':
      if (resume(draft, source, request, written)) draft.scan(source, null);
      return;
    case 'run':
      if (draft.pauseOf(source) === undefined)
        draft.scan(source, { topic, ...(topicId === undefined ? {} : { topicId }), partition, offset });
      else refuse(draft, request, 'it is paused; resume it first');
      return;
    case 'cancel':
    case 'mark_success':
      refuse(draft, request, `${source.name} is a source: it can be scanned, paused and resumed`);
  }
}

/** A paused service is stopped. A resume also starts one that was given up, on every client. */
function applyToService(
  draft: Draft,
  service: ServiceDefinition,
  request: ManualRequest,
  written: Millis,
): void {
  switch (request.action) {
    case 'pause':
      draft.setPause(service, pauseOf(draft, service, request));
      return;
    case 'resume':
      if (draft.pauseOf(service) !== undefined && !resume(draft, service, request, written)) return;
      noteServiceResumed(draft, service, { ...requesterOf(request), at: draft.at, written });
      return;
    case 'run':
    case 'cancel':
    case 'mark_success':
      refuse(draft, request, `${service.name} is a service: it can be paused and resumed`);
  }
}

function noteServiceResumed(
  draft: Draft,
  service: ServiceDefinition,
  resumed: Pause & { written: Millis },
): void {
  const state = draft.service(service);
  const written = Math.max(resumed.written, state.resumed?.written ?? -Infinity);
  draft.putService(service, { ...state, resumed: { ...resumed, written } });
}

/** A pause that takes the place of one by KILL keeps when that was written: an older resume does nothing to it. */
function pauseOf(draft: Draft, paused: { name: string }, request: ManualRequest): Pause {
  const { written } = draft.pauseOf(paused) ?? {};
  return { ...requesterOf(request), at: draft.at, ...(written === undefined ? {} : { written }) };
}

/** @returns whether it was paused, and is no more */
function resume(
  draft: Draft,
  paused: JobDefinition | SourceDefinition | ServiceDefinition,
  request: ManualRequest,
  written: Millis,
): boolean {
  const pause = draft.pauseOf(paused);
  if (pause === undefined) {
    refuse(draft, request, 'it is not paused');
    return false;
  }
  if (pause.written !== undefined && written < pause.written) {
    refuse(draft, request, 'the KILL that paused it was written after it; ask again to resume it');
    return false;
  }
  draft.setPause(paused, null);
  return true;
}

type RunAction = (
  draft: Draft,
  job: JobDefinition,
  slot: Slot,
  received: { request: ManualRequest; from: MessageRef },
) => void;

const RUN_ACTIONS: Record<'run' | 'cancel' | 'mark_success', RunAction> = {
  run(draft, job, slot, { request, from }) {
    const refusal = runByHand(draft, job, slot, { manual: { ...requesterOf(request), from } });
    if (refusal !== undefined) refuse(draft, request, refusal);
  },

  cancel(draft, job, slot, { request }) {
    const run = draft.run({ job: job.name, key: slot.key });
    if (run === undefined || !isOpen(run)) {
      const why =
        run === undefined ? `there is no run ${slot.key}` : `${nameOf(run)} has ended: ${run.status}`;
      refuse(draft, request, why);
      return;
    }
    const reason = cancelReason(request);
    const stopping: Run = { ...run, stopping: { cause: 'cancel', reason } };
    if (run.status !== 'running' || run.attemptId === null) {
      end(draft, job, stopping, { status: 'cancelled', error: reason });
      return;
    }
    draft.putRun(job, stopping);
    draft.cancel(run, run.attemptId, reason);
  },

  /** The run counts as done: its finish message says so, and names the operator. No process starts. */
  mark_success(draft, job, slot, { request, from }) {
    const known = draft.run({ job: job.name, key: slot.key });
    if (known?.status === 'succeeded' && known.held !== undefined) {
      // Its finish message has said so already; what has landed again since is accepted.
      draft.putRun(job, { ...omit(known, 'held'), relanded: NO_INPUTS });
      return;
    }
    if (known?.status === 'running' || known?.status === 'succeeded') {
      const why = known.status === 'running' ? 'is running; cancel it first' : 'has succeeded already';
      refuse(draft, request, `${nameOf(known)} ${why}`);
      return;
    }
    const manual = { ...requesterOf(request), from, marked: true as const };
    const run: Run =
      known !== undefined && isFiring(known)
        ? { ...known, manual }
        : {
            ...fresh(draft, job, slot, known),
            status: 'running',
            jobId: nextJobId(draft, job),
            startedAt: draft.at,
            manual,
          };
    end(draft, job, run, { status: 'succeeded', marked: true });
    startOne(draft, job, { job: job.name, key: slot.key });
  },
};

/** The run that is meant: by its key; else the one that is running, that of the present window, or the newest. */
function slotAsked(
  draft: Draft,
  job: JobDefinition,
  request: ManualRequest,
  from: MessageRef,
): Slot | undefined {
  const { definition, at } = draft;
  if (request.runKey !== undefined) {
    const slot = slotOf(definition, job, request.runKey);
    if (slot !== undefined) return slot;
    const example = job.unit === null ? '' : definition.calendar.at(job.unit, at).key;
    refuse(draft, request, `"${request.runKey}" is not a run key; it must look like ${example}`);
    return undefined;
  }
  const { running } = draft.runs(job);
  const only = running.size === 1 && request.action === 'cancel' ? running.first() : undefined;
  if (only !== undefined) return slotOf(definition, job, only);
  const slot =
    job.unit !== null || request.action === 'run' ? slotByHand(draft, job, from) : newestSlot(draft, job);
  if (slot === undefined) refuse(draft, request, 'nothing has landed yet; say which run by its run_key');
  return slot;
}

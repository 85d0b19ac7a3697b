/** Requests on hippo-schedule. A request that cannot be met becomes a warning that says why, and changes nothing. */
import type { ManualRequest, MessageRef } from '../../messages/types.ts';
import type { JobDefinition, ServiceDefinition, Slot, SourceDefinition } from './definition.ts';
import type { Draft } from './draft.ts';
import { end, fillPlaces, nextJobId, newRun, renewed, settle, startOne } from './firing.ts';
import { settleGone } from './gone.ts';
import { cancelReason, refuse, requesterOf } from './request-words.ts';
import { isFiring, isOpen, NO_INPUTS, omit, type Run } from './state.ts';
import { nameOf, slotOf } from './timing.ts';

export function applyRequest(draft: Draft, request: ManualRequest, from: MessageRef): void {
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
    applyToSource(draft, source, request, from);
    return;
  }
  const service = draft.definition.services.get(request.jobName);
  if (service !== undefined) {
    applyToService(draft, service, request);
    return;
  }
  if (job === undefined) {
    const known = [...jobs.keys()].join(', ');
    refuse(draft, request, `there is no job "${request.jobName}"; this hippo has ${known}`);
    return;
  }
  switch (request.action) {
    case 'pause':
      draft.setPause(job, { ...requesterOf(request), at: draft.at });
      return;
    case 'resume':
      if (resume(draft, job, request)) fillPlaces(draft, job);
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
  { topic, topicId, partition, offset }: MessageRef,
): void {
  switch (request.action) {
    case 'pause':
      draft.setPause(source, { ...requesterOf(request), at: draft.at });
      return;
    case 'resume':
      if (resume(draft, source, request)) draft.scan(source, null);
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
function applyToService(draft: Draft, service: ServiceDefinition, request: ManualRequest): void {
  const asked = { ...requesterOf(request), at: draft.at };
  switch (request.action) {
    case 'pause':
      draft.setPause(service, asked);
      return;
    case 'resume':
      if (draft.pauseOf(service) !== undefined) draft.setPause(service, null);
      draft.putService(service, { ...draft.service(service), resumed: asked });
      return;
    case 'run':
    case 'cancel':
    case 'mark_success':
      refuse(draft, request, `${service.name} is a service: it can be paused and resumed`);
  }
}

/** @returns whether it was paused */
function resume(draft: Draft, paused: JobDefinition | SourceDefinition, request: ManualRequest): boolean {
  if (draft.pauseOf(paused) === undefined) {
    refuse(draft, request, 'it is not paused');
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
  /** Fires the run even if needs are missing or the job is paused; it waits only for a free place. */
  run(draft, job, slot, { request, from }) {
    const known = draft.run({ job: job.name, key: slot.key });
    if (known?.status === 'running') {
      refuse(draft, request, `${nameOf(known)} is running; cancel it first, or wait for its end`);
      return;
    }
    const manual = { ...requesterOf(request), from };
    if (known !== undefined && isFiring(known)) {
      // Its next attempt, now.
      draft.putRun(job, { ...known, notBefore: null, manual: known.manual ?? manual });
    } else {
      settle(draft, job, { ...fresh(draft, job, slot, known), manual });
    }
    startOne(draft, job, { job: job.name, key: slot.key });
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

/** The run as it is before a firing, with what has landed. */
function fresh(draft: Draft, job: JobDefinition, slot: Slot, known: Run | undefined): Run {
  const inputs = draft.inputsFor(job, slot);
  if (known === undefined) return newRun({ job: job.name, key: slot.key }, inputs, draft.at);
  return isOpen(known) ? { ...known, inputs } : renewed(known, inputs, draft.at);
}

/** The run that is meant: by its key; else the one that is running, that of the present window, or the newest. */
function slotAsked(
  draft: Draft,
  job: JobDefinition,
  request: ManualRequest,
  { partition, offset }: MessageRef,
): Slot | undefined {
  const { definition, at } = draft;
  if (request.runKey !== undefined) {
    const slot = slotOf(definition, job, request.runKey);
    if (slot !== undefined) return slot;
    const example = job.unit === null ? '' : definition.calendar.at(job.unit, at).key;
    refuse(draft, request, `"${request.runKey}" is not a run key; it must look like ${example}`);
    return undefined;
  }
  const { running, byKey } = draft.runs(job);
  const only = running.size === 1 && request.action === 'cancel' ? running.first() : undefined;
  if (only !== undefined) return slotOf(definition, job, only);
  if (job.unit !== null) {
    const window = definition.calendar.at(job.unit, at);
    return { key: window.key, window };
  }
  // No message names a run of such a job: the request does.
  if (job.needs.length === 0 && request.action === 'run')
    return { key: `${definition.calendar.iso(at)}-${partition}-${offset}`, window: null };
  const newest = byKey.valueSeq().maxBy(({ firstInputAt }) => firstInputAt);
  if (newest === undefined) refuse(draft, request, 'nothing has landed yet; say which run by its run_key');
  return newest === undefined ? undefined : { key: newest.key, window: null };
}

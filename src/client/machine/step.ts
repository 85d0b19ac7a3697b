import type { Millis } from '../../core/clock.ts';
import { describeStateKey, parseStateKey } from '../../state/index.ts';
import { judgeRuns, publishOwed, reviewAlerts, takeDeliveries } from './alerts.ts';
import { awaitsInputs, judgeWindows, reviewExpectations } from './absence.ts';
import type { Definition, JobDefinition } from './definition.ts';
import { Draft } from './draft.ts';
import { endAttempt, fillPlaces, loseAttempt, settle } from './firing.ts';
import { arrivedOf } from './arrival.ts';
import { listenersOf, take } from './landing.ts';
import { modelOrderOf, takeOrder } from './models.ts';
import { applyRequest } from './requests.ts';
import { isFiring, type MachineState, type Run } from './state.ts';
import { followLetters, shiftLetters, takeRejected } from './letters.ts';
import { followPauses } from './paused.ts';
import { takeRights } from './rights.ts';
import { correctAttempt, limitWaits, shiftTimes } from './clock.ts';
import { slotFor } from './timing.ts';
import { reload, reloadsOf, takeEvents } from './services.ts';
import { endScan, missLandings, shiftUnsettled, takeLandings, takeReports } from './sources.ts';
import type { Effect, MachineEvent } from './types.ts';
import { openTimed, reviewTimed, timedWake } from './timed.ts';
import { runTimers } from './timers.ts';
import { followServices, takeService } from './unwell.ts';
import { shrink } from './too-large.ts';

export interface Step {
  state: MachineState;
  /** In the order in which they must be carried out: records and messages, then processes, then notices. */
  effects: Effect[];
}

type EventOf<Type extends MachineEvent['type']> = Extract<MachineEvent, { type: Type }>;

export function step(definition: Definition, state: MachineState, event: MachineEvent): Step {
  if (!state.owned && event.type !== 'ownership-gained') return { state, effects: [] };
  switch (event.type) {
    case 'message':
      return onMessage(definition, state, event);
    case 'tick':
      return event.at < Math.min(state.wakeAt, state.expireAt)
        ? { state, effects: [] }
        : drafted(definition, state, event, runTimers);
    case 'job-exited':
      return drafted(definition, state, event, (draft) => onExit(draft, event));
    case 'ownership-gained':
      return drafted(definition, state, event, (draft) => onGained(draft, event));
    case 'ownership-lost':
      return { state: { ...state, owned: false }, effects: [] };
    case 'landings-found':
    case 'landings-missed':
    case 'landings-reported':
    case 'scan-ended': {
      const source = definition.sources.get(event.source);
      if (source === undefined) return { state, effects: [] };
      return drafted(definition, state, event, (draft) => {
        if (event.type === 'landings-found') takeLandings(draft, source, event);
        else if (event.type === 'landings-missed') missLandings(draft, source, event.missed);
        else if (event.type === 'landings-reported') takeReports(draft, source, event.landings);
        else endScan(draft, source, event.scan);
      });
    }
    case 'events-told': {
      const service = definition.services.get(event.service);
      if (service === undefined) return { state, effects: [] };
      return drafted(definition, state, event, (draft) => takeEvents(draft, service, event.events));
    }
    case 'caught-up':
      return awaitsInputs(definition, state, event.upTo)
        ? drafted(definition, state, event, (draft) => judgeWindows(draft, event.upTo))
        : { state, effects: [] };
    case 'alerts-delivered':
      return drafted(definition, state, event, (draft) => takeDeliveries(draft, event.deliveries));
    case 'rejected':
      return drafted(definition, state, event, (draft) => takeRejected(draft, event));
    case 'rights-denied':
      return drafted(definition, state, event, (draft) => takeRights(draft, event.rights, event.isComplete));
    case 'service-told':
      return drafted(definition, state, event, (draft) => takeService(draft, event));
    case 'clock-jumped':
      return drafted(definition, state, event, (draft) => {
        shiftTimes(draft, event.by);
        shiftUnsettled(draft, event.by);
        shiftLetters(draft, event.by);
        reviewExpectations(draft);
        runTimers(draft);
      });
    case 'record-too-large':
      return drafted(definition, state, event, (draft) => shrink(draft, event));
  }
}

function drafted(
  definition: Definition,
  state: MachineState,
  event: MachineEvent,
  change: (draft: Draft) => void,
): Step {
  const draft = new Draft(definition, state, event.at);
  change(draft);
  judgeRuns(draft);
  if (draft.state.pauses !== state.pauses || event.type === 'ownership-gained') {
    followPauses(draft);
    followServices(draft);
  }
  return { state: draft.state, effects: draft.effects() };
}

function onMessage(definition: Definition, state: MachineState, event: EventOf<'message'>): Step {
  const { message, from } = event;
  const arrived = arrivedOf(event, definition.calendar);
  const isRequest = message.kind === 'schedule' && message.hippoName === definition.hippo;
  const order = modelOrderOf(definition, message);
  const listeners = listenersOf(definition, message);
  const reloading = reloadsOf(definition, arrived);
  if (!isRequest && order === undefined && listeners.length + reloading.length === 0)
    return { state, effects: [] };
  return drafted(definition, state, event, (draft) => {
    // A clock that is ahead must not make a KILL newer than the resumes of the next hours.
    const written = (): Millis => Math.min(arrived.timestamp, event.at);
    if (isRequest) applyRequest(draft, message, { from, written: written() });
    if (order !== undefined) takeOrder(draft, order, { from, written: written() });
    for (const service of reloading) reload(draft, service, { message, from });
    for (const listener of listeners) take(draft, listener, arrived);
  });
}

/** Only the present attempt's end counts: a takeover may have run the job again. */
function onExit(draft: Draft, { run: id, attemptId, outcome }: EventOf<'job-exited'>): void {
  const job = draft.definition.jobs.get(id.job);
  const run = draft.run(id);
  if (job === undefined || run?.status !== 'running' || run.attemptId !== attemptId) return;
  endAttempt(draft, job, run, outcome);
  fillPlaces(draft, job);
}

function onGained(
  draft: Draft,
  { alive = new Map(), withheld = new Set(), alertsWithheld = false }: EventOf<'ownership-gained'>,
): void {
  draft.own(withheld, alertsWithheld);
  publishOwed(draft);
  tellOfStrays(draft);
  reviewTimed(draft);
  openTimed(draft);
  for (const job of draft.definition.jobs.values()) {
    for (const run of draft.openRuns(job)) {
      const runningFor = alive.get(run.attemptId ?? '');
      if (run.status !== 'running') reconsider(draft, job, run.key);
      else if (runningFor === undefined) {
        // Its finish message cannot be written: it stays as it is until the next takeover.
        if (run.stopping === undefined || !withheld.has(job.name)) loseAttempt(draft, job, run);
      } else goOn(draft, job, run, runningFor);
      limitWaits(draft, job, run);
    }
    fillPlaces(draft, job);
  }
  draft.wake({ wakeAt: Math.min(draft.state.wakeAt, timedWake(draft)), expireAt: draft.state.expireAt });
  reviewAlerts(draft);
  reviewExpectations(draft);
  followLetters(draft);
}

/**
 * An attempt that is still at work. A write whose outcome was unknown may have recorded that it is to be stopped, and not have
 * stopped it.
 */
function goOn(draft: Draft, job: JobDefinition, run: Run, runningFor: Millis): void {
  correctAttempt(draft, job, run, runningFor);
  if (run.stopping !== undefined && run.attemptId !== null)
    draft.cancel(run, run.attemptId, run.stopping.reason);
}

function tellOfStrays(draft: Draft): void {
  const { definition, state } = draft;
  const { strays } = state;
  if (strays.length === 0) return;
  const jobs = strays.flatMap((text) => {
    const key = parseStateKey(text);
    return key !== undefined && 'job' in key && !definition.jobs.has(key.job) ? [key.job] : [];
  });
  const commands = [...new Set(jobs)].map((job) => `hippo forget ${definition.hippo}/${job}`);
  const remedy = commands.length === 0 ? '' : `. To remove them: ${commands.slice(0, 3).join(', ')}`;
  const records = [...new Set(strays.map(describeStateKey))];
  const more = records.length > 3 ? ` and ${records.length - 3} more` : '';
  draft.notice(
    'warning',
    `the state topic has records of jobs that hippo.yaml does not have, or has with other windows; they are kept: ${records.slice(0, 3).join(', ')}${more}${remedy}`,
  );
}

/** hippo.yaml may have changed since: a run that has not fired needs what it says now. */
function reconsider(draft: Draft, job: JobDefinition, key: string): void {
  const run = draft.run({ job: job.name, key });
  if (run === undefined || isFiring(run)) return;
  const inputs = draft.inputsFor(job, slotFor(draft.definition, job, run));
  const isSame = inputs.size === run.inputs.size && inputs.every((_, id) => run.inputs.has(id));
  settle(draft, job, isSame ? run : { ...run, inputs });
}

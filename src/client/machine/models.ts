/** What messages about models ask of a hippo: builds, promotions by hand, and KILL. One that cannot be met becomes a warning. */
import type { Millis } from '../../core/clock.ts';
import {
  type BuildModel,
  type HippoMessage,
  type KillModel,
  type MessageRef,
  type ModelMessage,
  type PromoteModel,
  isBuildModel,
  isKillModel,
  isPromoteModel,
} from '../../messages/index.ts';
import { paramsProblem } from '../../messages/params.ts';
import type { ModelState, Pause } from '../../state/index.ts';
import { ownSlot, runByHand, slotByHand } from './by-hand.ts';
import type { Definition, JobDefinition, ModelDefinition } from './definition.ts';
import type { Draft } from './draft.ts';
import { end } from './firing.ts';
import { isFiring, type Run } from './state.ts';
import { nameOf } from './timing.ts';
import { traceOf } from './trace.ts';
import { findVersion, modelOf, newModelOf, pointTo, withoutOld } from './versions.ts';

/** What a message asks of this hippo's models. */
export type ModelOrder = BuildModel | PromoteModel | KillModel;

/** @returns the message where it asks something of this hippo */
export function modelOrderOf({ hippo, models }: Definition, message: HippoMessage): ModelOrder | undefined {
  if (message.kind !== 'model' || models.size === 0 || !isOrder(message)) return undefined;
  if (message.hippoName !== undefined && message.hippoName !== hippo) return undefined;
  return models.has(message.model) ? message : undefined;
}

function isOrder(message: ModelMessage): message is ModelOrder {
  return isBuildModel(message) || isPromoteModel(message) || isKillModel(message);
}

/** @param written the timestamp of the message's record, not later than now */
export function takeOrder(
  draft: Draft,
  order: ModelOrder,
  { from, written }: { from: MessageRef; written: Millis },
): void {
  const model = draft.definition.models.get(order.model);
  if (model === undefined) return;
  if (isBuildModel(order)) build(draft, model, order, from);
  else if (isPromoteModel(order)) promoteByHand(draft, model, order, from);
  else kill(draft, model, order, written);
}

/** Like a run that is asked for by hand, but not while the builder is paused: a KILL may have paused it. */
function build(draft: Draft, model: ModelDefinition, order: BuildModel, from: MessageRef): void {
  const { params = {} } = order;
  const job = draft.definition.jobs.get(model.builder);
  if (job === undefined) return;
  const pause = draft.pauseOf(job);
  const refusal =
    pause === undefined
      ? (paramsProblem(model.params, params) ?? start(draft, job, order, from))
      : `its builder ${job.name} is paused${wordsOf(pause)}; resume it first: hippo job resume ${draft.definition.hippo}/${job.name}`;
  if (refusal !== undefined) refuse(draft, order, refusal);
}

/** @returns why it cannot be started */
function start(draft: Draft, job: JobDefinition, order: BuildModel, from: MessageRef): string | undefined {
  const slot = slotByHand(draft, job, from) ?? ownSlot(draft, from);
  const known = draft.run({ job: job.name, key: slot.key });
  if (known !== undefined && isFiring(known)) return isAtWork(known);
  const build = order.params === undefined ? {} : { params: order.params };
  return runByHand(draft, job, slot, { manual: { ...askedOf(order), from }, build });
}

function isAtWork(run: Run): string {
  return `${nameOf(run)} is at work; cancel it first, or wait for its end`;
}

/** The pointer goes to a version that was built before. */
function promoteByHand(draft: Draft, model: ModelDefinition, order: PromoteModel, from: MessageRef): void {
  const state = draft.model(model);
  const refusal = promotionProblem(state, order);
  const version = findVersion(state, order.version);
  if (refusal !== undefined || version === undefined) {
    refuse(draft, order, refusal ?? `there is no version ${order.version}`);
    return;
  }
  const { by = 'hand', reason = null } = order;
  const moved = pointTo(state, version.version, { at: draft.at, by, reason });
  const next = withoutOld(model, moved, draft.at);
  draft.putModel(model, next);
  const { hippo } = draft.definition;
  draft.publishModel(
    newModelOf(draft, model, next, { version, promoted: true, by, ...(reason === null ? {} : { reason }) }),
    traceOf(hippo, { job: model.name, jobId: from.offset, manual: { from }, inputs: [] }, 'finish'),
  );
  draft.notice('info', `model ${model.name}: ${version.version} serves from now on, as ${by} has asked`);
}

/** @returns why the version cannot be promoted; undefined: it can */
function promotionProblem(
  { serving, versions, retired }: ModelState,
  { version, expect }: PromoteModel,
): string | undefined {
  if (retired.includes(version)) return `${version} is retired: its folder is removed, or is about to be`;
  if (!versions.some((one) => one.version === version)) {
    const known = versions.slice(-3).map((one) => one.version);
    return `there is no version ${version}; ${known.length === 0 ? 'none is built yet' : `the newest: ${known.join(', ')}`}`;
  }
  if (serving === version) return `${version} serves already`;
  if (expect !== undefined && expect !== serving)
    return `${serving ?? 'no version'} serves now, not ${expect ?? 'none'} as when it was asked for`;
  return undefined;
}

/** Pauses builder and services, and cancels the builder's runs, unless they were resumed after the message was written. */
function kill(draft: Draft, model: ModelDefinition, order: KillModel, written: Millis): void {
  const { by, reason, target } = order;
  const pause: Pause = {
    by: by ?? 'KILL',
    reason: reason === undefined ? `KILL ${model.name}` : `KILL ${model.name}: ${reason}`,
    at: draft.at,
    written,
  };
  const stopped: string[] = [];
  const job = target === 'api' ? undefined : draft.definition.jobs.get(model.builder);
  if (job !== undefined && isNewer(draft, job, written, draft.model(model).resumed)) {
    draft.setPause(job, pause);
    endRuns(draft, job, wordsOf(pause));
    stopped.push(job.name);
  }
  for (const name of target === 'builder' ? [] : model.services) {
    const service = draft.definition.services.get(name);
    if (service === undefined || !isNewer(draft, service, written, draft.service(service).resumed?.written))
      continue;
    draft.setPause(service, pause);
    stopped.push(name);
  }
  if (stopped.length === 0) {
    refuse(draft, order, 'it is older than the last resume of what it stops, or it names nothing');
    return;
  }
  const { hippo } = draft.definition;
  draft.notice(
    'warning',
    `${stopped.join(' and ')} ${stopped.length === 1 ? 'is' : 'are'} paused${wordsOf(pause)}; until: ${stopped.map((name) => `hippo job resume ${hippo}/${name}`).join(', ')}`,
  );
}

/** Whether a KILL counts: neither a resume nor another KILL that was written later, or at the same time, is known. */
function isNewer(
  draft: Draft,
  of: { name: string },
  written: Millis,
  resumed: Millis | undefined = -Infinity,
): boolean {
  return written > Math.max(resumed, draft.pauseOf(of)?.written ?? -Infinity);
}

/** A run by hand would start in spite of the pause, and so would one that waits for its next attempt. */
function endRuns(draft: Draft, job: JobDefinition, words: string): void {
  const reason = `cancelled by KILL${words}`;
  for (const run of draft.openRuns(job)) {
    if (run.status === 'running' && run.attemptId !== null) {
      draft.putRun(job, { ...run, stopping: { cause: 'cancel', reason } });
      draft.cancel(run, run.attemptId, reason);
    } else if (isFiring(run) || run.manual !== undefined)
      end(
        draft,
        job,
        { ...run, stopping: { cause: 'cancel', reason } },
        { status: 'cancelled', error: reason },
      );
  }
}

/** ` by ann: wrong data` */
function wordsOf({ by, reason }: Pause): string {
  return `${by === undefined ? '' : ` by ${by}`}${reason === undefined ? '' : `: ${reason}`}`;
}

function askedOf({ by, reason }: ModelOrder): { by?: string; reason?: string } {
  return { ...(by === undefined ? {} : { by }), ...(reason === undefined ? {} : { reason }) };
}

function refuse(draft: Draft, { message, model, by }: ModelOrder, why: string): void {
  const who = by === undefined ? '' : ` (asked by ${by})`;
  draft.notice('warning', `refused: ${message} ${model}${who}: ${why}`);
}

/** A builder is resumed: a KILL that was written before does nothing from now on. */
export function noteResumed(draft: Draft, job: JobDefinition, written: Millis): void {
  const model = modelOf(draft.definition, job.name);
  if (model === undefined) return;
  const state = draft.model(model);
  draft.putModel(model, { ...state, resumed: Math.max(written, state.resumed ?? -Infinity) });
}

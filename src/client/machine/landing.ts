/** What a message brings: a landing in the state, and what it means for each run that needs it. */
import { isoSecond } from '../../core/clock.ts';
import { isSameTopic, offsetOf } from '../../core/record-ref.ts';
import { isFarAhead } from '../../messages/frontier.ts';
import type { HippoMessage, MessageRef } from '../../messages/types.ts';
import type { Arrived } from './arrival.ts';
import {
  type Definition,
  isComplete,
  isSatisfied,
  type JobDefinition,
  type Landing,
  type Listener,
  type Need,
  type Slot,
  subjectsOf,
} from './definition.ts';
import type { Draft } from './draft.ts';
import { newRun, reland, renewed, settle, startOne } from './firing.ts';
import { isFiring, isOpen, type Run } from './state.ts';
import type { InputState } from '../../state/index.ts';

/** The needs that this message concerns. */
export function listenersOf({ listeners }: Definition, message: HippoMessage): readonly Listener[] {
  return subjectsOf(message).flatMap((subject) => listeners.get(subject)?.of(message) ?? []);
}

/** What of a message lands for a need: what its conditions refuse is as if it had not come. */
export function landingsOf(need: Need, arrived: Arrived): Landing[] {
  if (need.where?.refuse(arrived) !== undefined) return [];
  const landings = need.landings(arrived);
  return landings.length > 0 && need.when?.refuse(arrived) !== undefined ? [] : landings;
}

/** Takes a message in for one need. */
export function take(draft: Draft, listener: Listener, arrived: Arrived): void {
  const { job, need } = listener;
  // Most messages of a topic are not meant: of those the log says nothing.
  if (need.where?.refuse(arrived) !== undefined) return;
  const landings = need.landings(arrived);
  const refusal = landings.length === 0 ? undefined : need.when?.refuse(arrived);
  const { from } = arrived;
  for (const landing of landings) {
    if (refusal === undefined) land(draft, listener, landing, from);
    else draft.remark(() => `${job.name} passes over ${nameOf({ need, landing, from })}: ${refusal}`);
  }
}

/** Takes one landing in: a newer one lands, one of the same version is a duplicate, an older one is late news of the past. */
function land(draft: Draft, { job, need }: Listener, landing: Landing, from: MessageRef): void {
  const { version } = landing;
  const known = draft.landing(job, need.id, landing.value);
  const what = { job, need, landing, from };
  if (known !== undefined && !isNewer(need, { version, ...from }, known)) {
    const why = (): string =>
      `its ${need.dates} ${isoSecond(version)} is not newer than that of the landing before, ${isoSecond(known.version)} (${place(known)})`;
    ignore(draft, what, why);
    return;
  }
  if (hidesLater(need, landing) && isFarAhead(version, draft.at)) {
    draft.notice(
      'warning',
      `${nameOf(what)} has the ${need.dates} ${isoSecond(version)}, which is in the future: landings with an earlier ${need.dates} will be ignored`,
    );
  }
  const lastEnd = Math.max(...landing.slots.map(({ window }) => window?.end ?? 0));
  const input: InputState = {
    ...from,
    need: need.id,
    version,
    values: landing.values,
    at: draft.at,
    ...(lastEnd > draft.at ? { neededUntil: lastEnd } : {}),
  };
  draft.putLanding(job, landing.value, input);
  for (const slot of landing.slots) {
    serve(draft, { what, slot, input });
    startOne(draft, job, { job: job.name, key: slot.key });
  }
}

/** A message has no date but its record's, and two may have one: of those of a partition the later one has the higher offset. */
function isNewer({ dates }: Need, landing: MessageRef & { version: number }, known: InputState): boolean {
  if (landing.version !== known.version || dates !== 'timestamp') return landing.version > known.version;
  const isSamePartition =
    landing.topic === known.topic &&
    landing.partition === known.partition &&
    isSameTopic(landing.topicId, known.topicId);
  return isSamePartition && offsetOf(landing) > offsetOf(known);
}

/** What has landed, for one need. */
interface Landed extends Listener {
  landing: Landing;
  from: MessageRef;
}

/** The client's log has the reason for each landing that changes nothing. */
function ignore(draft: Draft, what: Landed, why: () => string): void {
  draft.remark(() => `${what.job.name} ignores ${nameOf(what)}: ${why()}`);
}

/** `btd.party yyyymm=201704 (frontier-adw 3:2)` */
function nameOf({ need, landing, from }: Omit<Landed, 'job'>): string {
  return `${need.id} ${landing.value} (${place(from)})`;
}

/** `frontier-adw 3:2` */
function place({ topic, partition, offset }: MessageRef): string {
  return `${topic} ${partition}:${offset}`;
}

/** Whether others may land with the same value: not where each message is a run of its own. */
function hidesLater({ dates }: Need, { slots }: Landing): boolean {
  return dates === 'exec_date' || (dates === 'timestamp' && slots.some(({ window }) => window !== null));
}

function serve(draft: Draft, { what, slot, input }: { what: Landed; slot: Slot; input: InputState }): void {
  const { job, need } = what;
  const run = draft.run({ job: job.name, key: slot.key });
  if (run === undefined && !need.identifiesRun) return;
  if (run === undefined) {
    settle(draft, job, newRun({ job: job.name, key: slot.key }, draft.inputsFor(job, slot), draft.at));
  } else if (isFiring(run)) {
    if (!isNews(job, need, run)) return;
    if (job.policy.on_reland === 'ignore')
      ignore(draft, what, () => `it landed again while run ${run.key} was running, and ${ignores(job)}`);
    else draft.putRun(job, withRelanded(draft, run, input));
  } else if (isOpen(run)) {
    settle(draft, job, { ...run, inputs: draft.withInput(run.inputs, input) });
  } else if (run.status === 'timed-out') {
    const inputs = draft.withInput(run.inputs, input);
    if (isComplete(job, inputs)) settle(draft, job, renewed(run, inputs, draft.at));
    else draft.putRun(job, { ...run, inputs });
  } else if (isNews(job, need, run)) {
    if (job.policy.on_reland === 'ignore')
      ignore(
        draft,
        what,
        () => `it landed again after run ${run.key} had ended (${run.status}), and ${ignores(job)}`,
      );
    reland(draft, job, withRelanded(draft, run, input), job.policy.on_reland);
  }
}

function ignores({ name }: JobDefinition): string {
  return `${name} has on_reland: ignore`;
}

function withRelanded(draft: Draft, run: Run, input: InputState): Run {
  return { ...run, relanded: draft.withInput(run.relanded, input) };
}

/** Whether the run was started without it: with an older version, or while it was missing, by hand. */
function isNews(job: JobDefinition, need: Need, run: Run): boolean {
  if (run.inputs.has(need.id)) return true;
  if (run.attempt === 0) return false;
  const group = job.groups.find(({ members }) => members.includes(need));
  return group !== undefined && !isSatisfied(group, run.inputs);
}

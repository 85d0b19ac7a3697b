import type { RecordSet } from '../core/record-ref.ts';
import { existsSync } from 'node:fs';
import { clientCommand } from '../core/environment/index.ts';
import type { Positions, RunState } from '../state/index.ts';
import type { Millis } from '../core/clock.ts';
import { shellWord } from '../core/shell.ts';
import type { GroupInfo } from '../kafka/port.ts';
import type { FrontierEvent, JobFinish, JobStart, ManualRequest, ServiceHealth } from '../messages/index.ts';
import type { Found } from './feed.ts';

/** A run as its hippo's state has it. */
export interface KnownRun {
  hippo: string;
  run: RunState;
}

/** A job that an operator has paused. */
export interface PausedJob {
  hippo: string;
  job: string;
  by?: string;
  reason?: string;
  at?: Millis;
}

/** How far a hippo's consumer group has come, and who is in it. */
export interface HippoGroup {
  hippo: string;
  info: GroupInfo;
  /** Next offset of each frontier partition, by its state or what its group has committed; left out where there is neither. */
  read: Positions;
}

/**
 * What the topics and the groups say at one moment. Everything that the tractor decides, it decides from this:
 * any operator on any machine sees the same.
 */
export interface Snapshot {
  now: Millis;
  /** The horizon: messages whose records are older were left out; the state was read whole. */
  since: Millis;
  /** Without those that have succeeded and are not held: of many hippos there are too many of them. */
  runs: readonly KnownRun[];
  /** The keys of the records of those, of the hippos that do not say which jobs they have. */
  succeeded: ReadonlySet<string>;
  /** The hippos whose state has runs. */
  withRuns: ReadonlySet<string>;
  paused: readonly PausedJob[];
  /** The events that a hippo's state remembers as landed. */
  landed: RecordSet;
  events: readonly Found<FrontierEvent>[];
  starts: readonly Found<JobStart>[];
  finishes: readonly Found<JobFinish>[];
  requests: readonly Found<ManualRequest>[];
  /** By hippo: the jobs that its client's hippo.yaml had when the client became the owner, each with its `every`. */
  jobs: ReadonlyMap<string, Readonly<Record<string, string>>>;
  /** By hippo: when `hippo forget` has removed its state, as long as the topic still shows it (`delete.retention.ms`). */
  forgotten: ReadonlyMap<string, Millis>;
  /** The last sign of life of each service. */
  health: ReadonlyMap<string, Found<ServiceHealth>>;
  /** Of the hippos whose topics have the configured prefix. */
  groups: readonly HippoGroup[];
  /** Messages that are none; `hippo replay` knows those that a client has rejected. */
  unreadable: number;
}

/** The group of a hippo; undefined when the brokers know none. */
function groupOf(snapshot: Snapshot, hippo: string): HippoGroup | undefined {
  return snapshot.groups.find((group) => group.hippo === hippo);
}

/** Whether a client of the hippo is there. A group of an unknown protocol counts as there: it is not ours to judge. */
export function isOwned(snapshot: Snapshot, hippo: string): boolean {
  const group = groupOf(snapshot, hippo);
  return group !== undefined && isOwnedGroup(group.info);
}

/** See {@link isOwned}. */
export function isOwnedGroup({ state }: Pick<GroupInfo, 'state'>): boolean {
  return state !== 'Empty' && state !== 'Dead';
}

/** Kinds of `every` in {@link Snapshot.jobs} that need no event: what a client keeps beside its jobs. */
const WITHOUT_NEEDS: readonly string[] = ['source', 'service'];

/** Whether the hippo may need an event: it has a job, or its client has not said what it has. */
export function mayNeedEvents({ jobs }: Snapshot, hippo: string): boolean {
  const kinds = Object.values(jobs.get(hippo) ?? {});
  return kinds.length === 0 || kinds.some((every) => !WITHOUT_NEEDS.includes(every));
}

/**
 * What to type to start the client of a hippo: in the folder in which it was last seen, on that machine, or in whatever
 * folder its project is. `hippo run` works in each project; not every project has a start-client.sh.
 */
export function startCommand(hippo: string, { health }: Snapshot): string {
  const seen = health.get(hippo)?.message;
  if (seen === undefined || seen.path === '') return `hippo run    (in ${hippo}'s project)`;
  const command = `cd ${shellWord(seen.path)} && ${clientCommand(seen.path)}`;
  return existsSync(seen.path) ? command : `${command}    (on ${seen.clientIp})`;
}

/** What a client says about itself, for /readyz, the metrics and the health messages. Pure. */
import type { Millis } from '../../core/clock.ts';
import { type RunStatus, countAnnouncements } from '../../state/index.ts';
import { type MachineState, listRuns } from '../machine/index.ts';
import type { AlertCondition } from '../../messages/types.ts';
import type { ReceiverView } from './alerts/deliveries.ts';
import type { OwnerView } from './owner.ts';
import type { ServiceView } from './services/service.ts';

export type Role = 'connecting' | 'standby' | 'owner';

export interface ClientStatus {
  hippo: string;
  role: Role;
  connected: boolean;
  /** Runs that are remembered, by status. */
  runs: Record<RunStatus, number>;
  /** The next message to be taken in, and how many there are behind it. */
  lag: { topic: string; partition: number; position: string; lag: number }[];
  /** How long the oldest waiting run of each job has been waiting, milliseconds. */
  waiting: { job: string; run_key: string; for_ms: Millis }[];
  services: ServiceView[];
  /** Epoch ms; null: none that is remembered. */
  last_finish: Millis | null;
  /** Of the owner: how many alerts are open, by condition. */
  alerts: Partial<Record<AlertCondition, number>>;
  /** Of the owner; a standby scans nothing. */
  sources: SourceStatus[];
  /** Of the owner: the receivers of alerts. */
  receivers: ReceiverStatus[];
}

/** How a receiver of alerts is. */
export interface ReceiverStatus {
  name: string;
  /** How long the oldest alert that it has not taken has been waiting, milliseconds; 0: it has taken all. */
  waiting_ms: Millis;
  /** When it began to fail, epoch ms; null: it does not. */
  failing_since: Millis | null;
  /** What it said last, while it fails. */
  error: string | null;
}

/** What the owner knows of a source. */
export interface SourceStatus {
  name: string;
  paused: boolean;
  /** How many landings are remembered as announced. */
  known: number;
  /** How many landings wait to settle. */
  unsettled: number;
  /** null before the first scan has ended. */
  last_scan: {
    /** When it ended. */
    at: Millis;
    took_ms: Millis;
    listed: number;
    skipped: number;
    /** Why it could not list the source to its end; null: it could. */
    error: string | null;
  } | null;
}

export interface StatusContext {
  hippo: string;
  /** The names of its sources. */
  sources: readonly string[];
  role: Role;
  /** Whether Kafka can be reached. */
  connected: boolean;
  view: OwnerView;
  services: ServiceView[];
  receivers: readonly ReceiverView[];
  now: Millis;
}

export function statusOf({
  hippo,
  sources,
  services,
  receivers,
  role,
  connected,
  view,
  now,
}: StatusContext): ClientStatus {
  const runs: Record<RunStatus, number> = {
    waiting: 0,
    ready: 0,
    running: 0,
    succeeded: 0,
    failed: 0,
    cancelled: 0,
    'timed-out': 0,
  };
  const oldest = new Map<string, { job: string; run_key: string; for_ms: Millis }>();
  let lastFinish: Millis | null = null;
  for (const run of role === 'owner' ? listRuns(view.state) : []) {
    runs[run.status] += 1;
    if (run.finishedAt !== null && run.finishedAt > (lastFinish ?? -Infinity)) lastFinish = run.finishedAt;
    const waited = now - run.firstInputAt;
    if (run.status === 'waiting' && waited > (oldest.get(run.job)?.for_ms ?? -1)) {
      oldest.set(run.job, { job: run.job, run_key: run.key, for_ms: waited });
    }
  }
  const lag = [...(role === 'owner' ? view.positions : [])].flatMap(([topic, partitions]) =>
    [...partitions].map(([partition, position]) => {
      const end = view.ends.get(topic)?.get(partition) ?? position;
      return {
        topic,
        partition,
        position: String(position),
        lag: end > position ? Number(end - position) : 0,
      };
    }),
  );
  return {
    hippo,
    role,
    connected,
    runs,
    lag,
    waiting: [...oldest.values()],
    services,
    last_finish: lastFinish,
    alerts: role === 'owner' ? openAlerts(view.state) : {},
    sources: role === 'owner' ? sources.map((name) => sourceStatus(name, view.state)) : [],
    receivers: role === 'owner' ? receivers.map((receiver) => receiverStatus(receiver, now)) : [],
  };
}

function receiverStatus(
  { name, waitingSince, failingSince, error }: ReceiverView,
  now: Millis,
): ReceiverStatus {
  const waiting = waitingSince === null ? 0 : Math.max(0, now - waitingSince);
  return { name, waiting_ms: waiting, failing_since: failingSince, error };
}

function openAlerts({ alerts }: MachineState): ClientStatus['alerts'] {
  const open: ClientStatus['alerts'] = {};
  for (const { condition, resolvedAt } of alerts.values())
    if (resolvedAt === undefined) open[condition] = (open[condition] ?? 0) + 1;
  return open;
}

function sourceStatus(name: string, { sources, pauses }: MachineState): SourceStatus {
  const source = sources.get(name);
  const scan = source?.lastScan;
  return {
    name,
    paused: pauses.has(name),
    known: source === undefined ? 0 : countAnnouncements(source.announcements),
    unsettled: source?.unsettled.size ?? 0,
    last_scan:
      scan === undefined
        ? null
        : {
            at: scan.at,
            took_ms: scan.took,
            listed: scan.listed,
            skipped: scan.skipped,
            error: scan.error ?? null,
          },
  };
}

/** Whether a load balancer may send requests here: the services that run beside every client are ready. Those of the owner run elsewhere. */
export function isReady({ connected, role, services }: ClientStatus): boolean {
  const each = services.filter(({ scope }) => scope === 'each');
  return connected && role !== 'connecting' && each.every(({ status }) => status === 'ready');
}

/** What happens in one round of the crash test, as data: the same seed gives the same round. */
import fc from 'fast-check';
import { BOUNDARIES, type Boundary } from '../../src/client/host/fault.ts';
import type { Change } from './changes.ts';

export interface Scenario {
  seed: number;
  /** Whether a standby waits while the owner is ended, so that it takes over; else a new client starts after the death. */
  standby: boolean;
  /** One for each client that is started and ended. */
  disturbances: readonly Disturbance[];
  /** The broker is ended during this disturbance, and is away for so long, milliseconds. */
  broker: { during: number; how: 'SIGTERM' | 'SIGKILL'; away: number } | null;
  /** Order and duplicates of what is delivered: indices of the workload's messages, some more than once. */
  order: readonly number[];
  /** Before each delivery, milliseconds. */
  gaps: readonly number[];
  /** What is done to its topics and its clock, before the disturbances; one client for each. */
  changes: readonly PlannedChange[];
  /** Whether the hippo has a source, and a writer writes what it watches. */
  hasSource: boolean;
  /** Whether it has an http source, and a warehouse reports to it. */
  hasReports: boolean;
  /** Whether it has services, and whether each of its clients runs on a machine of its own. */
  services: 'none' | 'one machine' | 'machines';
  /** Whether its alerts are published, and sent to a receiver: see alarms.ts. */
  hasAlerts: boolean;
}

export interface PlannedChange {
  change: Change;
  /** Whether a client runs meanwhile; else it is ended before, and the next one finds what has changed. */
  isRunning: boolean;
  /** How long the client goes on after the change, milliseconds. */
  after: number;
}

/** What a round may contain besides the ends of clients. */
export interface Extras {
  /** The broker may be ended too. */
  broker: boolean;
  /** Topics may be changed. */
  changes: boolean;
  /** The clients' clock may be moved. */
  clock: boolean;
  /** Clients may have a machine each: a namespace of processes. */
  machines: boolean;
}

/** How one client comes to its end. */
export interface Disturbance {
  /** It ends itself where it passes this boundary for the n-th time. */
  fault: { boundary: Boundary; nth: number } | null;
  /** What it gets, so long after it came to own: milliseconds. */
  signal: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP';
  after: number;
}

const crash = fc.record<Disturbance>({
  fault: fc.record({ boundary: fc.constantFrom(...BOUNDARIES), nth: fc.integer({ min: 1, max: 4 }) }),
  signal: fc.constant('SIGKILL'),
  // Long enough to get to most boundaries.
  after: fc.constant(4_000),
});
const blow = fc.record<Disturbance>({
  fault: fc.constant(null),
  signal: fc.oneof(
    { weight: 5, arbitrary: fc.constant('SIGKILL' as const) },
    { weight: 1, arbitrary: fc.constant('SIGTERM' as const) },
    { weight: 2, arbitrary: fc.constant('SIGSTOP' as const) },
  ),
  after: fc.integer({ min: 0, max: 1_500 }),
});

const change = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('partitions added' as const),
      role: fc.constantFrom('frontier' as const, 'finish' as const, 'state' as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('topic made again' as const),
      length: fc.constantFrom('shorter' as const, 'equal' as const, 'longer' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('records removed' as const),
      were: fc.constantFrom('read' as const, 'unread' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('limits lowered' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('state made again' as const) }) },
);
// Brokers refuse what is more than an hour ahead of their own clock.
const clockMove = fc.record({
  kind: fc.constant('clock moved' as const),
  by: fc.constantFrom('+50m', '-50m', '-5h', '-26h', '+0'),
});

/** Every second round has changes. Drawn by themselves, so that a seed means the same clients with and without them. */
export function changesOf(seed: number, { changes, clock }: Extras): PlannedChange[] {
  if (!changes && !clock) return [];
  const kinds = [
    ...(changes ? [{ weight: 3, arbitrary: change as fc.Arbitrary<Change> }] : []),
    ...(clock ? [{ weight: 1, arbitrary: clockMove as fc.Arbitrary<Change> }] : []),
  ];
  const planned = fc.record<PlannedChange>({
    change: fc.oneof(...kinds),
    isRunning: fc.boolean(),
    after: fc.integer({ min: 0, max: 2_000 }),
  });
  const [made] = fc.sample(
    fc.option(fc.array(planned, { minLength: 1, maxLength: 3 }), { nil: [], freq: 2 }),
    { seed, numRuns: 1 },
  );
  // Without a client that has it in memory the state is lost: the next one refuses to start.
  return (made ?? []).map((each) =>
    each.change.kind === 'state made again' ? { ...each, isRunning: true } : each,
  );
}

/** @param repeatable of each of the workload's messages: whether it may come more than once */
export function scenarioOf(seed: number, repeatable: readonly boolean[], extras: Extras): Scenario {
  const all = [...repeatable.keys()];
  const scenario = fc
    .record({
      standby: fc.boolean(),
      disturbances: fc.array(fc.oneof({ weight: 3, arbitrary: crash }, { weight: 2, arbitrary: blow }), {
        minLength: 3,
        maxLength: 5,
      }),
      broker: extras.broker
        ? fc.option(
            fc.record({
              during: fc.integer({ min: 0, max: 2 }),
              how: fc.constantFrom('SIGTERM' as const, 'SIGKILL' as const),
              away: fc.integer({ min: 0, max: 3_000 }),
            }),
            { nil: null, freq: 2 },
          )
        : fc.constant(null),
      again: fc.subarray(
        all.filter((index) => repeatable[index]),
        { maxLength: Math.ceil(all.length / 3) },
      ),
    })
    .chain(({ again, ...rest }) => {
      const deliveries = [...all, ...again];
      return fc.record({
        ...constants(rest),
        seed: fc.constant(seed),
        order: fc.shuffledSubarray(deliveries, { minLength: deliveries.length }),
        gaps: fc.array(fc.integer({ min: 0, max: 150 }), {
          minLength: deliveries.length,
          maxLength: deliveries.length,
        }),
      });
    });
  const [made] = fc.sample(scenario, { seed, numRuns: 1 });
  const changes = changesOf(seed, extras);
  return {
    ...(made as Omit<Scenario, 'changes' | 'hasSource' | 'hasReports' | 'services' | 'hasAlerts'>),
    changes,
    hasSource: isChosen(seed + 1, changes),
    hasReports: isChosen(seed + 3, changes),
    services: servicesOf(seed, changes, extras),
    hasAlerts: hasAlertsOf(seed, changes),
  };
}

/** Every second round; not where events are removed, for nobody could tell which of them were there. Drawn by itself, as changes are. */
function isChosen(seed: number, changes: readonly PlannedChange[]): boolean {
  const [chosen = false] = fc.sample(fc.boolean(), { seed, numRuns: 1 });
  return chosen && keepsEvents(changes);
}

/** As {@link isChosen}; not where the clock is moved, for that decides which windows are over. */
export function hasAlertsOf(seed: number, changes: readonly PlannedChange[]): boolean {
  return isChosen(seed + 4, changes) && !changes.some(({ change: { kind } }) => kind === 'clock moved');
}

/** As {@link isChosen}. Machines have one clock each here, which is not moved. */
function servicesOf(
  seed: number,
  changes: readonly PlannedChange[],
  { machines }: Extras,
): Scenario['services'] {
  const kinds = ['none', 'one machine', 'machines'] as const;
  const [chosen = 'none'] = fc.sample(fc.constantFrom(...kinds), { seed: seed + 2, numRuns: 1 });
  if (!keepsEvents(changes)) return 'none';
  const canBeApart = machines && changes.length === 0;
  return chosen === 'machines' && !canBeApart ? 'one machine' : chosen;
}

/** Whether no events are removed from their topic. */
export function keepsEvents(changes: readonly PlannedChange[]): boolean {
  const removes: readonly Change['kind'][] = ['topic made again', 'records removed'];
  return !changes.some(({ change: { kind } }) => removes.includes(kind));
}

function constants<T extends object>(values: T): { [K in keyof T]: fc.Arbitrary<T[K]> } {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, fc.constant(value)]),
  ) as never;
}

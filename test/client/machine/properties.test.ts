/**
 * The machine under everything that can happen to a client: events in any order, again and again, jobs that end in any way,
 * owners that die at any step and are followed by others. What is written is all that survives.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import {
  type Definition,
  type Effect,
  type JobOutcome,
  type MachineState,
  type Run,
  listRuns,
  recordsOf,
  restore,
} from '../../../src/client/machine/index.ts';
import { partitionPath, producedBy } from '../../../src/messages/index.ts';
import type { FrontierEvent, ManualRequest } from '../../../src/messages/types.ts';
import { Hippo, type JobYaml, SECOND, define, landing } from './hippo.ts';

/** Of each property: enough to find what was ever found, in seconds. */
const RUNS = 100;
vi.setConfig({ testTimeout: 60_000 });

type NeedYaml = NonNullable<JobYaml['needs']>[number];

const TABLES = ['a.a', 'a.b', 'a.c', 'a.d'];
const DAYS = ['2017-04-29', '2017-04-30', '2017-05-01'];
const MONTHS = ['201704', '201705'];

const single = (table: string): { table: string; partition: Record<string, string> } => ({
  table,
  partition: { dt: '{{ window }}' },
});
const MONTHLY: NeedYaml = { table: 'a.m', partition: { yyyymm: "{{ window | date: '%Y%m' }}" } };

/** A group of needs as hippo.yaml says it, and as the test understands it: so many of these tables. */
interface Group {
  yaml: NeedYaml;
  atLeast: number;
  tables: string[];
}
const plain = (table: string): Group => ({ yaml: single(table), atLeast: 1, tables: [table] });
const monthly: Group = { yaml: MONTHLY, atLeast: 1, tables: ['a.m'] };

const tables = fc.uniqueArray(fc.constantFrom(...TABLES), { minLength: 2, maxLength: 4 });
const anyOf = tables.map((some): Group => ({ yaml: { any_of: some.map(single) }, atLeast: 1, tables: some }));
const atLeast = tables.chain((some) =>
  fc.integer({ min: 1, max: some.length }).map((count): Group => ({
    yaml: { at_least: count, of: some.map(single) },
    atLeast: count,
    tables: some,
  })),
);
/** The needs of one job. The first names the day; a table may stand in several groups. */
const groups = fc
  .tuple(
    fc.constantFrom(...TABLES).map(plain),
    fc.array(fc.oneof(anyOf, atLeast, fc.constantFrom(...TABLES).map(plain), fc.constant(monthly)), {
      maxLength: 3,
    }),
  )
  .map(([first, rest]) => [first, ...rest]);

interface Landed {
  table: string;
  value: string;
  version: number;
}
const landed = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      table: fc.constantFrom(...TABLES),
      value: fc.constantFrom(...DAYS),
      version: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      table: fc.constant('a.m'),
      value: fc.constantFrom(...MONTHS),
      version: fc.integer({ min: 1, max: 3 }),
    }),
  },
);

type Action =
  | ({ do: 'land' } & Landed)
  /** The n-th of the processes that run. */
  | { do: 'exit'; which: number; how: JobOutcome['status'] }
  /** The end of an attempt that was replaced long ago is told again. */
  | { do: 'ghost'; which: number }
  /** The owner is gone; its processes live on (a lost connection) or not. */
  | { do: 'restart'; alive: boolean }
  | { do: 'wait'; seconds: number }
  | { do: 'ask'; action: ManualRequest['action']; key: string | undefined };

const land: fc.Arbitrary<Action> = landed.map((event) => ({ do: 'land', ...event }));
const exit = (...how: JobOutcome['status'][]): fc.Arbitrary<Action> =>
  fc.record({ do: fc.constant('exit'), which: fc.nat(9), how: fc.constantFrom(...how) });
const ghost: fc.Arbitrary<Action> = fc.record({ do: fc.constant('ghost'), which: fc.nat(9) });
const restarts: fc.Arbitrary<Action> = fc.record({ do: fc.constant('restart'), alive: fc.boolean() });
const wait: fc.Arbitrary<Action> = fc.record({
  do: fc.constant('wait'),
  seconds: fc.constantFrom(1, 30, 100, 4000),
});
const ask: fc.Arbitrary<Action> = fc.record({
  do: fc.constant('ask'),
  action: fc.constantFrom('run', 'cancel', 'pause', 'resume', 'mark_success'),
  key: fc.constantFrom(...DAYS, undefined),
});

/** A client with its processes, and the machine's promises checked after every action. */
class World {
  readonly hippo: Hippo;
  readonly #definition: Definition;
  readonly #concurrency: number;
  /** Attempt id → run: what runs now. */
  readonly processes = new Map<string, { job: string; key: string }>();
  /** By table and partition: the exec_date of the last event. */
  readonly #produced = new Map<string, number>();
  readonly #ghosts: { attemptId: string; run: { job: string; key: string } }[] = [];

  constructor(jobs: Record<string, JobYaml>, concurrency: number) {
    // Of some jobs the inputs have records of their own.
    this.#definition = define(jobs, { limits: { inline: 2 } });
    this.#concurrency = concurrency;
    this.hippo = new Hippo(this.#definition);
  }

  do(action: Action): void {
    const { hippo } = this;
    switch (action.do) {
      case 'land': {
        const level = action.table === 'a.m' ? 'yyyymm' : 'dt';
        this.#execute(hippo.read(landing(action.table, `${level}=${action.value}`, action.version)));
        break;
      }
      case 'exit': {
        const [attemptId, run] = [...this.processes][action.which % this.processes.size] ?? [];
        if (attemptId === undefined || run === undefined) return;
        this.processes.delete(attemptId);
        this.#ghosts.push({ attemptId, run });
        this.#execute(
          hippo.tell({ type: 'job-exited', at: hippo.now, run, attemptId, outcome: outcome(action.how) }),
        );
        break;
      }
      case 'ghost': {
        const old = this.#ghosts[action.which % this.#ghosts.length];
        if (old === undefined) return;
        const { state } = hippo;
        assert.deepEqual(
          hippo.tell({ type: 'job-exited', at: hippo.now, ...old, outcome: { status: 'succeeded' } }),
          [],
        );
        assert.deepEqual(hippo.state, state);
        break;
      }
      case 'restart': {
        const alive = action.alive ? [...this.processes.keys()] : [];
        if (!action.alive) {
          for (const [attemptId, run] of this.processes) this.#ghosts.push({ attemptId, run });
          this.processes.clear();
        }
        this.#execute(hippo.restart(alive));
        break;
      }
      case 'wait':
        this.#execute(hippo.wait(action.seconds * SECOND));
        break;
      case 'ask':
        this.#execute(
          hippo.ask(action.action, 'load', action.key === undefined ? {} : { runKey: action.key }),
        );
    }
    this.#check();
  }

  /** Every process ends well, until there is nothing left to do. */
  drain(): void {
    this.do({ do: 'ask', action: 'resume', key: undefined });
    for (let round = 0; round < 100; round++) {
      const open = [...listRuns(this.hippo.state)].filter(
        ({ status }) => status === 'ready' || status === 'running',
      );
      if (open.length === 0) return;
      if (this.processes.size === 0) this.do({ do: 'wait', seconds: 3600 });
      else this.do({ do: 'exit', which: 0, how: 'succeeded' });
    }
    throw new Error(`still not done: ${JSON.stringify(this.hippo.statuses)}`);
  }

  #execute(effects: readonly Effect[]): void {
    this.#checkOutputs(effects);
    for (const effect of effects) {
      if (effect.type !== 'submit') continue;
      const { attemptId, job, key } = effect.submission;
      assert.equal(
        this.processes.has(attemptId) || this.#ghosts.some((old) => old.attemptId === attemptId),
        false,
      );
      this.processes.set(attemptId, { job, key });
    }
  }

  /** Each success publishes each output once, in the step of its finish message; of one partition the exec_dates rise. */
  #checkOutputs(effects: readonly Effect[]): void {
    const messages = effects.flatMap((effect) => (effect.type === 'publish' ? [effect.message] : []));
    const events = messages.filter(({ kind }) => kind === 'frontier') as FrontierEvent[];
    const expected = messages.flatMap((message) =>
      message.kind === 'finish' && message.isSuccess
        ? [`${message.jobId} dm.day dt=${message.runKey ?? ''}`, `${message.jobId} dm.all `]
        : [],
    );
    assert.deepEqual(
      events.map(
        (event) =>
          `${producedBy(event)?.jobId ?? ''} ${event.db}.${event.table} ${event.partitions.map(partitionPath).join('')}`,
      ),
      expected,
    );
    for (const { table, partitions, execDate } of events) {
      const what = JSON.stringify([table, partitions]);
      assert.ok(execDate > (this.#produced.get(what) ?? -1));
      this.#produced.set(what, execDate);
    }
  }

  #check(): void {
    const { state, records, starts, finishes } = this.hippo;
    const runs = [...listRuns(state)];
    const running = runs.filter(({ status }) => status === 'running');
    assert.deepEqual(running.map(({ attemptId }) => attemptId).sort(), [...this.processes.keys()].sort());
    assert.ok(running.length <= this.#concurrency);
    // Nothing waits that could run.
    if (running.length < this.#concurrency)
      assert.deepEqual(
        runs.filter((run) => this.#isFitToStart(run)),
        [],
      );
    // At most one finish for a firing; one exactly when it is over; none of what never began but by mark_success.
    const finished = finishes.map(({ jobId }) => jobId);
    assert.equal(new Set(finished).size, finished.length);
    const firing = runs.filter(
      (run) => run.status === 'running' || (run.status === 'ready' && run.attempt > 0),
    );
    const begun = starts.map(({ jobId }) => jobId);
    assert.equal(new Set(begun).size, begun.length);
    assert.deepEqual(
      begun.filter((id) => !finished.includes(id)).sort(),
      firing.map(({ jobId }) => jobId).sort(),
    );
    for (const { jobId, extra } of finishes)
      assert.equal(begun.includes(jobId) || 'marked_by' in extra, true);
    // The records are the state.
    assert.deepEqual(contentOf(restore(this.#definition, records)), contentOf(state));
    const again = restore(this.#definition, recordsOf(this.#definition, state));
    assert.deepEqual(contentOf(again), contentOf(state));
    const apart = runs.filter((run) => run.apart === true);
    const parts = apart.flatMap(({ inputs, relanded }) => [...inputs.merge(relanded).keys()]);
    assert.equal([...records.keys()].filter((key) => key.includes('/run-input/')).length, parts.length);
  }

  #isFitToStart(run: Run): boolean {
    // One that has a time to wait for is started by a tick.
    if (run.status !== 'ready' || run.notBefore !== null) return false;
    return run.manual !== undefined || !this.hippo.state.pauses.has(run.job);
  }
}

/** What a state holds, and what is derived from it, but for the order in which it came about. */
function contentOf({ runs, landings, pauses, outputs }: MachineState): unknown {
  const jobs = runs.map(({ byKey, open, running, lastId }) => ({
    byKey: byKey
      .map((run) => ({ ...run, inputs: run.inputs.toObject(), relanded: run.relanded.toObject() }))
      .toObject(),
    open: [...open].sort(),
    running: [...running].sort(),
    lastId,
  }));
  return {
    jobs: jobs.toObject(),
    landings: landings.toObject(),
    pauses: pauses.toObject(),
    outputs: outputs.toJS(),
  };
}

function outcome(how: JobOutcome['status']): JobOutcome {
  return how === 'failed'
    ? { status: how, exitCode: 1, error: 'boom' }
    : how === 'succeeded'
      ? { status: how }
      : { status: how, reason: how };
}

/** What has landed for a window, in the test's own understanding: table → newest version. */
function newest(actions: readonly Action[], day: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const action of actions) {
    if (action.do !== 'land' || (action.value !== day && action.value !== day.slice(0, 7).replace('-', '')))
      continue;
    found.set(action.table, Math.max(action.version, found.get(action.table) ?? 0));
  }
  return found;
}

function isComplete(needed: readonly Group[], there: ReadonlyMap<string, number>): boolean {
  return needed.every((group) => group.tables.filter((table) => there.has(table)).length >= group.atLeast);
}

/** One for each run, and one that all runs share. */
const PRODUCES = [{ table: 'dm.day', partition: { dt: '{{ window }}' } }, { table: 'dm.all' }];

function jobOf(
  needed: readonly Group[],
  policy: JobYaml['on_reland'],
  concurrency: number,
): Record<string, JobYaml> {
  return {
    load: {
      every: 'day',
      needs: needed.map(({ yaml }) => yaml),
      on_reland: policy,
      concurrency,
      retries: { attempts: 1, backoff: '30s' },
      timeout: '1h',
      produces: PRODUCES,
    },
  };
}

const concurrency = fc.integer({ min: 1, max: 3 });
const actions = (...kinds: fc.Arbitrary<Action>[]): fc.Arbitrary<Action[]> =>
  fc.array(
    fc.oneof({ weight: 4, arbitrary: land }, ...kinds.map((arbitrary) => ({ weight: 1, arbitrary }))),
    { maxLength: 40 },
  );

describe('whatever lands, in whatever order and however often, with owners that die at any step', () => {
  it('each complete set fires exactly once, and an incomplete one never', () => {
    fc.assert(
      fc.property(
        groups,
        concurrency,
        actions(exit('succeeded', 'failed'), ghost, restarts, wait),
        (needed, places, all) => {
          const world = new World(jobOf(needed, 'ignore', places), places);
          for (const [index, action] of all.entries()) {
            world.do(action);
            for (const { runKey = '' } of world.hippo.starts) {
              assert.ok(isComplete(needed, newest(all.slice(0, index + 1), runKey)));
            }
          }
          world.drain();
          const complete = DAYS.filter((day) => isComplete(needed, newest(all, day)));
          expect(world.hippo.fired.sort()).toEqual(complete.map((day) => `load ${day}`));
          expect(world.hippo.finishes.map(({ runKey }) => runKey).sort()).toEqual(complete);
        },
      ),
      { numRuns: RUNS },
    );
  });

  it('with rerun, the last firing of each complete set has the newest of everything that it was started with', () => {
    fc.assert(
      fc.property(
        groups,
        concurrency,
        actions(exit('succeeded', 'failed', 'vetoed'), ghost, restarts, wait),
        (needed, places, all) => {
          const world = new World(jobOf(needed, 'rerun', places), places);
          for (const action of all) world.do(action);
          world.drain();
          for (const day of DAYS) {
            const there = newest(all, day);
            const last = [...listRuns(world.hippo.state)].find(({ key }) => key === day);
            if (!isComplete(needed, there)) {
              expect(last?.status ?? 'waiting').toBe('waiting');
              continue;
            }
            expect(last?.jobId).toBe(world.hippo.finishes.findLast(({ runKey }) => runKey === day)?.jobId);
            for (const [need, { version }] of last?.inputs ?? [])
              expect(version).toBe(there.get(need.split('#')[0] ?? ''));
          }
        },
      ),
      { numRuns: RUNS },
    );
  });
});

it('with people who ask for anything at any time, all promises hold', () => {
  fc.assert(
    fc.property(
      groups,
      concurrency,
      fc.constantFrom<JobYaml['on_reland']>('rerun', 'hold', 'ignore'),
      fc.constantFrom<JobYaml['while_paused']>('keep', 'drop'),
      actions(exit('succeeded', 'failed', 'vetoed', 'cancelled'), ghost, restarts, wait, ask, ask),
      (needed, places, policy, paused, all) => {
        const jobs = jobOf(needed, policy, places);
        const world = new World({ load: { ...jobs['load']!, while_paused: paused } }, places);
        for (const action of all) world.do(action);
        world.drain();
      },
    ),
    { numRuns: RUNS },
  );
});

it('the same events give the same effects', () => {
  fc.assert(
    fc.property(groups, actions(wait, ask), (needed, all) => {
      const [one, other] = [0, 1].map(() => {
        const world = new World(jobOf(needed, 'rerun', 2), 2);
        for (const action of all) world.do(action);
        return [...world.hippo.records, world.hippo.submissions, world.hippo.starts];
      });
      expect(one).toEqual(other);
    }),
    { numRuns: RUNS / 10 },
  );
});

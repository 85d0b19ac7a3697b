import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecordSet } from '../../src/core/record-ref.ts';
import { StateMemory } from '../../src/observe/state-memory.ts';
import type { InputState, RunState, RunStatus } from '../../src/state/index.ts';
import { stateEntry } from '../../src/state/reader.ts';

const input = (offset: number, topicId = 'one'): InputState => ({
  topic: 'frontier-adw',
  topicId,
  partition: 1,
  offset: String(offset),
  need: 'btd.party',
  version: 1,
  values: {},
  at: 0,
});

function run(
  key: string,
  status: RunStatus,
  inputs: readonly InputState[],
  more: Partial<RunState> = {},
): RunState {
  return {
    job: 'load',
    key,
    status,
    jobId: 'load_1',
    attempt: 1,
    failures: 0,
    attemptId: 'a',
    inputs: Object.fromEntries(inputs.map((each, index) => [`need-${index}`, each])),
    relanded: {},
    firstInputAt: 0,
    startedAt: 0,
    attemptAt: null,
    finishedAt: 1,
    notBefore: null,
    deadlineMissed: false,
    ...more,
  };
}

function memoryOf(...records: [key: string, value: unknown][]): StateMemory {
  const memory = new StateMemory();
  for (const record of records) take(memory, record);
  return memory;
}

function take(memory: StateMemory, [key, value]: [key: string, value: unknown]): void {
  const bytes = value === null ? null : Buffer.from(JSON.stringify(value));
  const record = { topic: 'hippo-state', topicId: 's', partition: 0, offset: 0n, timestamp: 7, headers: {} };
  const entry = stateEntry({ ...record, key: Buffer.from(key), value: bytes });
  if (entry !== undefined) memory.take(entry);
}

const OWNER = { client: 'c', token: 't', host: 'h', pid: 1, since: '2017-04-28T00:00:00Z' };
const KEY = 'sales/run/load/2017-04-28';

describe('a run that has succeeded', () => {
  it('is left out, and what it was started with has landed', () => {
    const { runs, succeeded, withRuns, landed } = memoryOf([
      KEY,
      run('2017-04-28', 'succeeded', [input(5)]),
    ]).look();
    expect(runs).toEqual([]);
    expect([...succeeded]).toEqual([KEY]);
    expect([...withRuns]).toEqual(['sales']);
    expect([4, 5].map((offset) => landed.has(input(offset)))).toEqual([false, true]);
    expect(landed.has(input(5, 'another'))).toBe(false);
  });

  it('is not listed by name where the hippo says which jobs it has', () => {
    const { succeeded } = memoryOf(
      [KEY, run('2017-04-28', 'succeeded', [])],
      ['sales/owner', { ...OWNER, jobs: { load: 'day' } }],
    ).look();
    expect([...succeeded]).toEqual([]);
  });

  it('is there while it is held', () => {
    const held = run('2017-04-28', 'succeeded', [input(5)], { held: 'btd.party has landed again' });
    const { runs, succeeded } = memoryOf([KEY, held]).look();
    expect(runs).toEqual([{ hippo: 'sales', run: held }]);
    expect([...succeeded]).toEqual([]);
  });
});

it('forgets what a record said that is replaced or removed, before and after a look', () => {
  const memory = memoryOf(
    [KEY, run('2017-04-28', 'running', [input(5)])],
    [KEY, run('2017-04-28', 'succeeded', [input(6)])],
    ['sales/input/load/btd.party/x', input(7)],
  );
  const before = memory.look();
  expect([5, 6, 7].map((offset) => before.landed.has(input(offset)))).toEqual([false, true, true]);
  take(memory, [KEY, run('2017-04-28', 'failed', [input(8)])]);
  take(memory, ['sales/input/load/btd.party/x', null]);
  const after = memory.look();
  expect(after.runs).toMatchObject([{ run: { status: 'failed' } }]);
  expect([6, 7, 8].map((offset) => after.landed.has(input(offset)))).toEqual([false, false, true]);
  take(memory, [KEY, null]);
  expect(memory.look()).toMatchObject({ runs: [], withRuns: new Set() });
  // What a look has returned does not change.
  expect(before.landed.has(input(6))).toBe(true);
});

it('has the same runs and landings as all records have, in any order of records', () => {
  const statuses = ['waiting', 'running', 'succeeded', 'failed', 'cancelled'] as const;
  const record = fc.tuple(
    fc.constantFrom('1', '2', '3'),
    fc.option(fc.tuple(fc.constantFrom(...statuses), fc.array(fc.nat(9), { maxLength: 3 }), fc.boolean())),
    fc.boolean(),
  );
  fc.assert(
    fc.property(fc.array(record, { maxLength: 20 }), (records) => {
      const memory = new StateMemory();
      const latest = new Map<string, RunState>();
      for (const [key, said, looks] of records) {
        const id = `sales/run/load/${key}`;
        const value =
          said === null
            ? null
            : run(
                key,
                said[0],
                said[1].map((offset) => input(offset)),
                said[2] ? { held: 'why' } : {},
              );
        take(memory, [id, value]);
        if (value === null) latest.delete(id);
        else latest.set(id, value);
        if (looks) memory.look();
      }
      const { runs, succeeded, landed } = memory.look();
      const is = ({ status, held }: RunState): boolean => status === 'succeeded' && held === undefined;
      const all = [...latest];
      expect(runs.map((each) => each.run.key).sort()).toEqual(
        all.flatMap(([, each]) => (is(each) ? [] : [each.key])).sort(),
      );
      expect([...succeeded].sort()).toEqual(all.flatMap(([id, each]) => (is(each) ? [id] : [])).sort());
      const expected = new RecordSet(all.flatMap(([, { inputs }]) => Object.values(inputs)));
      for (let offset = 0; offset < 10; offset += 1)
        expect(landed.has(input(offset))).toBe(expected.has(input(offset)));
    }),
  );
});

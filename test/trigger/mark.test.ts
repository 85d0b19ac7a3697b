import { describe, expect, test } from 'vitest';
import { backfillBegan, newBackfillId, readMark, writeMark } from '../../src/trigger/mark.ts';
import { type RangePlan, rangeEvents, readPlan } from '../../src/trigger/range-plan.ts';

const BEGAN = Date.UTC(2017, 3, 28, 15, 55, 46);

describe("a backfill's id", () => {
  test('contains the time when it began', () => {
    const id = newBackfillId(BEGAN + 123);
    expect(id).toMatch(/^20170428T155546Z-[a-z0-9]{4}$/);
    expect(backfillBegan(id)).toBe(BEGAN);
    expect(newBackfillId(BEGAN)).not.toBe(id);
  });

  test.each([
    '',
    'x',
    '20170428T155546Z',
    '20171328T155546Z-abcd',
    '20170428T155546Z-abcde',
    '20170428T155546Z-abc/1',
  ])('%j is not an id', (text) => {
    expect(backfillBegan(text)).toBeUndefined();
  });
});

describe("an event's mark", () => {
  const id = '20170428T155546Z-k3x9';

  test('has the number of the event and of all events', () => {
    expect(writeMark({ id, n: 3, total: 12 })).toBe('20170428T155546Z-k3x9/3/12');
    expect(readMark('20170428T155546Z-k3x9/3/12')).toEqual({ id, n: 3, total: 12 });
  });

  test.each(['', id, `${id}/3`, `${id}/0/12`, `${id}/13/12`, `${id}/3/12/`, 'x/3/12', `${id}/-3/12`])(
    '%j is not a mark',
    (text) => {
      expect(readMark(text)).toBeUndefined();
    },
  );
});

describe("a range's plan", () => {
  const plan: RangePlan = {
    db: 'btd',
    table: 'party',
    method: 'partition',
    dialect: 'pairs',
    exec_date: 1_493_394_946,
    partition: [
      { name: 'yyyymm', value: '%Y%m' },
      { name: 'share', value: '100%%' },
    ],
    range: '2017-01..2017-03',
    backwards: true,
    calendar: { timezone: 'UTC', day_starts: '00:00' },
  };
  const id = '20170428T155546Z-k3x9';

  test('makes its events in order, each with its mark, the plan and a trace of its own', () => {
    const events = rangeEvents(plan, 'frontier-adw', id);
    expect(events.map(({ n, partition }) => [n, partition])).toEqual([
      [1, 'yyyymm=201703/share=100%25'],
      [2, 'yyyymm=201702/share=100%25'],
      [3, 'yyyymm=201701/share=100%25'],
    ]);
    expect(events[1]?.record).toEqual({
      topic: 'frontier-adw',
      key: 'btd.party',
      value: expect.stringContaining('"yyyymm","value":"201702"') as string,
      headers: {
        traceparent: expect.stringMatching(/^00-/) as string,
        'hippo-backfill': `${id}/2/3`,
        'hippo-backfill-plan': JSON.stringify(plan),
      },
    });
    expect(new Set(events.map(({ traceparent }) => traceparent)).size).toBe(3);
  });

  test('that is read from a header makes the same messages at any time on any machine', () => {
    const again = readPlan(JSON.stringify(plan));
    expect(again).toEqual(plan);
    const values = (from: RangePlan): unknown[] =>
      rangeEvents(from, 't', id).map(({ record }) => record.value);
    expect(values(again!)).toEqual(values(plan));
  });

  test.each([
    '',
    'x',
    '{}',
    JSON.stringify({ ...plan, backwards: undefined }),
    JSON.stringify({ ...plan, dialect: 'x' }),
    JSON.stringify({ ...plan, partition: [{ name: 'a' }] }),
    JSON.stringify({ ...plan, calendar: null }),
  ])('%j is not a plan', (text) => {
    expect(readPlan(text)).toBeUndefined();
  });
});

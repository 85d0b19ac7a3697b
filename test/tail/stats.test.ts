import { describe, expect, it } from 'vitest';
import { Counter } from '../../src/tail/count.ts';
import { Statistics } from '../../src/tail/stats.ts';
import type { MessageKind } from '../../src/messages/index.ts';
import { record } from '../records/record.ts';

const KINDS = new Map<string, MessageKind>([
  ['frontier-adw', 'frontier'],
  ['hippo-start', 'start'],
  ['hippo-finish', 'finish'],
  ['hippo-schedule', 'schedule'],
  ['service-health', 'health'],
]);
const NOON = Date.UTC(2017, 3, 28, 12);

const event = (table: string, timestamp = NOON) =>
  record({
    timestamp,
    value: `{"db":"btd","table":"${table}","partition":[],"method":"append","exec_date":"1"}`,
  });
const run = (topic: string, fields: object) =>
  record({
    topic,
    timestamp: NOON,
    value: JSON.stringify({ hippo_name: 'etl', job_name: 'load', job_id: 'load_1', ...fields }),
  });
const finish = (is_success: boolean, duration_time: number) =>
  run('hippo-finish', { is_success, duration_time, finish_time: 2 });
const health = (is_success: number) =>
  record({
    topic: 'service-health',
    value: JSON.stringify({
      ...{ clientIP: '10.0.0.7', path: '/srv/etl', service_name: 'etl', monitor_pid: 1, service_pid: 2 },
      ...{ exec_time: NOON, is_success, error_msg: '', coordAddress: '', interval: 30_000, user: 'hippo' },
    }),
  });

const statsOf = (...records: ReturnType<typeof record>[]) => {
  const statistics = new Statistics([...KINDS.keys()].slice(0, 2), KINDS);
  for (const each of records) statistics.take(each);
  return statistics.report();
};

describe('statistics', () => {
  it('of nothing are zeros, for each topic', () => {
    const nothing = { records: 0, bytes: 0, first: null, last: null, rate: null };
    expect(statsOf()).toEqual({
      ...nothing,
      topics: [
        { topic: 'frontier-adw', ...nothing },
        { topic: 'hippo-start', ...nothing },
      ],
      tables: [],
      hippos: [],
      others: 0,
    });
  });

  it('count records, bytes and time', () => {
    const stats = statsOf(
      record({ key: 'é', value: 'abc', timestamp: NOON + 4000 }),
      record({ value: null, timestamp: NOON }),
      record({ value: 'x', timestamp: -1 }),
    );
    expect(stats).toMatchObject({
      records: 3,
      bytes: 6,
      first: '2017-04-28T12:00:00.000Z',
      last: '2017-04-28T12:00:04.000Z',
      rate: 0.75,
      others: 3,
    });
  });

  it('tell how much landed of each table, the busiest first', () => {
    const { tables } = statsOf(event('a'), event('b', NOON + 1000), event('b'), event('c'));
    expect(tables).toEqual([
      { table: 'btd.b', events: 2, last: '2017-04-28T12:00:01.000Z' },
      { table: 'btd.a', events: 1, last: '2017-04-28T12:00:00.000Z' },
      { table: 'btd.c', events: 1, last: '2017-04-28T12:00:00.000Z' },
    ]);
  });

  it('tell what each hippo did', () => {
    const { hippos, others } = statsOf(
      run('hippo-start', { start_time: 1 }),
      run('hippo-start', { start_time: 1 }),
      run('hippo-schedule', {}),
      finish(true, 10),
      finish(false, 3.5),
      health(1),
      health(0),
    );
    expect(others).toBe(0);
    expect(hippos).toEqual([
      {
        hippo: 'etl',
        started: 2,
        succeeded: 1,
        failed: 1,
        mean_duration: 6.8,
        requested: 1,
        well: false,
      },
    ]);
  });

  it('recognise messages on topics that hippo.yaml does not name', () => {
    const { tables, topics } = statsOf({ ...event('a'), topic: 'uat-frontier' });
    expect(tables).toHaveLength(1);
    expect(topics.map(({ topic, records }) => [topic, records])).toContainEqual(['uat-frontier', 1]);
  });
});

describe('a count', () => {
  it('is by topic, those without records too', () => {
    const counter = new Counter(['a', 'b']);
    counter.take(record({ topic: 'a' }));
    counter.take(record({ topic: 'a' }));
    expect(counter.report()).toEqual([
      { topic: 'a', records: 2 },
      { topic: 'b', records: 0 },
    ]);
  });
});

import { describe, expect, it } from 'vitest';
import { nextWake } from '../../../src/client/machine/index.ts';
import { DAY, Hippo, type JobYaml, NOON, SECOND, daily, landing, monthly, notices } from './hippo.ts';

const join = (needs: JobYaml['needs'], more: Partial<JobYaml> = {}): Hippo =>
  new Hippo({ load: { every: 'day', needs, concurrency: 100, ...more } });
const regional = { dt: '{{ window }}', region: '{{ region }}' };

describe('a run fires when its needs are complete, and once', () => {
  it('all of them, in any order', () => {
    for (const order of [
      ['a.a', 'a.b'],
      ['a.b', 'a.a'],
    ]) {
      const hippo = join([daily('a.a'), daily('a.b')]);
      hippo.land(order[0]!, 'dt=2017-04-28');
      expect(hippo.statuses).toEqual({ 'load 2017-04-28': 'waiting' });
      hippo.land(order[1]!, 'dt=2017-04-28');
      expect(hippo.statuses).toEqual({ 'load 2017-04-28': 'running' });
      expect(hippo.fired).toEqual(['load 2017-04-28']);
    }
  });

  it('any_of: the first that lands; the others change nothing', () => {
    const hippo = join([{ any_of: [daily('a.a'), daily('a.b')] }]);
    hippo.land('a.b', 'dt=2017-04-28');
    hippo.exit('load', '2017-04-28');
    hippo.land('a.a', 'dt=2017-04-28');
    expect(hippo.fired).toEqual(['load 2017-04-28']);
    expect(hippo.statuses).toEqual({ 'load 2017-04-28': 'succeeded' });
  });

  it('at_least: so many of them', () => {
    const hippo = join([{ at_least: 2, of: [daily('a.a'), daily('a.b'), daily('a.c')] }]);
    hippo.land('a.c', 'dt=2017-04-28');
    expect(hippo.fired).toEqual([]);
    hippo.land('a.a', 'dt=2017-04-28');
    expect(hippo.fired).toEqual(['load 2017-04-28']);
    hippo.land('a.b', 'dt=2017-04-28');
    expect(hippo.fired).toEqual(['load 2017-04-28']);
  });

  it('each: one for every value, or so many of them', () => {
    const each = { each: { region: ['us', 'eu', 'ap'] }, table: 'a.a', partition: regional };
    const all = join([each]);
    const two = join([{ ...each, at_least: 2 }]);
    for (const [index, region] of ['eu', 'us', 'ap'].entries()) {
      all.land('a.a', `dt=2017-04-28/region=${region}`);
      two.land('a.a', `dt=2017-04-28/region=${region}`);
      expect([all.fired.length, two.fired.length]).toEqual([index === 2 ? 1 : 0, index >= 1 ? 1 : 0]);
    }
  });

  it('a message that no job needs changes nothing', () => {
    const hippo = join([daily('a.a')]);
    const before = hippo.state;
    expect(hippo.land('a.other', 'dt=2017-04-28')).toEqual([]);
    expect(hippo.state).toBe(before);
  });
});

describe('windows are those of the events, not of the clock', () => {
  it('a late event finds its own run, and a backfill of last year runs last year’s', () => {
    const hippo = join([daily('a.a'), daily('a.b')]);
    hippo.land('a.a', 'dt=2017-04-28');
    hippo.land('a.a', 'dt=2016-02-29');
    hippo.land('a.b', 'dt=2016-02-29');
    expect(hippo.statuses).toEqual({ 'load 2016-02-29': 'running', 'load 2017-04-28': 'waiting' });
    hippo.wait(40 * DAY);
    hippo.land('a.b', 'dt=2017-04-28');
    expect(hippo.fired).toEqual(['load 2016-02-29', 'load 2017-04-28']);
  });

  it('two windows fill at the same time', () => {
    const hippo = join([daily('a.a'), daily('a.b')]);
    hippo.land('a.a', 'dt=2017-04-28');
    hippo.land('a.b', 'dt=2017-04-27');
    expect(hippo.fired).toEqual([]);
    hippo.land('a.a', 'dt=2017-04-27');
    expect(hippo.fired).toEqual(['load 2017-04-27']);
    hippo.land('a.b', 'dt=2017-04-28');
    expect(hippo.fired).toEqual(['load 2017-04-27', 'load 2017-04-28']);
  });

  it('a day of 23 hours is complete when its 23 hours are', () => {
    const berlin = new Hippo(
      {
        load: {
          every: 'hour',
          concurrency: 100,
          needs: [{ table: 'a.a', partition: { hh: "{{ window | date: '%Y%m%d%H' }}" } }],
        },
      },
      { timezone: 'Europe/Berlin' },
    );
    for (let hour = 0; hour < 24; hour++) berlin.land('a.a', `hh=20170326${String(hour).padStart(2, '0')}`);
    expect(berlin.fired).toHaveLength(23);
    expect(berlin.fired).not.toContain('load 2017-03-26T02');
  });

  it('an hour that comes twice is served twice by a partition that cannot tell', () => {
    const berlin = new Hippo(
      {
        load: {
          every: 'hour',
          concurrency: 100,
          needs: [{ table: 'a.a', partition: { hh: "{{ window | date: '%Y%m%d%H' }}" } }],
        },
      },
      { timezone: 'Europe/Berlin' },
    );
    berlin.land('a.a', 'hh=2017102902');
    expect(berlin.fired).toEqual(['load 2017-10-29T02+02:00', 'load 2017-10-29T02+01:00']);
  });
});

describe('a month that a daily job needs', () => {
  const needs = [daily('a.a'), monthly('a.m')];

  it('stays satisfied for the days of the month, and for no other', () => {
    const hippo = join(needs);
    hippo.land('a.m', 'yyyymm=201704');
    expect(hippo.statuses).toEqual({});
    for (const day of ['2017-04-01', '2017-04-30', '2017-05-01', '2017-03-31'])
      hippo.land('a.a', `dt=${day}`);
    expect(hippo.fired).toEqual(['load 2017-04-01', 'load 2017-04-30']);
  });

  it('fires all days that have waited for it', () => {
    const hippo = join(needs);
    for (const day of ['2017-04-03', '2017-04-02', '2017-05-01']) hippo.land('a.a', `dt=${day}`);
    expect(hippo.fired).toEqual([]);
    hippo.land('a.m', 'yyyymm=201704');
    expect(hippo.fired).toEqual(['load 2017-04-02', 'load 2017-04-03']);
  });

  it('is remembered until its last day has been, however short the memory', () => {
    const hippo = new Hippo(
      {
        load: {
          every: 'day',
          needs: [daily('a.a'), { table: 'a.y', partition: { yyyy: "{{ window | date: '%Y' }}" } }],
        },
      },
      { keep: DAY },
    );
    hippo.land('a.y', 'yyyy=2017');
    hippo.wait(200 * DAY);
    hippo.land('a.a', 'dt=2017-11-14');
    expect(hippo.fired).toEqual(['load 2017-11-14']);
    hippo.exit('load', '2017-11-14');
    hippo.wait(60 * DAY);
    expect([...hippo.records.keys()]).toEqual([]);
  });
});

describe('versions', () => {
  const ignored = (table: string) => [
    {
      type: 'notice',
      level: 'info',
      text: expect.stringContaining(`load ignores ${table} dt=2017-04-28 (frontier 0:`) as string,
    },
  ];

  it('an equal one is a duplicate: no effect but a line in the log', () => {
    const hippo = join([daily('a.a'), daily('a.b')]);
    hippo.land('a.a', 'dt=2017-04-28', 100);
    expect(hippo.land('a.a', 'dt=2017-04-28', 100)).toEqual(ignored('a.a'));
    hippo.land('a.b', 'dt=2017-04-28', 100);
    expect(hippo.land('a.b', 'dt=2017-04-28', 100)).toEqual(ignored('a.b'));
    hippo.exit('load', '2017-04-28');
    expect(hippo.land('a.b', 'dt=2017-04-28', 100)).toEqual(ignored('a.b'));
    expect(hippo.fired).toHaveLength(1);
  });

  it('an older one is late news of the past: no effect but a line in the log', () => {
    const hippo = join([daily('a.a'), daily('a.b')]);
    hippo.land('a.a', 'dt=2017-04-28', 100);
    expect(hippo.land('a.a', 'dt=2017-04-28', 99)).toEqual(ignored('a.a'));
    hippo.land('a.b', 'dt=2017-04-28', 100);
    hippo.exit('load', '2017-04-28');
    expect(hippo.land('a.b', 'dt=2017-04-28', 99)).toEqual(ignored('a.b'));
  });

  it('one far in the future is taken, with a warning: it shadows all that land before that date', () => {
    const hippo = join([daily('a.a'), daily('a.b')]);
    const at = NOON / SECOND;
    expect(notices(hippo.land('a.a', 'dt=2017-04-28', at + 86_400))).toEqual([]);
    expect(notices(hippo.land('a.a', 'dt=2017-04-28', at + 86_401))).toEqual([
      'warning: a.a dt=2017-04-28 (frontier 0:2) has the exec_date 2017-04-29T12:00:01Z, which is in the future: landings with an earlier exec_date will be ignored',
    ]);
    expect(notices(hippo.land('a.a', 'dt=2017-04-28', at))).toEqual([
      'info: load ignores a.a dt=2017-04-28 (frontier 0:3): its exec_date 2017-04-28T12:00:00Z is not newer than that of the landing before, 2017-04-29T12:00:01Z (frontier 0:2)',
    ]);
  });

  it('a newer one replaces what has not been used yet', () => {
    const hippo = join([daily('a.a'), daily('a.b')]);
    hippo.land('a.a', 'dt=2017-04-28', 100);
    hippo.land('a.a', 'dt=2017-04-28', 101);
    hippo.land('a.b', 'dt=2017-04-28', 100);
    expect(hippo.fired).toHaveLength(1);
    expect(hippo.starts[0]?.receiveMsgs?.map(({ need, offset }) => [need, offset])).toEqual([
      ['a.a', '2'],
      ['a.b', '3'],
    ]);
  });
});

it('several jobs may need the same table, and one job the same table twice', () => {
  const before = { table: 'a.a', partition: { dt: "{{ window | minus: '1d' | date: '%F' }}" } };
  const hippo = new Hippo({
    one: { every: 'day', needs: [daily('a.a')] },
    two: { every: 'day', needs: [daily('a.a'), before] },
  });
  hippo.land('a.a', 'dt=2017-04-27');
  hippo.land('a.a', 'dt=2017-04-28');
  expect(hippo.statuses).toEqual({
    'one 2017-04-27': 'running',
    'one 2017-04-28': 'ready',
    'two 2017-04-27': 'waiting',
    'two 2017-04-28': 'running',
    'two 2017-04-29': 'waiting',
  });
});

it('runs of every: event are named by the partition: the needs of a job join on it', () => {
  const hippo = new Hippo({
    load: { every: 'event', needs: [{ table: 'a.a' }, { table: 'a.b' }], concurrency: 9 },
  });
  hippo.land('a.a', 'yyyymm=201704');
  hippo.land('a.b', 'yyyymm=201705');
  hippo.land('a.b', 'yyyymm=201704');
  expect(hippo.statuses).toEqual({ 'load yyyymm=201704': 'running', 'load yyyymm=201705': 'waiting' });
});

it('a client that does not own the hippo does not act', () => {
  const hippo = join([daily('a.a')]);
  hippo.tell({ type: 'ownership-lost', at: NOON });
  expect(hippo.land('a.a', 'dt=2017-04-28')).toEqual([]);
  expect(hippo.ask('run', 'load')).toEqual([]);
  expect(hippo.wait(100 * DAY)).toEqual([]);
  expect(nextWake(hippo.state)).toBeNull();
  expect(hippo.statuses).toEqual({});
});

it('what a step is given is not changed by it', () => {
  const hippo = join([daily('a.a')]);
  const before = hippo.state;
  hippo.land('a.a', 'dt=2017-04-28');
  expect(before.runs.size + before.landings.size).toBe(0);
  expect(landing('a.a').execDate).toBe(NOON / SECOND);
});

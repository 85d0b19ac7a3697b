import { describe, expect, it } from 'vitest';
import { restore } from '../../../src/client/machine/index.ts';
import type { Json } from '../../../src/core/json.ts';
import { DAY, Hippo, type JobYaml, MINUTE, SECOND, notices, daily, define } from './hippo.ts';

const KEY = '2017-04-28';
const JOB: JobYaml = { every: 'day', needs: [daily('a.a')], retries: { attempts: 1, backoff: '30s' } };
const running = (more: Partial<JobYaml> = {}): Hippo => {
  const hippo = new Hippo({ load: { ...JOB, ...more } });
  hippo.land('a.a', `dt=${KEY}`);
  return hippo;
};

describe('the next owner', () => {
  it('runs again what was running: another attempt of the same firing, which is no failure', () => {
    const hippo = running();
    hippo.restart();
    expect(hippo.run('load', KEY)).toMatchObject({ status: 'running', attempt: 2, failures: 0 });
    expect(new Set(hippo.submissions.map(({ attemptId }) => attemptId)).size).toBe(2);
    hippo.restart();
    hippo.fail('load', KEY);
    hippo.wait(MINUTE);
    hippo.exit('load', KEY);
    expect(hippo.fired).toHaveLength(1);
    expect(hippo.finishes).toMatchObject([{ isSuccess: true, jobId: hippo.starts[0]?.jobId }]);
    expect(hippo.submissions.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4]);
  });

  it('leaves alone what still runs here', () => {
    const hippo = running();
    const { attemptId } = hippo.run('load', KEY);
    expect(hippo.restart([attemptId ?? ''])).toEqual([]);
    hippo.exit('load', KEY);
    expect(hippo.submissions).toHaveLength(1);
    expect(hippo.finishes).toHaveLength(1);
  });

  it('does not hear the end of an attempt that it has replaced', () => {
    const hippo = running();
    const attemptId = hippo.run('load', KEY).attemptId ?? '';
    hippo.restart();
    const late = {
      type: 'job-exited',
      at: hippo.now,
      run: { job: 'load', key: KEY },
      attemptId,
      outcome: { status: 'succeeded' },
    } as const;
    expect(hippo.tell(late)).toEqual([]);
  });

  it('goes on with what has begun before it begins anything else', () => {
    const hippo = new Hippo({ load: JOB });
    for (const day of [KEY, '2017-04-26', '2017-04-27']) hippo.land('a.a', `dt=${day}`);
    hippo.restart();
    expect(hippo.submissions.map(({ key }) => key)).toEqual([KEY, KEY]);
  });

  it('completes a cancellation, and a timeout', () => {
    const cancelled = running();
    cancelled.ask('cancel', 'load');
    cancelled.restart();
    expect(cancelled.statuses).toEqual({ [`load ${KEY}`]: 'cancelled' });
    expect(cancelled.finishes).toMatchObject([{ isSuccess: false, errorMsg: 'cancelled by hand' }]);
    const late = running({ timeout: '1m' });
    late.wait(MINUTE);
    late.restart();
    expect(late.run('load', KEY)).toMatchObject({
      status: 'ready',
      failures: 1,
      error: 'it ran for longer than its timeout of 1 min',
    });
  });

  it('stops what still runs here and was to be stopped: the order may not have come through', () => {
    const hippo = running();
    const attemptId = hippo.run('load', KEY).attemptId ?? '';
    hippo.ask('cancel', 'load');
    expect(hippo.restart([attemptId])).toEqual([
      { type: 'cancel', run: { job: 'load', key: KEY }, attemptId, reason: 'cancelled by hand' },
    ]);
  });

  it('writes nothing about what has not changed', () => {
    const hippo = new Hippo({ load: { ...JOB, needs: [daily('a.a'), daily('a.b')] } });
    hippo.land('a.a', `dt=${KEY}`);
    expect(hippo.restart()).toEqual([]);
  });

  it('knows how long a retry still has to wait', () => {
    const hippo = running();
    hippo.fail('load', KEY);
    hippo.now += 20 * SECOND;
    hippo.restart();
    hippo.wait(9 * SECOND);
    expect(hippo.submissions).toHaveLength(1);
    hippo.wait(SECOND);
    expect(hippo.submissions).toHaveLength(2);
  });
});

describe('a changed hippo.yaml', () => {
  const two = define({ load: { ...JOB, needs: [daily('a.a'), daily('a.b')] } });
  const one = define({ load: JOB });

  it('that needs less completes what has waited', () => {
    const hippo = new Hippo(two);
    hippo.land('a.a', `dt=${KEY}`);
    hippo.restart([], one);
    expect(hippo.fired).toEqual([`load ${KEY}`]);
  });

  it('that needs more lets what was ready wait', () => {
    const hippo = new Hippo({ load: JOB });
    hippo.land('a.a', 'dt=2017-04-27');
    hippo.land('a.a', `dt=${KEY}`);
    hippo.restart([], two);
    expect(hippo.statuses).toEqual({ 'load 2017-04-27': 'running', [`load ${KEY}`]: 'waiting' });
  });

  it('without a job, or with other windows, leaves alone what is remembered of it, and says so', () => {
    const hippo = running();
    const records = new Map(hippo.records);
    for (const jobs of [
      { other: JOB },
      { load: { ...JOB, every: 'month' as const, needs: [{ table: 'a.a' }] } },
    ]) {
      const next = define(jobs);
      expect(notices(hippo.restart([], next))[0]).toMatch(
        /^warning: the state topic has records of jobs that hippo.yaml does not have, or has with other windows; they are kept: (run load 2017-04-28|a landing that load remembers)/,
      );
      hippo.wait(100 * DAY);
      const runs = [...records].filter(([key]) => key.includes('/run/'));
      for (const [key, value] of runs) expect(hippo.records.get(key)).toBe(value);
      expect(runs).toHaveLength(1);
    }
    hippo.restart([], one);
    expect(hippo.statuses).toEqual({ [`load ${KEY}`]: 'running' });
  });
});

describe('records', () => {
  const definition = define({ load: JOB });

  it('of every kind are restored', () => {
    const hippo = running();
    hippo.fail('load', KEY);
    hippo.ask('pause', 'load', { by: 'ann' });
    expect([...hippo.records.keys()].sort()).toEqual([
      `etl/input/load/a.a/dt=${KEY}`,
      'etl/paused/load',
      `etl/run/load/${KEY}`,
    ]);
    const state = restore(hippo.definition, hippo.records);
    expect(state.runs.toJS()).toEqual(hippo.state.runs.toJS());
    expect(state.landings.toJS()).toEqual(hippo.state.landings.toJS());
    expect(state.pauses.toJS()).toEqual(hippo.state.pauses.toJS());
  });

  it.each<[key: string, value: Json]>([
    ['other/run/load/2017-04-28', {}],
    ['etl/offsets', { frontier: { '0': '7' } }],
    ['etl/owner', { token: 'x' }],
    ['etl/run/load/2017-04-28', null],
    ['nonsense', 1],
  ])('of others are passed over: %s', (key, value) => {
    expect(restore(definition, [[key, value]])).toMatchObject({ strays: [] });
  });

  it.each<[key: string, value: Json]>([
    ['etl/run/load/2017-04-28', {}],
    ['etl/run/load/2017-04-28', 'running'],
    ['etl/run/load/2017-04-28', { job: 'load', key: '2017-04-27', status: 'running' }],
    ['etl/run/gone/2017-04-28', {}],
    ['etl/input/load/a.a/x', []],
    [
      'etl/input/load/a.a/x',
      { need: 'a.b', topic: 't', offset: '1', partition: 0, version: 1, at: 0, values: {} },
    ],
    ['etl/paused/load', { by: 'ann' }],
  ])('of another shape are left alone: %s %j', (key, value) => {
    const state = restore(definition, [[key, value]]);
    expect(state.strays).toEqual([key]);
    expect([state.runs.size, state.landings.size, state.pauses.size]).toEqual([0, 0, 0]);
  });
});

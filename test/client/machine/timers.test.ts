import { describe, expect, it } from 'vitest';
import { nextWake } from '../../../src/client/machine/index.ts';
import { DAY, HOUR, Hippo, type JobYaml, NOON, notices, daily } from './hippo.ts';

const KEY = '2017-04-28';
const END = Date.UTC(2017, 3, 29);
const hippoWith = (more: Partial<JobYaml>): Hippo =>
  new Hippo({
    load: {
      every: 'day',
      needs: [
        daily('a.a'),
        { any_of: [daily('a.b'), daily('a.c')] },
        { at_least: 2, of: [daily('a.d'), daily('a.e'), daily('a.f')] },
      ],
      ...more,
    },
  });
const until = (hippo: Hippo, time: number): string[] => notices(hippo.wait(time - hippo.now));

describe('a deadline that is missed', () => {
  it('is told once, with what the run waits for', () => {
    const hippo = hippoWith({ deadline: '6h' });
    hippo.land('a.a', `dt=${KEY}`);
    hippo.land('a.e', `dt=${KEY}`);
    expect(until(hippo, END + 6 * HOUR - 1)).toEqual([]);
    expect(until(hippo, END + 6 * HOUR)).toEqual([
      `error: load ${KEY} has missed its deadline: it is waiting for 1 of a.b, a.c and 1 of a.d, a.f`,
    ]);
    hippo.restart();
    expect(until(hippo, END + 10 * HOUR)).toEqual([]);
  });

  it('also of a run that is running, but not of one that has succeeded', () => {
    const hippo = hippoWith({ deadline: '6h', needs: [daily('a.a')], concurrency: 2 });
    hippo.land('a.a', `dt=${KEY}`);
    hippo.land('a.a', 'dt=2017-04-27');
    hippo.exit('load', '2017-04-27');
    expect(until(hippo, END + 6 * HOUR)).toEqual([
      `error: load ${KEY} has missed its deadline: it is running`,
    ]);
  });

  it('of a backfill counts from when it was opened', () => {
    const hippo = hippoWith({ deadline: '6h' });
    hippo.land('a.a', 'dt=2016-02-29');
    expect(until(hippo, NOON + 6 * HOUR - 1)).toEqual([]);
    expect(until(hippo, NOON + 6 * HOUR)).toHaveLength(1);
  });
});

describe('a window whose needs do not come', () => {
  it('times out, without a finish: nothing has run', () => {
    const hippo = hippoWith({ give_up: '12h' });
    hippo.land('a.a', `dt=${KEY}`);
    expect(until(hippo, END + 12 * HOUR)).toEqual([
      `warning: load ${KEY} timed out: its needs were not complete in time: 1 of a.b, a.c and 2 of a.d, a.e, a.f did not land`,
    ]);
    expect(hippo.run('load', KEY)).toMatchObject({ status: 'timed-out', finishedAt: hippo.now });
    expect(hippo.finishes).toEqual([]);
  });

  it('is as long as state is kept where nothing else is said', () => {
    const hippo = new Hippo(
      { load: { every: 'day', needs: [daily('a.a'), daily('a.b')] } },
      { keep: 10 * DAY },
    );
    hippo.land('a.a', `dt=${KEY}`);
    until(hippo, END + 10 * DAY - 1);
    expect(hippo.statuses).toEqual({ [`load ${KEY}`]: 'waiting' });
    until(hippo, END + 10 * DAY);
    expect(hippo.statuses).toEqual({ [`load ${KEY}`]: 'timed-out' });
  });

  it('fires when they come later', () => {
    const hippo = new Hippo({
      load: { every: 'day', needs: [daily('a.a'), daily('a.b'), daily('a.c')], give_up: '1h' },
    });
    hippo.land('a.a', `dt=${KEY}`);
    until(hippo, END + HOUR);
    hippo.land('a.b', `dt=${KEY}`);
    expect(hippo.run('load', KEY)).toMatchObject({ status: 'timed-out' });
    expect(Object.keys(hippo.run('load', KEY).inputs)).toEqual(['a.a', 'a.b']);
    hippo.land('a.c', `dt=${KEY}`);
    expect(hippo.fired).toEqual([`load ${KEY}`]);
  });
});

describe('what is older than it is kept for', () => {
  const options = { keep: 10 * DAY };

  it('is forgotten: ended runs and their inputs', () => {
    const hippo = new Hippo({ load: { every: 'day', needs: [daily('a.a')] } }, options);
    hippo.land('a.a', `dt=${KEY}`);
    hippo.exit('load', KEY);
    until(hippo, END + 10 * DAY - HOUR);
    expect(hippo.records.size).toBe(1);
    until(hippo, END + 10 * DAY + HOUR);
    expect([...hippo.records.keys()]).toEqual([]);
    expect(hippo.statuses).toEqual({});
  });

  it('but nothing that a remembered run was started with, and no open run', () => {
    const hippo = new Hippo(
      { load: { every: 'day', needs: [daily('a.a'), daily('a.b')], give_up: '100d' } },
      options,
    );
    hippo.land('a.a', `dt=${KEY}`);
    until(hippo, END + 50 * DAY);
    hippo.land('a.b', `dt=${KEY}`);
    hippo.exit('load', KEY);
    until(hippo, END + 55 * DAY);
    hippo.land('a.b', `dt=${KEY}`, NOON);
    expect(hippo.fired).toHaveLength(2);
  });

  it('nor one that is to run again', () => {
    const hippo = new Hippo({ load: { every: 'day', needs: [daily('a.a')] } }, options);
    hippo.land('a.a', `dt=${KEY}`);
    hippo.exit('load', KEY);
    hippo.ask('pause', 'load');
    hippo.land('a.a', `dt=${KEY}`, NOON);
    until(hippo, END + 55 * DAY);
    hippo.ask('resume', 'load');
    expect(hippo.fired).toHaveLength(2);
  });

  it('a pause is not forgotten', () => {
    const hippo = new Hippo({ load: { every: 'day', needs: [daily('a.a')] } }, options);
    hippo.ask('pause', 'load');
    hippo.wait(100 * DAY);
    expect([...hippo.records.keys()]).toEqual(['etl/paused/load']);
  });
});

describe('ticks', () => {
  it('change nothing before the time that was said', () => {
    const hippo = hippoWith({ deadline: '6h' });
    hippo.wait(0);
    hippo.land('a.a', `dt=${KEY}`);
    const wake = nextWake(hippo.state) ?? Infinity;
    expect(wake).toBe(NOON + HOUR);
    const before = hippo.state;
    until(hippo, wake - 1);
    expect(hippo.state).toBe(before);
  });

  it('are not due all the time for a retry that has no place to start', () => {
    const hippo = new Hippo({
      load: { every: 'day', needs: [daily('a.a')], retries: { attempts: 1, backoff: '1s' } },
    });
    hippo.land('a.a', 'dt=2017-04-27');
    hippo.fail('load', '2017-04-27');
    hippo.land('a.a', `dt=${KEY}`);
    hippo.wait(HOUR);
    expect(nextWake(hippo.state)).toBeGreaterThan(hippo.now);
    hippo.exit('load', KEY);
    expect(hippo.submissions).toHaveLength(3);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Effect, listOpenRuns } from '../../../src/client/machine/index.ts';
import { DAY, HOUR, Hippo, type JobYaml, MINUTE, SECOND, daily, notices } from './hippo.ts';

/** A job for each partition that lands. */
const EVENT: JobYaml = { every: 'event', needs: [{ table: 'a.a' }], run: './job.sh' };
const KEY = 'dt=2017-04-28';

function hippoWith(policy: Partial<JobYaml>, options = {}): Hippo {
  return new Hippo({ load: { ...EVENT, ...policy } }, options);
}

/** The attempts that are to be stopped. */
const cancelled = (effects: readonly Effect[]): string[] =>
  effects.flatMap((effect) => (effect.type === 'cancel' ? [effect.reason] : []));

/** What a clock may do: set by an hour in summer time, by a day, by a machine that slept, by years. */
const JUMPS = [-DAY, -HOUR, -10 * SECOND, 10 * SECOND, HOUR, DAY, 20 * 365 * DAY];

describe.each(JUMPS)('a clock that jumps by %i ms', (by) => {
  it('does not end an attempt early, nor late', () => {
    const hippo = hippoWith({ timeout: '10m' });
    hippo.land('a.a', KEY);
    hippo.wait(2 * SECOND);
    expect(cancelled(hippo.jump(by))).toEqual([]);
    expect(cancelled(hippo.wait(9 * MINUTE))).toEqual([]);
    expect(cancelled(hippo.wait(58 * SECOND))).toEqual(['it ran for longer than its timeout of 10 min']);
  });

  it('does not change when the next attempt starts', () => {
    const hippo = hippoWith({ retries: { attempts: 1, backoff: '30s' } });
    hippo.land('a.a', KEY);
    hippo.fail('load', KEY);
    hippo.wait(10 * SECOND);
    hippo.jump(by);
    hippo.wait(19 * SECOND);
    expect(hippo.run('load', KEY)).toMatchObject({ status: 'ready', attempt: 1 });
    hippo.wait(SECOND);
    expect(hippo.run('load', KEY)).toMatchObject({ status: 'running', attempt: 2 });
  });

  it('does not change how long a run is said to have taken', () => {
    const hippo = hippoWith({});
    hippo.land('a.a', KEY);
    hippo.wait(30 * SECOND);
    hippo.jump(by);
    hippo.wait(12 * SECOND);
    hippo.exit('load', KEY);
    expect(hippo.finishes).toMatchObject([{ durationTime: 42, finishTime: hippo.now / SECOND }]);
  });

  it('does not change how long a run waits for its needs', () => {
    const hippo = hippoWith({ needs: [{ table: 'a.a' }, { table: 'a.b' }], give_up: '2h' });
    hippo.land('a.a', KEY);
    hippo.wait(HOUR);
    hippo.jump(by);
    hippo.wait(59 * MINUTE);
    expect(hippo.run('load', KEY).status).toBe('waiting');
    hippo.wait(MINUTE);
    expect(hippo.run('load', KEY).status).toBe('timed-out');
  });

  it('is a notice', () => {
    expect(notices(hippoWith({}).jump(by))).toEqual([
      expect.stringMatching(/^warning: the clock of this machine went (back|forward) by /),
    ]);
  });
});

it('the notice says by how much, and what goes by which time', () => {
  expect(notices(hippoWith({}).jump(HOUR))).toEqual([
    'warning: the clock of this machine went forward by 1 h, to 2017-04-28T13:00:00Z: timeouts and retries count the time that has really passed; windows and messages go by the new time',
  ]);
});

describe('the calendar keeps to the wall clock:', () => {
  it('a deadline after the end of a window', () => {
    const hippo = new Hippo({
      load: { every: 'day', needs: [daily('a.a'), daily('a.b')], run: './job.sh', deadline: '6h' },
    });
    hippo.land('a.a', KEY);
    hippo.jump(10 * HOUR);
    expect(notices(hippo.wait(7 * HOUR + 59 * MINUTE))).toEqual([]);
    expect(notices(hippo.wait(MINUTE))).toEqual([expect.stringContaining('has missed its deadline')]);
  });

  it('a run by hand without a key is that of the present window', () => {
    const hippo = new Hippo({ load: { every: 'day', needs: [daily('a.a')], run: './job.sh' } });
    hippo.jump(DAY);
    hippo.ask('run', 'load');
    expect(hippo.fired).toEqual(['load 2017-04-29']);
  });
});

describe('forgetting', () => {
  const done = (): Hippo => {
    const hippo = hippoWith({}, { keep: 7 * DAY });
    hippo.land('a.a', KEY);
    hippo.exit('load', KEY);
    return hippo;
  };

  it('does not begin early when the clock is set ahead by years', () => {
    const hippo = done();
    hippo.jump(20 * 365 * DAY);
    hippo.wait(6 * DAY);
    expect(hippo.statuses).toEqual({ [`load ${KEY}`]: 'succeeded' });
    hippo.wait(2 * DAY);
    expect(hippo.statuses).toEqual({});
  });

  it('does not stop when the clock is set back by years', () => {
    const hippo = done();
    hippo.jump(-365 * DAY);
    hippo.land('a.a', 'dt=2017-04-29');
    hippo.exit('load', 'dt=2017-04-29');
    hippo.wait(HOUR);
    hippo.wait(8 * DAY);
    expect(Object.keys(hippo.statuses)).toEqual([`load ${KEY}`]);
  });
});

describe('after a restart with a clock that is behind the one before', () => {
  it('the next attempt waits no longer than its backoff', () => {
    const hippo = hippoWith({ retries: { attempts: 3, backoff: '30s' } });
    hippo.land('a.a', KEY);
    hippo.fail('load', KEY);
    hippo.wait(30 * SECOND);
    hippo.fail('load', KEY);
    hippo.now -= DAY;
    hippo.restart();
    hippo.wait(59 * SECOND);
    expect(hippo.run('load', KEY).status).toBe('ready');
    hippo.wait(SECOND);
    expect(hippo.run('load', KEY).status).toBe('running');
  });

  it('an attempt that is run again, or has been running on, has no longer than its timeout', () => {
    for (const isAlive of [false, true]) {
      const hippo = hippoWith({ timeout: '10m' });
      hippo.land('a.a', KEY);
      hippo.wait(MINUTE);
      const { attemptId } = hippo.run('load', KEY);
      hippo.now -= DAY;
      const alive = new Map(isAlive && attemptId !== null ? [[attemptId, MINUTE]] : []);
      hippo.takeOver(alive);
      const left = isAlive ? 9 * MINUTE : 10 * MINUTE;
      expect(cancelled(hippo.wait(left - SECOND))).toEqual([]);
      expect(cancelled(hippo.wait(SECOND))).toHaveLength(1);
    }
  });

  it('a run waits for its needs no longer than give_up says', () => {
    const hippo = hippoWith({ needs: [{ table: 'a.a' }, { table: 'a.b' }], give_up: '2h' });
    hippo.land('a.a', KEY);
    hippo.now -= DAY;
    hippo.restart();
    hippo.wait(2 * HOUR);
    expect(hippo.run('load', KEY).status).toBe('timed-out');
  });

  it('its finish does not say that it took less than no time', () => {
    const hippo = hippoWith({});
    hippo.land('a.a', KEY);
    hippo.now -= DAY;
    hippo.restart();
    hippo.wait(5 * SECOND);
    hippo.exit('load', KEY);
    expect(hippo.finishes).toMatchObject([{ durationTime: 5 }]);
  });
});

// On a clock that is set while no client runs, nothing says by how much.
it('after a restart nothing waits longer than its backoff, timeout or give_up, wherever the clock is', () => {
  const policy: Partial<JobYaml> = {
    needs: [{ table: 'a.a' }, { table: 'a.b' }],
    timeout: '20s',
    give_up: '2h',
    retries: { attempts: 2, backoff: '5s' },
    concurrency: 2,
  };
  fc.assert(
    fc.property(fc.array(action, { maxLength: 20 }), fc.constantFrom(...JUMPS), (steps, by) => {
      const hippo = hippoWith(policy);
      for (const next of steps) {
        perform(hippo, next);
        if (next.do === 'land' && next.key !== 'dt=3') hippo.land('a.b', next.key);
      }
      hippo.now += by;
      hippo.restart();
      for (const run of listOpenRuns(hippo.state)) {
        expect((run.notBefore ?? 0) - hippo.now).toBeLessThanOrEqual(10 * SECOND);
        for (const past of [run.firstInputAt, run.startedAt, run.attemptAt])
          expect(past ?? 0).toBeLessThanOrEqual(hippo.now);
      }
      hippo.wait(2 * HOUR);
      hippo.wait(SECOND);
      for (const { status, stopping, attemptAt } of listOpenRuns(hippo.state)) {
        expect(status).not.toBe('waiting');
        if (stopping === undefined) expect(hippo.now - (attemptAt ?? hippo.now)).toBeLessThan(20 * SECOND);
      }
      for (const { durationTime } of hippo.finishes) expect(durationTime).toBeGreaterThanOrEqual(0);
    }),
    { numRuns: 200 },
  );
});

type Action =
  { do: 'land'; key: string } | { do: 'end'; ok: boolean } | { do: 'restart' | 'wait'; seconds: number };

const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ do: fc.constant('land'), key: fc.constantFrom('dt=1', 'dt=2', 'dt=3') }),
  fc.record({ do: fc.constant('end'), ok: fc.boolean() }),
  fc.record({ do: fc.constantFrom('wait', 'restart'), seconds: fc.constantFrom(1, 7, 30, 300) }),
);

function perform(hippo: Hippo, action: Action): void {
  const running = Object.entries(hippo.statuses).find(([, status]) => status === 'running');
  switch (action.do) {
    case 'land':
      hippo.land('a.a', action.key);
      break;
    case 'end': {
      const key = running?.[0].split(' ')[1];
      if (key === undefined) return;
      if (action.ok) hippo.exit('load', key);
      else hippo.fail('load', key);
      break;
    }
    case 'restart':
      hippo.restart();
      break;
    case 'wait':
      hippo.wait(action.seconds * SECOND);
  }
}

// A restart forgets that the clock was set ahead by years: what it reads is then too old to be kept.
it('whatever happens, jumps of the clock change neither what is done nor when', () => {
  const policy = {
    timeout: '20s',
    retries: { attempts: 2, backoff: '5s' },
    concurrency: 2,
  };
  fc.assert(
    fc.property(
      fc.array(fc.tuple(action, fc.constantFrom(0, 0, ...JUMPS.filter((by) => by <= DAY))), {
        maxLength: 30,
      }),
      (steps) => {
        const [steady, jumping] = [hippoWith(policy), hippoWith(policy)];
        let jumped = 0;
        for (const [next, by] of steps) {
          if (by !== 0) jumping.jump(by);
          jumped += by;
          perform(steady, next);
          perform(jumping, next);
          expect(jumping.statuses).toEqual(steady.statuses);
          expect(jumping.submissions.length).toBe(steady.submissions.length);
          expect(jumping.now - jumped).toBe(steady.now);
        }
        expect(jumping.finishes.map(({ durationTime }) => durationTime)).toEqual(
          steady.finishes.map(({ durationTime }) => durationTime),
        );
      },
    ),
    { numRuns: 200 },
  );
});

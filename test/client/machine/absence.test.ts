import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { awaitsInputs, type Effect } from '../../../src/client/machine/index.ts';
import {
  compiled,
  DAY,
  daily,
  define,
  HOUR,
  Hippo,
  type JobYaml,
  landing,
  MINUTE,
  NOON,
  type Options,
  SECOND,
  notices,
} from './hippo.ts';

vi.setConfig({ testTimeout: 60_000 });

const LOAD: JobYaml = { every: 'day', needs: [daily('a.a')], run: './job.sh', deadline: '6h' };
const ALERTS = { alerts: { receivers: [] } };

/** All that has landed by now is read. */
const read = (hippo: Hippo, upTo = hippo.now): Effect[] =>
  hippo.tell({ type: 'caught-up', at: hippo.now, upTo });
const isAwaited = ({ definition, state, now }: Hippo): boolean => awaitsInputs(definition, state, now);
const absent = ({ alerts }: Hippo): string[] =>
  alerts
    .filter(({ condition }) => condition === 'absent')
    .map(({ state, runKey }) => `${state} ${runKey ?? ''}`);

/** A hippo that has owned since 2017-04-28T12:00Z. The first window that it expects is the day 2017-04-29. */
function hippo(job: Partial<JobYaml> = {}, options: Options = ALERTS): Hippo {
  return new Hippo({ load: { ...LOAD, ...job } }, options);
}
/** 2017-04-30T06:00Z: the deadline of the first window. */
const DEADLINE = Date.UTC(2017, 3, 30, 6);

function until(made: Hippo, at: number): void {
  made.wait(at - made.now);
}

describe('a window for which nothing has landed by its deadline', () => {
  it('alerts once, with a notice, when all that had landed by then is read', () => {
    const made = hippo();
    until(made, DEADLINE - 1);
    expect(isAwaited(made)).toBe(false);
    until(made, DEADLINE);
    expect(isAwaited(made)).toBe(true);
    expect(made.alerts).toEqual([]);
    expect(notices(read(made))).toEqual(['error: nothing has landed for load 2017-04-29 by its deadline']);
    expect(made.alerts).toMatchObject([
      {
        alertId: `etl/load/absent/2017-04-29/${DEADLINE / SECOND}`,
        condition: 'absent',
        subject: 'load',
        runKey: '2017-04-29',
        since: DEADLINE / SECOND,
        text: 'nothing has landed for load 2017-04-29 by its deadline, 2017-04-30T06:00:00Z',
        next: ['hippo job run etl/load --key 2017-04-29', 'hippo job mark-success etl/load --key 2017-04-29'],
      },
    ]);
    expect(isAwaited(made)).toBe(false);
    read(made);
    made.restart();
    read(made);
    expect(made.alerts).toHaveLength(1);
  });

  it('is not judged by what was read before its deadline', () => {
    const made = hippo();
    until(made, DEADLINE + MINUTE);
    read(made, DEADLINE - 1);
    expect(made.alerts).toEqual([]);
    expect(isAwaited(made)).toBe(true);
    made.land('a.a', 'dt=2017-04-29');
    read(made);
    expect(absent(made)).toEqual([]);
  });

  it('keeps one alert until its run succeeds: the late run does not alert for its own deadline', () => {
    const made = hippo();
    until(made, DEADLINE);
    read(made);
    made.land('a.a', 'dt=2017-04-29');
    made.wait(DAY - HOUR);
    expect(made.alerts.map(({ condition, state }) => `${condition} ${state}`)).toEqual(['absent firing']);
    made.exit('load', '2017-04-29');
    expect(made.alerts.map(({ condition, state }) => `${condition} ${state}`)).toEqual([
      'absent firing',
      'absent resolved',
    ]);
  });

  it.each([
    ['is marked as done', (made: Hippo) => made.ask('mark_success', 'load', { runKey: '2017-04-29' })],
    ['is too old to be remembered', (made: Hippo) => made.wait(70 * DAY)],
    [
      'is not expected any more',
      (made: Hippo) => made.restart([], define({ load: { ...LOAD, expected: false } }, ALERTS)),
    ],
    ['has no job any more', (made: Hippo) => made.restart([], define({ other: LOAD }, ALERTS))],
  ])('alerts no more when it %s', (_what, end) => {
    const made = hippo();
    until(made, DEADLINE);
    read(made);
    end(made);
    expect(absent(made)).toEqual(['firing 2017-04-29', 'resolved 2017-04-29']);
  });

  it('has a run: nothing is absent', () => {
    const made = hippo();
    made.land('a.a', 'dt=2017-04-29');
    until(made, DEADLINE);
    read(made);
    expect(absent(made)).toEqual([]);
  });

  it('is judged in its order after a long downtime, each once', () => {
    const made = hippo();
    until(made, DEADLINE);
    made.now += 4 * DAY;
    made.land('a.a', 'dt=2017-05-01');
    made.restart();
    expect(made.alerts).toEqual([]);
    const said = notices(read(made));
    const days = ['2017-04-29', '2017-04-30', '2017-05-02', '2017-05-03'];
    expect(absent(made)).toEqual(days.map((day) => `firing ${day}`));
    expect(said).toEqual([
      'error: nothing has landed by their deadlines for 4 windows of load, from 2017-04-29 to 2017-05-03',
    ]);
  });

  it('is said without alerts in hippo.yaml, too', () => {
    const made = hippo({}, {});
    until(made, DEADLINE);
    expect(notices(read(made))).toEqual(['error: nothing has landed for load 2017-04-29 by its deadline']);
    expect(made.alerts).toEqual([]);
    made.restart();
    expect(notices(read(made))).toEqual([]);
  });
});

describe('a window is not judged', () => {
  it('if it began before the first ownership', () => {
    const made = hippo();
    until(made, Date.UTC(2017, 3, 29, 6));
    expect(isAwaited(made)).toBe(false);
    read(made);
    expect(made.alerts).toEqual([]);
  });

  it.each<[string, Partial<JobYaml>]>([
    ['its job has no deadline', { deadline: undefined }],
    ['its job says expected: false', { expected: false }],
    ['its job runs by events', { every: 'event', needs: [{ table: 'a.a' }] }],
  ])('if %s', (_what, job) => {
    const made = hippo(job);
    made.wait(5 * DAY);
    expect(isAwaited(made)).toBe(false);
    read(made);
    expect(made.alerts).toEqual([]);
  });

  it('while its job is paused, but when it is resumed', () => {
    const made = hippo();
    made.ask('pause', 'load');
    until(made, DEADLINE + DAY);
    expect(isAwaited(made)).toBe(false);
    read(made);
    expect(made.alerts).toEqual([]);
    made.land('a.a', 'dt=2017-04-30');
    made.ask('resume', 'load');
    expect(isAwaited(made)).toBe(true);
    read(made);
    expect(absent(made)).toEqual(['firing 2017-04-29']);
  });

  it('beyond a bound: a clock that is set years ahead does not raise thousands, and set back it ends them', () => {
    const made = hippo({
      every: 'hour',
      needs: [{ table: 'a.a', partition: { h: '{{ window }}' } }],
      deadline: '1h',
    });
    made.jump(3 * 365 * DAY);
    read(made);
    expect(made.state.alerts.size).toBe(1_000);
    made.jump(-3 * 365 * DAY);
    expect(made.state.alerts.size).toBe(0);
    made.wait(3 * HOUR);
    expect(isAwaited(made)).toBe(true);
  });
});

describe('a deadline that is a time of day', () => {
  const taipei = { ...ALERTS, timezone: 'Asia/Taipei' };

  it('is the next one after the window, in the zone of the hippo', () => {
    const made = hippo({ deadline: '06:30' }, taipei);
    // The day 2017-04-29 in Taipei ends on the 29th at 16:00 UTC; 06:30 is at 22:30 UTC.
    const deadline = Date.UTC(2017, 3, 29, 22, 30);
    until(made, deadline - 1);
    expect(isAwaited(made)).toBe(false);
    until(made, deadline);
    read(made);
    expect(made.alerts).toMatchObject([{ runKey: '2017-04-29', since: deadline / SECOND }]);
  });

  it('holds for runs', () => {
    const made = hippo({ deadline: '06:30', needs: [daily('a.a'), daily('a.b')] }, taipei);
    made.land('a.a', 'dt=2017-04-28');
    until(made, Date.UTC(2017, 3, 28, 22, 30) - 1);
    expect(made.alerts).toEqual([]);
    until(made, Date.UTC(2017, 3, 28, 22, 30));
    expect(made.alerts).toMatchObject([{ condition: 'deadline', runKey: '2017-04-28' }]);
  });

  it('needs a window', () => {
    expect(compiled({ load: { needs: [{ table: 'a.a' }], deadline: '06:30' } })).toEqual({
      ok: false,
      problems: [
        {
          path: ['jobs', 'load', 'deadline'],
          message: 'a job with "every: event" has no window after whose end a time of day could come',
          allowed: 'a duration such as 6h, which counts from when the run is opened',
        },
      ],
    });
  });
});

/** What may happen between 2017-04-28 and 2017-05-04. */
type Action =
  | { do: 'land'; day: number }
  | { do: 'wait'; hours: number }
  | { do: 'read'; hoursAgo: number }
  | { do: 'restart' }
  | { do: 'exit'; succeeds: boolean }
  | { do: 'ask'; what: 'run' | 'cancel' | 'mark_success' | 'pause' | 'resume'; day: number };

const days = fc.integer({ min: 0, max: 5 });
const actions = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ do: fc.constant('land' as const), day: days }) },
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant('wait' as const), hours: fc.constantFrom(1, 5, 24) }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant('read' as const), hoursAgo: fc.constantFrom(0, 0, 2) }),
    },
    { weight: 1, arbitrary: fc.constant({ do: 'restart' as const }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('exit' as const), succeeds: fc.boolean() }) },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('ask' as const),
        what: fc.constantFrom(
          'run' as const,
          'cancel' as const,
          'mark_success' as const,
          'pause' as const,
          'resume' as const,
        ),
        day: days,
      }),
    },
  ),
  { maxLength: 60 },
);
const keyOf = (day: number): string => new Date(NOON + day * DAY).toISOString().slice(0, 10);
const deadlineOf = (key: string): number => Date.parse(key) + DAY + 6 * HOUR;

/** A client, and the promises of alerts checked after every action. */
class World {
  readonly hippo = hippo({ deadline: '6h', concurrency: 3 });
  /** Up to when all that has landed is read. */
  #readUpTo = -Infinity;
  #version = NOON / SECOND;

  do(action: Action): void {
    const { hippo: made } = this;
    switch (action.do) {
      case 'land':
        made.read(landing('a.a', `dt=${keyOf(action.day)}`, (this.#version += 1)));
        break;
      case 'wait':
        made.wait(action.hours * HOUR);
        break;
      case 'read':
        this.#readUpTo = Math.max(this.#readUpTo, made.now - action.hoursAgo * HOUR);
        read(made, made.now - action.hoursAgo * HOUR);
        break;
      case 'restart':
        made.restart();
        break;
      case 'exit': {
        const [running] = Object.entries(made.statuses).filter(([, status]) => status === 'running');
        const key = running?.[0].split(' ')[1];
        if (key !== undefined && action.succeeds) made.exit('load', key);
        else if (key !== undefined) made.fail('load', key);
        break;
      }
      case 'ask':
        made.ask(action.what, 'load', { runKey: keyOf(action.day) });
    }
    this.#check();
  }

  #check(): void {
    const { alerts, statuses, now, state } = this.hippo;
    const open = new Map<string, (typeof alerts)[number]>();
    const seen = new Set<string>();
    for (const alert of alerts) {
      const { alertId: id, runKey: key = '', condition } = alert;
      if (alert.state === 'firing') {
        expect(seen.has(id), `${id} is raised once`).toBe(false);
        seen.add(id);
        open.set(id, alert);
        if (condition === 'absent') {
          expect(now).toBeGreaterThanOrEqual(deadlineOf(key));
          expect(this.#readUpTo).toBeGreaterThanOrEqual(deadlineOf(key));
        }
      } else expect(open.delete(id), `${id} is over once, after it was raised`).toBe(true);
    }
    const kept = [...state.alerts.keys()].map((id) => `etl/${id}`);
    expect(new Set(kept)).toEqual(new Set(open.keys()));
    for (const { condition, runKey: key = '' } of open.values()) {
      const status = statuses[`load ${key}`];
      if (condition === 'absent' && status === undefined) continue;
      expect(status, `${condition} ${key} is gone`).not.toMatch(/^(succeeded|cancelled|undefined)$/);
    }
    for (const key of [1, 2, 3, 4, 5].map(keyOf))
      expect(
        alerts.filter((each) => each.condition === 'absent' && each.runKey === key && each.state === 'firing')
          .length,
      ).toBeLessThan(2);
  }

  /** In the end each expected window whose deadline has passed has a run, or has alerted. */
  end(): void {
    const { hippo: made } = this;
    made.ask('resume', 'load');
    this.do({ do: 'read', hoursAgo: 0 });
    for (const key of [1, 2, 3, 4, 5].map(keyOf)) {
      if (deadlineOf(key) > made.now) continue;
      const hasAlerted = absent(made).includes(`firing ${key}`);
      expect(hasAlerted || made.statuses[`load ${key}`] !== undefined, `${key} is judged`).toBe(true);
    }
  }
}

describe('whatever happens, in whatever order, with owners that die at any step', () => {
  it('each expected window has a run, or alerts once, and each alert has one beginning and one end', () => {
    fc.assert(
      fc.property(actions, (all) => {
        const world = new World();
        for (const action of all) world.do(action);
        world.end();
      }),
      { numRuns: 300 },
    );
  });
});

describe('what is judged, whatever the clock and the calendar do', () => {
  it.each([
    ['week', '2017-05-08T06:30Z', '2017-W18'],
    ['quarter', '2017-10-01T06:30Z', '2017-Q3'],
    ['year', '2019-01-01T06:30Z', '2018'],
  ] as const)('a %s is judged, however short the memory is', (every, deadline, key) => {
    const made = hippo({ every, needs: [{ table: 'a.a' }], deadline: '06:30' }, { ...ALERTS, keep: 3 * DAY });
    until(made, Date.parse(deadline));
    expect(isAwaited(made)).toBe(true);
    read(made);
    expect(absent(made)).toEqual([`firing ${key}`]);
  });

  it('a run that ended long before its window is judged is remembered until then', () => {
    const partition = { y: "{{ window | date: '%Y' }}" };
    const made = hippo({ every: 'year', needs: [{ table: 'a.a', partition }] });
    until(made, Date.UTC(2018, 0, 10));
    made.land('a.a', 'y=2018');
    made.exit('load', '2018');
    until(made, Date.UTC(2019, 0, 2));
    read(made);
    expect(absent(made)).toEqual([]);
  });

  it('windows that were judged while the clock was ahead are judged again when they are over, under ids of their own', () => {
    const made = hippo();
    until(made, DEADLINE - 3 * HOUR);
    made.jump(3 * DAY);
    read(made);
    made.jump(-3 * DAY);
    expect(absent(made)).toContain('resolved 2017-04-30');
    made.restart();
    until(made, DEADLINE + DAY);
    read(made);
    const ids = made.alerts
      .filter(({ runKey }) => runKey === '2017-04-30')
      .map(({ alertId, state }) => `${alertId} ${state}`);
    expect(ids).toHaveLength(3);
    expect(new Set(ids).size).toBe(3);
  });

  it('a window of which nothing is expected yet is not judged after the clock was ahead', () => {
    const made = hippo();
    made.jump(DAY);
    made.jump(-DAY);
    until(made, DEADLINE - DAY + MINUTE);
    read(made);
    expect(absent(made)).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import type { WindowUnit } from '../../../src/windows/units.ts';
import {
  DAY,
  HOUR,
  Hippo,
  type JobYaml,
  MINUTE,
  NOON,
  type Options,
  compiled,
  daily,
  define,
} from './hippo.ts';

const REPORT: JobYaml = { every: 'day', at: '02:00' };

/** A hippo that is owned for the first time at noon of 2017-04-28. */
const owned = (job: Partial<JobYaml> = {}, options: Options = {}): Hippo =>
  new Hippo({ report: { ...REPORT, ...job } }, options);

/** As the client ticks: when the machine asks for it, and a second later where it does nothing. */
function pass(hippo: Hippo, millis: number, step = HOUR): void {
  const end = hippo.now + millis;
  while (hippo.now < end) {
    hippo.wait(Math.min(step, end - hippo.now));
    for (const { job, key } of hippo.submissions)
      if (hippo.run(job, key).status === 'running') hippo.exit(job, key);
  }
}

const keys = (hippo: Hippo): string[] => hippo.fired.map((name) => name.split(' ')[1] ?? '');

/** `key time` of each window that ends, and is due, in this time. */
function dueBetween(
  { definition: { calendar, jobs } }: Hippo,
  unit: WindowUnit,
  [from, to]: [number, number],
): string[] {
  const due: string[] = [];
  for (let window = calendar.at(unit, from); window.end <= to; window = calendar.at(unit, window.end)) {
    const at = jobs.get('report')?.timing?.dueAt(window) ?? NaN;
    if (at <= to) due.push(`${window.key} ${at}`);
  }
  return due;
}

describe('a timed job', () => {
  it('runs the window that has ended, at its time, and nothing that ended before the first ownership', () => {
    const hippo = owned();
    hippo.wait(13 * HOUR);
    expect(keys(hippo)).toEqual([]);
    hippo.wait(HOUR);
    expect(keys(hippo)).toEqual(['2017-04-28']);
    const [start] = hippo.starts;
    expect(start).not.toHaveProperty('receiveMsgs');
    expect(start).not.toHaveProperty('receiveCount');
    expect(hippo.submissions[0]?.traceparent).toMatch(/^00-[\da-f]{32}-/);
    hippo.exit('report', '2017-04-28');
    pass(hippo, 2 * DAY);
    expect(keys(hippo)).toEqual(['2017-04-28', '2017-04-29', '2017-04-30']);
  });

  it('wakes the machine when its time comes', () => {
    const hippo = owned();
    expect(hippo.state.wakeAt).toBe(NOON + 14 * HOUR);
    hippo.wait(14 * HOUR);
    hippo.exit('report', '2017-04-28');
    hippo.wait(HOUR);
    expect(hippo.state.wakeAt).toBe(NOON + 38 * HOUR);
  });

  it('goes by the time of day in the zone of the hippo, also when the clock is changed there', () => {
    const hippo = owned({ at: '02:30' }, { timezone: 'Europe/Berlin' });
    hippo.now = Date.UTC(2017, 9, 27, 12);
    hippo.restart();
    hippo.exit('report', '2017-10-26');
    hippo.starts.length = 0;
    const times: string[] = [];
    for (let hour = 0; hour < 72 * 2; hour += 1) {
      hippo.wait(30 * MINUTE);
      if (hippo.starts.length > times.length) {
        times.push(hippo.definition.calendar.iso(hippo.now));
        hippo.exit('report', keys(hippo).at(-1) ?? '');
      }
    }
    expect(times).toEqual([
      '2017-10-28T02:30:00+02:00',
      '2017-10-29T02:30:00+02:00',
      '2017-10-30T02:30:00+01:00',
    ]);
  });

  it('takes a duration where its windows are shorter than a day', () => {
    const hippo = owned({ every: 'hour', at: '5m' });
    pass(hippo, 3 * HOUR, MINUTE);
    expect(keys(hippo)).toEqual(['2017-04-28T12', '2017-04-28T13']);
  });

  // Europe and America change their clocks on different days.
  it.each<[string, string]>([
    ['Europe/Berlin', '2017-10-28T12:00:00Z'],
    ['America/Los_Angeles', '2017-11-04T12:00:00Z'],
    ['Asia/Taipei', '2017-10-28T12:00:00Z'],
  ])(
    'runs each window of every unit at its time in %s, also where the clock is changed',
    (timezone, from) => {
      for (const [every, at] of [
        ['hour', '15m'],
        ['15m', '15m'],
        ['6h', '15m'],
        ['day', '02:00'],
      ] as const) {
        const hippo = owned({ every, at, concurrency: 10 }, { timezone, dayStarts: '03:00' });
        hippo.now = Date.parse(from);
        hippo.records.clear();
        hippo.restart();
        const [began, ran]: [number, string[]] = [hippo.now, []];
        hippo.starts.length = 0;
        for (let step = 0; step < 72 * 4; step += 1) {
          hippo.wait(15 * MINUTE);
          expect(hippo.state.wakeAt).toBeGreaterThan(hippo.now);
          for (const key of keys(hippo).slice(ran.length)) {
            hippo.exit('report', key);
            ran.push(`${key} ${hippo.now}`);
          }
        }
        expect(ran).toEqual(dueBetween(hippo, every, [began, hippo.now]));
        expect(ran.length).toBeGreaterThan(1);
      }
    },
  );

  it('runs a window of a week that has ended longer ago than the hippo remembers, and then waits for the next', () => {
    const hippo = owned({ every: 'week' }, { keep: 3 * DAY });
    hippo.now += 20 * DAY;
    hippo.restart();
    expect(keys(hippo)).toEqual(['2017-W19']);
    hippo.exit('report', '2017-W19');
    hippo.wait(HOUR);
    expect(hippo.state.wakeAt).toBe(Date.UTC(2017, 4, 22, 2));
  });

  it('begins anew when its job is taken out of hippo.yaml, or its time is, and added again', () => {
    const hippo = owned({ catch_up: 'all', concurrency: 100 });
    const known = hippo.definition;
    for (const without of [define({ other: {} }), define({ report: { every: 'day' } })]) {
      hippo.restart([], without);
      hippo.now += 10 * DAY;
      hippo.restart([], known);
      expect(keys(hippo)).toEqual([]);
    }
  });

  it('runs a window once, over restarts', () => {
    const hippo = owned();
    hippo.wait(14 * HOUR);
    hippo.restart();
    hippo.exit('report', '2017-04-28');
    hippo.restart();
    hippo.wait(MINUTE);
    hippo.restart();
    hippo.wait(HOUR);
    expect(keys(hippo)).toEqual(['2017-04-28']);
  });

  it.each([
    ['newest' as const, ['2017-05-01']],
    ['all' as const, ['2017-04-28', '2017-04-29', '2017-04-30', '2017-05-01']],
  ])('makes up for what was missed while no client ran, with catch_up: %s', (catchUp, expected) => {
    const hippo = owned({ catch_up: catchUp, concurrency: 10 });
    hippo.now += 4 * DAY;
    hippo.restart();
    expect(keys(hippo)).toEqual(expected);
    hippo.restart();
    expect(keys(hippo)).toEqual(expected);
  });

  it('makes up for no more than the hippo remembers', () => {
    const hippo = owned({ catch_up: 'all', concurrency: 100 }, { keep: 10 * DAY });
    hippo.now += 1_000 * DAY;
    hippo.restart();
    expect(keys(hippo).length).toBeGreaterThanOrEqual(10);
    expect(keys(hippo).length).toBeLessThanOrEqual(12);
  });

  it('does not run a window twice when the clock is set back', () => {
    const hippo = owned();
    hippo.wait(14 * HOUR);
    hippo.exit('report', '2017-04-28');
    hippo.jump(-5 * HOUR);
    pass(hippo, 6 * HOUR);
    hippo.restart();
    expect(keys(hippo)).toEqual(['2017-04-28']);
    pass(hippo, DAY);
    expect(keys(hippo)).toEqual(['2017-04-28', '2017-04-29']);
  });

  it('goes on after the clock was years ahead for a while, and runs one window for that time', () => {
    const hippo = owned();
    hippo.jump(3_650 * DAY);
    pass(hippo, HOUR);
    expect(keys(hippo)).toEqual(['2027-04-25']);
    hippo.jump(-3_650 * DAY);
    pass(hippo, 2 * DAY);
    expect(keys(hippo)).toEqual(['2027-04-25', '2017-04-28', '2017-04-29']);
  });

  it('is made ready during a pause, and runs after it', () => {
    const hippo = owned();
    hippo.ask('pause', 'report');
    pass(hippo, 2 * DAY);
    expect(hippo.statuses).toEqual({ 'report 2017-04-28': 'ready', 'report 2017-04-29': 'ready' });
    hippo.ask('resume', 'report');
    expect(keys(hippo)).toEqual(['2017-04-28']);
  });

  it('is left out during a pause with while_paused: drop', () => {
    const hippo = owned({ while_paused: 'drop' });
    hippo.ask('pause', 'report');
    pass(hippo, DAY);
    hippo.ask('resume', 'report');
    pass(hippo, HOUR);
    expect(hippo.statuses).toEqual({ 'report 2017-04-28': 'cancelled' });
  });

  it('runs at its time what an operator has run before the end of the window', () => {
    const hippo = owned();
    hippo.ask('run', 'report');
    hippo.exit('report', '2017-04-28');
    hippo.wait(14 * HOUR);
    expect(keys(hippo)).toEqual(['2017-04-28', '2017-04-28']);
  });
});

describe('a window that an operator has seen to', () => {
  it.each<[string, (hippo: Hippo) => void]>([
    [
      'marked as done, after it had ended',
      (hippo) => {
        hippo.wait(13 * HOUR);
        hippo.ask('mark_success', 'report', { runKey: '2017-04-28' });
      },
    ],
    ['marked as done before', (hippo) => hippo.ask('mark_success', 'report', { runKey: '2017-04-28' })],
    [
      'run before, which failed, and marked as done',
      (hippo) => {
        hippo.ask('run', 'report');
        hippo.fail('report', '2017-04-28');
        hippo.ask('mark_success', 'report', { runKey: '2017-04-28' });
      },
    ],
    [
      'run, after it had ended',
      (hippo) => {
        hippo.wait(13 * HOUR);
        hippo.ask('run', 'report', { runKey: '2017-04-28' });
        hippo.exit('report', '2017-04-28');
      },
    ],
  ])('is not run again at its time: %s', (_, see) => {
    const hippo = owned({ retries: { attempts: 1 } });
    see(hippo);
    hippo.restart();
    expect(hippo.finishes).toHaveLength(1);
    hippo.wait(14 * HOUR);
    expect(hippo.finishes).toHaveLength(1);
    expect(hippo.statuses).toEqual({ 'report 2017-04-28': 'succeeded' });
  });
});

describe('a job without needs and without a time', () => {
  it('runs only when an operator asks for it', () => {
    const hippo = new Hippo({ byDay: { every: 'day' }, any: {} });
    pass(hippo, 3 * DAY);
    expect(hippo.fired).toEqual([]);
    hippo.ask('run', 'byDay', { runKey: '2017-04-01' });
    hippo.ask('run', 'any');
    hippo.ask('run', 'any', { runKey: 'again' });
    hippo.exit('any', '2017-05-01T12:00:00Z-0-2');
    expect(hippo.fired).toEqual(['byDay 2017-04-01', 'any 2017-05-01T12:00:00Z-0-2', 'any again']);
  });
});

describe('a time is refused', () => {
  it.each<[string, JobYaml, string, RegExp]>([
    ['beside needs', { ...REPORT, needs: [daily('btd.party')] }, 'at', /starts when they are complete/],
    ['without windows', { at: '02:00' }, 'at', /has no windows that end/],
    ['that is no time of day', { every: 'day', at: '5m' }, 'at', /"5m" is no time of day/],
    ['of day, for hours', { every: 'hour', at: '02:00' }, 'at', /"02:00" is no duration/],
    [
      'that is missing beside catch_up',
      { every: 'day', catch_up: 'all' },
      'catch_up',
      /only a job with `at`/,
    ],
  ])('%s', (_, job, key, message) => {
    expect(compiled({ report: job })).toMatchObject({
      ok: false,
      problems: [{ path: ['jobs', 'report', key], message: expect.stringMatching(message) as string }],
    });
  });
});

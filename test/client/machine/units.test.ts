import { describe, expect, it } from 'vitest';
import { HOUR, Hippo, MINUTE, type JobYaml, SECOND, compiled, finishOf, notices } from './hippo.ts';

const by = (pattern: string): NonNullable<JobYaml['needs']> => [
  { table: 'a.a', partition: { dt: `{{ window | date: '${pattern}' }}` } },
];
const at = (text: string): number => Date.parse(text);

describe('a landing starts the run of its window', () => {
  it.each<[every: string, pattern: string, partition: string, run: string]>([
    ['15m', '%Y%m%d%H%M', '201704280515', '2017-04-28T05:15+15m'],
    ['6h', '%F-%H', '2017-04-28-06', '2017-04-28T06:00+6h'],
    ['90 minutes', '%FT%H:%M', '2017-04-28T01:30', '2017-04-28T01:30+90m'],
    ['business_day', '%F', '2017-04-28', '2017-04-28'],
    ['week', '%G-W%V', '2017-W17', '2017-W17'],
    ['quarter', '%Y-Q%q', '2017-Q2', '2017-Q2'],
    ['year', '%Y', '2017', '2017'],
  ])('every %s, dt=%s: %s is %s', (every, pattern, partition, run) => {
    const hippo = new Hippo({ load: { every, needs: by(pattern), args: ['{{ window }}'] } });
    hippo.land('a.a', `dt=${partition}`);
    expect(hippo.fired).toEqual([`load ${run}`]);
    expect(hippo.submissions[0]?.argv.at(-1)).toBe(run);
    // Another client knows it by its key.
    hippo.restart();
    hippo.exit('load', run);
    expect(hippo.statuses).toEqual({ [`load ${run}`]: 'succeeded' });
  });

  it('by the time of the event where the table has no partition', () => {
    const hippo = new Hippo({
      week: { every: 'week', needs: [{ table: 'a.a' }] },
      quarter: { every: 'quarter', needs: [{ table: 'a.a' }] },
      // 30 April 2017 is a Sunday.
      business: { every: 'business_day', needs: [{ table: 'a.a' }] },
      part: { every: '15m', needs: [{ table: 'a.a' }] },
    });
    hippo.land('a.a', '', at('2017-04-30T05:20Z') / SECOND);
    expect(hippo.fired).toEqual([
      'week 2017-W17',
      'quarter 2017-Q2',
      'business 2017-05-01',
      'part 2017-04-30T05:15+15m',
    ]);
  });
});

describe('a need of another unit', () => {
  it('names the run by its key', () => {
    const hippo = new Hippo({
      report: {
        every: 'week',
        needs: [
          { job: 'etl/daily', key: "{{ window | plus: '6 days' | date: '%F' }}" },
          { job: 'other/quarterly', key: "{{ window | minus: '1 quarter' | date: '%Y-Q%q' }}" },
        ],
      },
    });
    hippo.read(finishOf('etl/daily', { isSuccess: true, runKey: '2017-04-30' }));
    expect(hippo.statuses).toEqual({ 'report 2017-W17': 'waiting' });
    hippo.read(finishOf('other/quarterly', { isSuccess: true, runKey: '2017-Q1' }));
    expect(hippo.fired).toEqual(['report 2017-W17']);
  });

  it('is not satisfied by a run of another length that begins at the same time', () => {
    const hippo = new Hippo({ load: { every: '6h', needs: [{ job: 'other/part' }] } });
    hippo.read(finishOf('other/part', { isSuccess: true, runKey: '2017-04-28T06:00+15m' }));
    expect(hippo.fired).toEqual([]);
    hippo.read(finishOf('other/part', { isSuccess: true, runKey: '2017-04-28T06:00+6h' }));
    expect(hippo.fired).toEqual(['load 2017-04-28T06:00+6h']);
  });

  it('reads the last business day back: Friday serves the weekend and Monday', () => {
    const hippo = new Hippo({
      load: {
        every: 'day',
        needs: [{ table: 'a.a', partition: { dt: "{{ window | minus: '1 business day' | date: '%F' }}" } }],
        args: ["{{ window | plus: '3 business days' | date: '%F' }}"],
      },
    });
    hippo.land('a.a', 'dt=2017-04-28');
    expect(Object.keys(hippo.statuses)).toEqual(['load 2017-04-29', 'load 2017-04-30', 'load 2017-05-01']);
    expect(hippo.submissions[0]?.argv.at(-1)).toBe('2017-05-03');
  });
});

it('of windows that the clock repeats, the first starts first', () => {
  const hippo = new Hippo(
    { load: { every: '15m', needs: [{ table: 'a.a' }] } },
    { timezone: 'Europe/Berlin' },
  );
  hippo.ask('pause', 'load');
  const times = ['01:15', '00:00', '01:00', '00:45', '02:00'];
  for (const time of times) hippo.land('a.a', '', at(`2017-10-29T${time}Z`) / SECOND);
  hippo.ask('resume', 'load');
  for (const run of [...times].sort()) {
    expect(hippo.submissions.at(-1)?.window?.start).toBe(at(`2017-10-29T${run}Z`));
    hippo.exit('load', hippo.submissions.at(-1)!.key);
  }
});

it('patience begins at the end of a window, of a business day at its own end', () => {
  const hippo = new Hippo({
    load: {
      every: 'business_day',
      needs: [...by('%F'), { table: 'b.b', partition: { dt: '{{ window }}' } }],
      deadline: '6h',
      give_up: '1d',
    },
  });
  // 28 April 2017, noon, is a Friday.
  hippo.land('a.a', 'dt=2017-04-28');
  expect(notices(hippo.wait(18 * HOUR - MINUTE))).toEqual([]);
  expect(notices(hippo.wait(MINUTE)).join()).toContain('load 2017-04-28');
  hippo.wait(18 * HOUR);
  expect(hippo.statuses).toEqual({ 'load 2017-04-28': 'timed-out' });
});

it.each<[every: string, key: string]>([
  ['15m', '2017-04-28T12:00+15m'],
  ['business_day', '2017-04-28'],
  ['week', '2017-W17'],
  ['quarter', '2017-Q2'],
  ['year', '2017'],
])('a request to a job of every %s without a key means %s', (every, key) => {
  const hippo = new Hippo({ load: { every, needs: [{ table: 'a.a' }] } });
  hippo.ask('run', 'load');
  expect(hippo.fired).toEqual([`load ${key}`]);
  expect(notices(hippo.ask('run', 'load', { runKey: '28.4.' }))).toEqual([
    expect.stringContaining(`it must look like ${key}`) as string,
  ]);
});

it('a partition of weeks with the year of the calendar is refused, since it is wrong at the turn of the year', () => {
  expect(compiled({ load: { every: 'week', needs: by('%Y-W%V') } })).toMatchObject({
    ok: false,
    problems: [{ message: expect.stringContaining('does not tell which weeks') as string }],
  });
});

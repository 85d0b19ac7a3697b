import { describe, expect, it } from 'vitest';
import { type JobYaml, type Options, compiled, daily, define, monthly } from './hippo.ts';

const need = daily('btd.party');
const month = "{{ window | date: '%Y%m' }}";

function problemsOf(job: JobYaml, options?: Options): { at: string; message: string; allowed?: string }[] {
  const result = compiled({ load: job }, options);
  if (result.ok) return [];
  return result.problems.map(({ path, ...problem }) => ({ at: path.join('.'), ...problem }));
}

describe('a problem is told with its place, what it is, and what is allowed', () => {
  it.each<[title: string, job: JobYaml, at: string, message: string, allowed?: string]>([
    [
      'a name that a partition does not know',
      { every: 'day', needs: [{ table: 'btd.party', partition: { dt: '{{ windw }}' } }] },
      'jobs.load.needs.0.partition.dt',
      'unknown name "windw"',
      '{{ window }}',
    ],
    [
      'a directive that no date has',
      { every: 'day', needs: [need, { table: 'a.b', partition: { dt: "{{ window | date: '%Q' }}" } }] },
      'jobs.load.needs.1.partition.dt',
      "unknown directive %Q in '%Q'",
      '%Y %y %G (year), %q (quarter), %m %b %B (month), %U %V %W (week), %d %e %j (day), %u %w %a %A (weekday), %H %I %p (hour), %M %S, %F (%Y-%m-%d), %T (%H:%M:%S), %%',
    ],
    [
      'a shift that is not a duration',
      {
        every: 'day',
        needs: [{ table: 'a.b', partition: { dt: "{{ window | minus: 'soon' | date: '%F' }}" } }],
      },
      'jobs.load.needs.0.partition.dt',
      'minus does not know "soon"',
      "a duration such as '2d', '6h', '3 business days', '1 week', '1 month', '1 quarter' or '1 year'",
    ],
    [
      'a date without its year',
      { every: 'day', needs: [{ table: 'a.b', partition: { dt: "{{ window | date: '%m%d' }}" } }] },
      'jobs.load.needs.0.partition',
      '"0229" does not tell which days it is for',
      "a date that can be read back, with its year: text and the window's date, e.g. {{ window | date: '%Y%m%d' }} or {{ window | minus: '1 month' | date: '%Y%m' }}",
    ],
    [
      'a window where there is none',
      { every: 'event', needs: [need] },
      'jobs.load.needs.0.partition.dt',
      'a job with "every: event" has no window',
      'text without {{ window }}',
    ],
    [
      'needs that name no run',
      { every: 'day', needs: [monthly('btd.party')] },
      'jobs.load.needs',
      'no need names the window: all of them stay the same for more than one day',
      'at least one need whose partition or key is another one each day',
    ],
    [
      'more than there are, in a list',
      { every: 'day', needs: [{ at_least: 3, of: [need, daily('a.b')] }] },
      'jobs.load.needs.0.at_least',
      'at_least is 3, but there are only 2',
      '1 to 2',
    ],
    [
      'more than there are, in a set',
      {
        every: 'day',
        needs: [
          {
            each: { region: ['us', 'eu'] },
            at_least: 3,
            table: 'a.b',
            partition: { dt: '{{ window }}', region: '{{ region }}' },
          },
        ],
      },
      'jobs.load.needs.0.at_least',
      'at_least is 3, but there are only 2',
      '1 to 2',
    ],
    [
      'a name that each does not give, told once',
      {
        every: 'day',
        needs: [
          {
            each: { region: ['us', 'eu'] },
            table: 'a.b',
            partition: { dt: '{{ window }}', region: '{{ reg }}' },
          },
        ],
      },
      'jobs.load.needs.0.partition.region',
      'unknown name "reg"',
      '{{ window }}, {{ region }}',
    ],
    [
      'inside of any_of',
      { every: 'day', needs: [{ any_of: [need, { table: 'a.b', partition: { dt: '{{ day }}' } }] }] },
      'jobs.load.needs.0.any_of.1.partition.dt',
      'unknown name "day"',
      '{{ window }}',
    ],
    [
      'the key of a run that is always the same',
      { every: 'day', needs: [{ job: 'other.hippo/job', key: '201704' }] },
      'jobs.load.needs.0.key',
      '"201704" is the same for every day',
    ],
    [
      'a key where runs are named by what lands',
      { every: 'event', needs: [{ job: 'other.hippo/job', key: month }] },
      'jobs.load.needs.0.key',
      'with "every: event" a run has the key of the run that it needs',
    ],
    [
      'an argument',
      { every: 'day', needs: [need], args: ['--day', '{{ windw }}'] },
      'jobs.load.args.1',
      'unknown name "windw"',
      '{{ hippo }}, {{ job }}, {{ key }}, {{ window }}, {{ partition }}, {{ needs }}',
    ],
    [
      'an argument that is not a template',
      { every: 'day', needs: [need], args: ['{{ window '] },
      'jobs.load.args.0',
      'output "{{ window " not closed',
    ],
    [
      'a variable',
      { every: 'event', needs: [{ table: 'a.b' }], env: { DAY: '{{ window }}' } },
      'jobs.load.env.DAY',
      'unknown name "window"',
      '{{ hippo }}, {{ job }}, {{ key }}, {{ partition }}, {{ needs }}',
    ],
  ])('%s', (_, job, at, message, allowed) => {
    expect(problemsOf(job)).toEqual([{ at, message, ...(allowed === undefined ? {} : { allowed }) }]);
  });

  it('all of them at once, of all jobs', () => {
    const result = compiled({
      one: {
        every: 'day',
        needs: [{ table: 'a.b', partition: { dt: '{{ x }}', hh: '{{ y }}' } }],
        args: ['{{ z }}'],
      },
      two: { every: 'month', needs: [{ job: 'h/j', key: 'k' }] },
    });
    expect(result.ok ? [] : result.problems.map(({ path }) => path.join('.'))).toEqual([
      'jobs.one.needs.0.partition.dt',
      'jobs.one.needs.0.partition.hh',
      'jobs.one.args.0',
      'jobs.two.needs.0.key',
    ]);
  });
});

describe('needs are called by what they are', () => {
  it.each<[needs: JobYaml['needs'], ids: string[]]>([
    [
      [daily('btd.party'), { job: 'other.hippo/job' }],
      ['btd.party', 'other.hippo/job'],
    ],
    [
      [
        {
          each: { region: ['us', 'eu'], kind: ['a'] },
          table: 'a.b',
          partition: { dt: '{{ window }}', region: '{{ region }}', kind: '{{ kind }}' },
        },
      ],
      ['a.b{region=us,kind=a}', 'a.b{region=eu,kind=a}'],
    ],
    [
      [
        daily('a.b'),
        { table: 'a.b', partition: { dt: "{{ window | minus: '1d' }}".replace(' }}', " | date: '%F' }}") } },
      ],
      ['a.b', 'a.b#2'],
    ],
    [
      [daily('a.b'), { table: 'a.b', partition: { region: 'u/s' } }],
      ['a.b', 'a.b{region=u%2Fs}'],
    ],
  ])('%j', (needs, ids) => {
    const job = define({ load: { every: 'day', needs } }).jobs.get('load');
    expect(job?.needs.map(({ id }) => id)).toEqual(ids);
  });
});

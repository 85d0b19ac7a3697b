import { describe, expect, it } from 'vitest';
import { findCircles } from '../../../src/client/machine/circles.ts';
import type { Calendar } from '../../../src/windows/index.ts';
import { type JobYaml, compiled, daily, monthly } from './hippo.ts';

const DT = { dt: "{{ window | date: '%Y-%m-%d' }}" };
const YESTERDAY = { dt: "{{ window | minus: '1 day' | date: '%Y-%m-%d' }}" };

/** A job of each day that needs these tables of its day, and produces these. */
const job = (needs: JobYaml['needs'], produces: JobYaml['produces']): JobYaml => ({
  every: 'day',
  needs,
  ...(produces === undefined ? {} : { produces }),
});
const table = (
  name: string,
  partition: Record<string, string> = DT,
): { table: string; partition: Record<string, string> } => ({
  table: name,
  partition,
});

function circlesIn(jobs: Record<string, JobYaml>): { at: string; message: string }[] {
  const result = compiled(jobs);
  if (result.ok) return [];
  return result.problems.map(({ path, message }) => ({ at: path.join('.'), message }));
}

describe('a circle of needs of the same window is refused, with its path', () => {
  it('of two jobs', () => {
    const jobs = {
      a: job([daily('x.in'), daily('dm.t1')], [table('dm.t2')]),
      b: job([daily('dm.t2')], [table('DM.T1')]),
    };
    expect(circlesIn(jobs)).toEqual([
      {
        at: 'jobs.a.needs.1',
        message:
          'runs of one window wait for each other, or start each other without end: ' +
          'a needs DM.T1, which b produces; b needs dm.t2, which a produces',
      },
    ]);
  });

  it.each<[title: string, jobs: Record<string, JobYaml>, at: string, path: RegExp]>([
    [
      'of a job that needs what it produces itself',
      { a: job([daily('dm.t')], [table('dm.t')]) },
      'jobs.a.needs.0',
      /: a needs dm\.t, which a produces$/,
    ],
    [
      'through the run of a job of the same project',
      {
        a: job([{ job: 'etl/b' }], [table('dm.t')]),
        b: job([daily('x.in'), daily('dm.t')], undefined),
      },
      'jobs.a.needs.0',
      /: a needs etl\/b; b needs dm\.t, which a produces$/,
    ],
    [
      'of runs alone',
      { a: job([{ job: 'etl/b' }], undefined), b: job([{ job: 'etl/a' }], undefined) },
      'jobs.a.needs.0',
      /: a needs etl\/b; b needs etl\/a$/,
    ],
    [
      'of three jobs, in a member of a group',
      {
        a: job([{ any_of: [daily('x.in'), daily('dm.c')] }], [table('dm.a')]),
        b: job([daily('dm.a')], [table('dm.b')]),
        c: job([daily('dm.b')], [table('dm.c')]),
        after: job([daily('dm.c')], undefined),
      },
      'jobs.a.needs.0.any_of.1',
      /: a needs dm\.c, which c produces; c needs dm\.b, which b produces; b needs dm\.a, which a produces$/,
    ],
    [
      'whose partition is passed on from an input',
      {
        a: job([daily('dm.t1')], [table('dm.t2', { dt: '{{ partition.dt }}' })]),
        b: job([daily('dm.t2')], [table('dm.t1', { dt: "{{ needs['dm.t2'].dt }}" })]),
      },
      'jobs.a.needs.0',
      /: a needs dm\.t1/,
    ],
    [
      'of jobs that any partition starts',
      {
        a: {
          every: 'event',
          needs: [{ table: 'dm.t1' }],
          produces: [table('dm.t2', { v: '{{ result.v }}' })],
        },
        b: {
          every: 'event',
          needs: [{ table: 'dm.t2' }],
          produces: [table('dm.t1', { v: '{{ partition.v }}' })],
        },
      },
      'jobs.a.needs.0',
      /: a needs dm\.t1/,
    ],
    [
      'of windows of different units',
      {
        day: job([daily('x.in'), monthly('dm.month')], [table('dm.day')]),
        month: {
          every: 'month',
          needs: [table('dm.day', { dt: "{{ window | date: '%Y-%m-01' }}" })],
          produces: [table('dm.month', { yyyymm: "{{ window | date: '%Y%m' }}" })],
        },
      },
      'jobs.day.needs.1',
      /: day needs dm\.month/,
    ],
    [
      'of an unpartitioned table',
      { a: job([{ table: 'dm.t' }], [{ table: 'dm.t' }]) },
      'jobs.a.needs.0',
      /: a needs dm\.t/,
    ],
  ])('%s', (_, jobs, at, path) => {
    const [circle, ...more] = circlesIn(jobs);
    expect(more).toEqual([]);
    expect(circle?.at).toBe(at);
    expect(circle?.message).toMatch(path);
  });

  it('two of them are two problems', () => {
    const jobs = {
      a: job([daily('dm.a')], [table('dm.a')]),
      b: job([daily('dm.b')], [table('dm.b')]),
    };
    expect(circlesIn(jobs).map(({ at }) => at)).toEqual(['jobs.a.needs.0', 'jobs.b.needs.0']);
  });
});

describe('the search', () => {
  it.each<[title: string, jobs: Record<string, JobYaml>, isLookedAt: boolean]>([
    ['a chain', { a: job([daily('x.in')], [table('dm.a')]), b: job([daily('dm.a')], undefined) }, false],
    ['jobs that produce nothing', { a: job([daily('x.in')], undefined) }, false],
    ['a snapshot', { a: job([daily('x.in'), table('dm.snap', YESTERDAY)], [table('dm.snap')]) }, true],
  ])('compares windows only where tables and jobs are in a circle: %s', (_, jobs, isLookedAt) => {
    const result = compiled(jobs);
    if (!result.ok) throw new Error('it does not compile');
    const { calendar, jobs: definitions } = result.definition;
    const looks: number[] = [];
    const watched: Calendar = {
      ...calendar,
      at: (unit, at) => {
        looks.push(at);
        return calendar.at(unit, at);
      },
    };
    expect(findCircles({ hippo: 'etl', calendar: watched, jobs: [...definitions.values()] })).toEqual([]);
    expect(looks.length > 0).toBe(isLookedAt);
  });
});

describe('not refused is', () => {
  it.each<[title: string, jobs: Record<string, JobYaml>]>([
    [
      "today's snapshot from yesterday's",
      { a: job([daily('x.in'), table('dm.snap', YESTERDAY)], [table('dm.snap')]) },
    ],
    [
      'a circle with a need of another window',
      {
        a: job([daily('x.in'), table('dm.t1', YESTERDAY)], [table('dm.t2')]),
        b: job([daily('dm.t2')], [table('dm.t1')]),
      },
    ],
    [
      'a circle through the run of the day before',
      {
        a: job(
          [daily('x.in'), { job: 'etl/b', key: "{{ window | minus: '1 day' | date: '%Y-%m-%d' }}" }],
          [table('dm.t')],
        ),
        b: job([daily('dm.t')], undefined),
      },
    ],
    [
      'another partition of the same table',
      {
        a: {
          every: 'event',
          needs: [{ table: 'dm.t', partition: { region: 'us' } }],
          produces: [table('dm.t', { region: 'all' })],
        },
      },
    ],
    [
      'a chain and a diamond',
      {
        a: job([daily('x.in')], [table('dm.a')]),
        b: job([daily('dm.a')], [table('dm.b')]),
        c: job([daily('dm.a')], [table('dm.c')]),
        d: job([daily('dm.b'), daily('dm.c')], [table('dm.d')]),
      },
    ],
    ["what another hippo's job of the same name makes", { a: job([{ job: 'other/a' }], [table('dm.a')]) }],
  ])('%s', (_, jobs) => {
    expect(circlesIn(jobs)).toEqual([]);
  });
});

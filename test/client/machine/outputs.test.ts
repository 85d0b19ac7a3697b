import { describe, expect, it } from 'vitest';
import type { JobOutcome } from '../../../src/client/machine/index.ts';
import { parseJson } from '../../../src/core/json.ts';
import { partitionPath } from '../../../src/messages/index.ts';
import type { FrontierEvent } from '../../../src/messages/types.ts';
import {
  DAY,
  HOUR,
  Hippo,
  type JobYaml,
  NOON,
  SECOND,
  TRACE,
  compiled,
  daily,
  landing,
  notices,
} from './hippo.ts';

const KEY = '2017-04-28';
const SALES = { table: 'dm.sales', partition: { yyyymmdd: "{{ window | date: '%Y%m%d' }}" } };
const STATS = {
  table: 'dm.stats',
  partition: { version: '{{ result.version }}' },
  method: 'append',
  dialect: 'arrays' as const,
};
const hippoWith = (job: Partial<JobYaml>): Hippo =>
  new Hippo({ load: { every: 'day', needs: [daily('a.a')], ...job } });
const succeeded = (result?: string): JobOutcome => ({
  status: 'succeeded',
  ...(result === undefined ? {} : { result: parseJson(result) }),
});
const shown = ({ db, table, partitions, execDate }: FrontierEvent): string =>
  `${db}.${table} ${partitions.map(partitionPath).join(' ')} +${execDate - NOON / SECOND}`;

describe('a success', () => {
  it('publishes an event of each output in the step of its finish message', () => {
    const hippo = hippoWith({ produces: [SALES, STATS] });
    hippo.read(landing('a.a', `dt=${KEY}`), TRACE);
    const effects = hippo.exit('load', KEY, succeeded('{"version": 9223372036854775807}'));
    const by = { hippo_name: 'etl', job_name: 'load', job_id: 'load_1493380800' };
    expect(hippo.announced).toEqual([
      {
        kind: 'frontier',
        dialect: 'pairs',
        db: 'dm',
        table: 'sales',
        partitions: [[{ name: 'yyyymmdd', value: '20170428' }]],
        method: 'partition',
        execDate: NOON / SECOND,
        extra: { produced_by: by },
      },
      {
        kind: 'frontier',
        dialect: 'arrays',
        db: 'dm',
        table: 'stats',
        partitions: [[{ name: 'version', value: '9223372036854775807' }]],
        method: 'append',
        execDate: NOON / SECOND,
        extra: { produced_by: by },
      },
    ]);
    expect(hippo.finishes).toMatchObject([
      {
        isSuccess: true,
        extra: {
          produced: [
            { table: 'dm.sales', partition: 'yyyymmdd=20170428', exec_date: NOON / SECOND },
            { table: 'dm.stats', partition: 'version=9223372036854775807', exec_date: NOON / SECOND },
          ],
        },
      },
    ]);
    const traces = effects.flatMap((effect) => (effect.type === 'publish' ? [effect.traceparent] : []));
    expect(new Set(traces).size).toBe(1);
    expect(traces[0]).toContain('a'.repeat(32));
    expect(effects.filter(({ type }) => type === 'produced')).toHaveLength(2);
  });

  it('publishes an unpartitioned table, and partitions of its inputs', () => {
    const hippo = new Hippo({
      load: {
        every: 'event',
        needs: [{ table: 'a.a' }],
        produces: [
          { table: 'dm.all' },
          {
            table: 'dm.part',
            partition: { dt: '{{ partition.dt }}', by: "{{ needs['a.a'].region }}", key: '{{ key }}' },
          },
        ],
      },
    });
    hippo.land('a.a', 'dt=1/region=us');
    hippo.exit('load', 'dt=1/region=us');
    expect(hippo.announced.map(shown)).toEqual([
      'dm.all  +0',
      'dm.part dt=1/by=us/key=dt%3D1%2Fregion%3Dus +0',
    ]);
  });

  it('is none where the run fails, is cancelled, or was vetoed', () => {
    const hippo = hippoWith({
      every: 'event',
      needs: [{ table: 'a.a' }],
      produces: [{ table: 'dm.all' }],
      concurrency: 4,
    });
    for (const no of ['1', '2', '3', '4']) hippo.land('a.a', `no=${no}`);
    hippo.fail('load', 'no=1');
    hippo.exit('load', 'no=2', { status: 'vetoed', reason: 'not today' });
    hippo.ask('cancel', 'load', { runKey: 'no=3' });
    hippo.exit('load', 'no=3', { status: 'cancelled', reason: 'cancelled' });
    expect(hippo.announced).toEqual([]);
    expect(hippo.finishes).toHaveLength(3);
    hippo.exit('load', 'no=4');
    expect(hippo.announced).toHaveLength(1);
  });
});

describe('what cannot be rendered fails the attempt for good, and nothing of the success is published', () => {
  it.each<[title: string, partition: Record<string, string>, result: string | undefined, problem: RegExp]>([
    [
      'no result',
      { v: '{{ result.v }}' },
      undefined,
      /v: the job has written no result to \$HIPPO_RESULT_FILE$/,
    ],
    [
      'a name that it does not have',
      { v: '{{ result.v }}' },
      '{"w": 1}',
      /v: undefined variable: result\.v$/,
    ],
    [
      'a name inside that it does not have',
      { v: '{{ result.a.b }}' },
      '{"a": {"c": 1}}',
      /undefined variable: result\.a\.b/,
    ],
    ['what Liquid would make up', { v: '{{ result.size }}' }, '{"w": 1}', /undefined variable: result\.size/],
    ['a list', { v: '{{ result.a }}' }, '{"a": [1, 2]}', /v: result\.a is a list$/],
    ['an object', { v: '{{ result.a }}' }, '{"a": {"c": 1}}', /v: result\.a is an object$/],
    ['an empty value', { v: '{{ result.v }}' }, '{"v": ""}', /partition\[0\]\.value must not be blank$/],
    ['null', { v: '{{ result.v }}' }, '{"v": null}', /must not be blank$/],
    [
      'a control character',
      { v: '{{ result.v }}' },
      String.raw`{"v": "a\nb"}`,
      /must have no control characters$/,
    ],
    [
      'a long value',
      { v: '{{ result.v }}' },
      JSON.stringify({ v: 'x'.repeat(800) }),
      /must have at most 767 characters$/,
    ],
  ])('%s', (_, partition, result, problem) => {
    const hippo = hippoWith({
      produces: [SALES, { table: 'dm.stats', partition }],
      retries: { attempts: 3, backoff: '1s' },
    });
    hippo.land('a.a', `dt=${KEY}`);
    hippo.exit('load', KEY, succeeded(result));
    expect(hippo.announced).toEqual([]);
    expect(hippo.run('load', KEY)).toMatchObject({ status: 'failed', permanent: true, failures: 1 });
    expect(hippo.finishes).toMatchObject([{ isSuccess: false, extra: {} }]);
    expect(hippo.finishes[0]?.errorMsg).toMatch(/^its output dm\.stats cannot be published: /);
    expect(hippo.finishes[0]?.errorMsg).toMatch(problem);
  });

  it('what the dialect cannot express', () => {
    const hippo = hippoWith({
      produces: [{ table: 'dm.t', partition: { v: '{{ result.v }}' }, dialect: 'scalars' }],
    });
    hippo.land('a.a', `dt=${KEY}`);
    hippo.exit('load', KEY, succeeded('{"v": "a/b"}'));
    expect(hippo.finishes[0]?.errorMsg).toBe(
      'its output dm.t cannot be published: the scalars dialect cannot express a "/" in the partition level v',
    );
  });

  it('a value may begin with a dash, and lists can be joined', () => {
    const hippo = hippoWith({
      produces: [{ table: 'dm.t', partition: { a: '{{ result.a }}', b: "{{ result.b | join: '-' }}" } }],
    });
    hippo.land('a.a', `dt=${KEY}`);
    hippo.exit('load', KEY, succeeded('{"a": -1.10, "b": [1, "x"]}'));
    expect(hippo.announced.map(shown)).toEqual(['dm.t a=-1.10/b=1-x +0']);
  });
});

describe('the exec_date of a partition rises', () => {
  it('when a run runs again in the same second', () => {
    const hippo = hippoWith({ produces: [SALES] });
    for (const version of [1, 2, 3]) {
      hippo.land('a.a', `dt=${KEY}`, version);
      hippo.exit('load', KEY);
    }
    expect(hippo.announced.map(shown)).toEqual(
      [0, 1, 2].map((more) => `dm.sales yyyymmdd=20170428 +${more}`),
    );
  });

  const shared: JobYaml = {
    every: 'event',
    needs: [{ table: 'a.a' }],
    produces: [{ table: 'dm.all' }],
    concurrency: 5,
  };

  it('when two runs, or two jobs, produce it in the same second', () => {
    const hippo = new Hippo({ one: shared, two: { ...shared, produces: [{ table: 'DM.All' }] } });
    for (const no of ['1', '2']) hippo.land('a.a', `no=${no}`);
    for (const no of ['1', '2']) for (const job of ['one', 'two']) hippo.exit(job, `no=${no}`);
    expect(hippo.announced.map(({ execDate }) => execDate - NOON / SECOND)).toEqual([0, 1, 2, 3]);
  });

  it('after the clock was set back, and after a takeover, and when the job has another name', () => {
    const hippo = new Hippo({ one: shared });
    for (const no of ['1', '2', '3']) hippo.land('a.a', `no=${no}`);
    hippo.exit('one', 'no=1');
    hippo.jump(-5 * HOUR);
    hippo.exit('one', 'no=2');
    hippo.restart([hippo.run('one', 'no=3').attemptId ?? '']);
    hippo.exit('one', 'no=3');
    const renamed = new Hippo({ two: shared }).definition;
    hippo.restart([], renamed);
    hippo.land('a.a', 'no=4');
    hippo.exit('two', 'no=4');
    expect(hippo.announced.map(({ execDate }) => execDate - NOON / SECOND)).toEqual([0, 1, 2, 3]);
  });

  it('and is forgotten with the runs', () => {
    const hippo = new Hippo({ one: shared }, { keep: DAY });
    hippo.land('a.a', 'no=1');
    hippo.exit('one', 'no=1');
    const produced = (): unknown[] => [...hippo.records.keys()].filter((key) => key.includes('/produced/'));
    expect(produced()).toEqual(['etl/produced/one/-']);
    expect((hippo.records.get('etl/produced/one/-') as Uint8Array).length).toBe(21);
    hippo.wait(2 * DAY);
    expect((hippo.records.get('etl/produced/one/-') as Uint8Array).length).toBe(1);
  });

  it('of a job that is gone is not written again, and removed when all of it is old', () => {
    const record = 'etl/produced/one/-';
    const hippo = new Hippo({ one: shared }, { keep: DAY });
    for (const no of ['1', '2']) {
      hippo.land('a.a', `no=${no}`);
      hippo.exit('one', `no=${no}`);
      hippo.wait(DAY / 2);
    }
    hippo.restart([], new Hippo({ two: shared }, { keep: DAY }).definition);
    // As hippo forget does.
    hippo.records.delete(record);
    hippo.wait(DAY / 4);
    expect(hippo.records.has(record)).toBe(false);
    expect(hippo.state.outputs.has('one')).toBe(true);
    hippo.wait(DAY);
    expect(hippo.records.has(record)).toBe(false);
    expect(hippo.state.outputs.has('one')).toBe(false);
  });
});

describe('mark_success', () => {
  it('publishes what needs no result, and names what it leaves out', () => {
    const hippo = hippoWith({
      produces: [SALES, STATS, { table: 'dm.of', partition: { x: "{{ needs['a.a'].x }}" } }],
    });
    const effects = hippo.ask('mark_success', 'load', { runKey: KEY });
    expect(hippo.announced.map(shown)).toEqual(['dm.sales yyyymmdd=20170428 +0']);
    expect(hippo.announced[0]?.extra).toMatchObject({ produced_by: { job_id: hippo.finishes[0]?.jobId } });
    expect(notices(effects)).toEqual([
      `warning: load ${KEY} is marked as done, and no event is published of dm.stats (it needs the result of the job, which has not run), dm.of (x: undefined variable: needs.a.a)`,
    ]);
  });
});

describe('a problem of hippo.yaml', () => {
  it.each<[title: string, produces: unknown, at: string, message: string]>([
    [
      'a name that templates do not know',
      [{ table: 'dm.t', partition: { dt: '{{ windw }}' } }],
      'jobs.load.produces.0.partition.dt',
      'unknown name "windw"',
    ],
    [
      'several levels in the legacy dialect',
      [SALES, { table: 'dm.t', dialect: 'legacy', partition: { a: '1', b: '2' } }],
      'jobs.load.produces.1.partition',
      'no event can carry it: the legacy dialect cannot express a partition of several levels',
    ],
    [
      'a slash in the scalars dialect',
      [{ table: 'dm.t', dialect: 'scalars', partition: { 'a/b': '1' } }],
      'jobs.load.produces.0.partition',
      'no event can carry it: the scalars dialect cannot express a "/" in the partition level a/b',
    ],
    [
      'an output twice',
      [SALES, { ...SALES, table: 'DM.sales' }],
      'jobs.load.produces.1',
      'it is the same as produces[0]',
    ],
    [
      'a name of a level that no event can have',
      [{ table: 'dm.t', partition: { ['x'.repeat(768)]: '1' } }],
      'jobs.load.produces.0.partition',
      'no event can carry it: partition[0].name must have at most 767 characters',
    ],
  ])('%s', (_, produces, at, message) => {
    const result = compiled({ load: { every: 'day', needs: [daily('a.a')], produces } as JobYaml });
    expect(result.ok ? [] : result.problems.map(({ path, message: text }) => [path.join('.'), text])).toEqual(
      [[at, message]],
    );
  });

  it('a window where there is none', () => {
    const result = compiled({ load: { needs: [{ table: 'a.a' }], produces: [SALES] } });
    expect(result).toMatchObject({ ok: false, problems: [{ message: 'unknown name "window"' }] });
  });
});

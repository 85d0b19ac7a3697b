import { describe, expect, it } from 'vitest';
import {
  DAY,
  HOUR,
  Hippo,
  type JobYaml,
  MINUTE,
  NOON,
  SECOND,
  TRACE,
  notices,
  daily,
  landing,
} from './hippo.ts';

const KEY = '2017-04-28';
const hippoWith = (job: Partial<JobYaml>): Hippo =>
  new Hippo({ load: { every: 'day', needs: [daily('a.a')], ...job } });
const types = (effects: readonly { type: string }[]): string[] => effects.map(({ type }) => type);

describe('a firing', () => {
  it('is written down and told before its process is started', () => {
    const hippo = hippoWith({
      args: ['--day', "{{ window | date: '%Y%m%d' }}"],
      env: { LEVEL: '{{ partition.dt }}' },
      timeout: '2h',
    });
    const effects = hippo.read(landing('a.a', `dt=${KEY}`), TRACE);
    expect(types(effects)).toEqual(['persist', 'persist', 'publish', 'submit']);
    const received = { topic: 'frontier', partition: 0, offset: '1', need: 'a.a', traceparent: TRACE };
    expect(hippo.starts).toEqual([
      {
        kind: 'start',
        hippoName: 'etl',
        jobName: 'load',
        jobId: 'load_1493380800',
        startTime: NOON / SECOND,
        runKey: KEY,
        receiveMsgs: [received],
        extra: {},
      },
    ]);
    expect(hippo.submissions).toEqual([
      {
        job: 'load',
        key: KEY,
        jobId: 'load_1493380800',
        attempt: 1,
        attemptId: expect.stringMatching(/^load-1493380800-1-[\da-f]{16}$/) as string,
        window: { start: Date.UTC(2017, 3, 28), end: Date.UTC(2017, 3, 29) },
        argv: ['./start-spark.sh', '--day', '20170428'],
        env: { LEVEL: KEY },
        inputs: [
          {
            ...received,
            version: NOON / SECOND,
            values: { dt: KEY },
            at: NOON,
            neededUntil: Date.UTC(2017, 3, 29),
          },
        ],
        timeout: 2 * HOUR,
        traceparent: expect.stringMatching(/^00-a{32}-[\da-f]{16}-01$/) as string,
        lastResult: null,
      },
    ]);
  });

  it('ends with one finish message', () => {
    const hippo = hippoWith({});
    hippo.read(landing('a.a', `dt=${KEY}`), TRACE);
    hippo.now += 90 * SECOND;
    expect(types(hippo.exit('load', KEY, { status: 'succeeded', result: { rows: 3 } }))).toEqual([
      'persist',
      'publish',
    ]);
    expect(hippo.finishes).toEqual([
      {
        kind: 'finish',
        hippoName: 'etl',
        jobName: 'load',
        jobId: 'load_1493380800',
        isSuccess: true,
        finishTime: NOON / SECOND + 90,
        durationTime: 90,
        runKey: KEY,
        receiveMsgs: hippo.starts[0]?.receiveMsgs,
        extra: { result: { rows: 3 } },
      },
    ]);
    expect(hippo.run('load', KEY)).toMatchObject({
      status: 'succeeded',
      finishedAt: hippo.now,
      attemptAt: null,
    });
  });

  it('carries the trace of its newest input, in spans of its own', () => {
    const hippo = new Hippo({ load: { every: 'day', needs: [daily('a.a'), daily('a.b')] } });
    hippo.read(landing('a.b', `dt=${KEY}`), TRACE.replaceAll('a', 'c'));
    hippo.now += SECOND;
    const start = hippo.read(landing('a.a', `dt=${KEY}`), TRACE).find(({ type }) => type === 'publish');
    const finish = hippo.exit('load', KEY).find(({ type }) => type === 'publish');
    const traces = [start, finish].map((effect) => (effect?.type === 'publish' ? effect.traceparent : null));
    for (const trace of traces) expect(trace).toMatch(/^00-a{32}-[\da-f]{16}-01$/);
    expect(new Set(traces).size).toBe(2);
  });

  it.each([undefined, 'nonsense', `00-${'0'.repeat(32)}-${'b'.repeat(16)}-01`])(
    'begins a trace where its input has none: %s',
    (traceparent) => {
      const hippo = hippoWith({});
      hippo.read(landing('a.a', `dt=${KEY}`), traceparent);
      expect(hippo.submissions[0]?.traceparent).toMatch(/^00-(?!0{32})[\da-f]{32}-[\da-f]{16}-01$/);
    },
  );

  it('has a job id that rises, also within a second', () => {
    const hippo = hippoWith({ concurrency: 3 });
    for (const day of ['2017-04-26', '2017-04-27', '2017-04-28']) hippo.land('a.a', `dt=${day}`);
    expect(hippo.starts.map(({ jobId }) => jobId)).toEqual([
      'load_1493380800',
      'load_1493380801',
      'load_1493380802',
    ]);
  });

  it('of a run that ends twice in a second has a finish of its own second', () => {
    const hippo = hippoWith({});
    hippo.land('a.a', `dt=${KEY}`, 1);
    hippo.exit('load', KEY);
    hippo.land('a.a', `dt=${KEY}`, 2);
    hippo.exit('load', KEY);
    expect(hippo.finishes.map(({ finishTime }) => finishTime - NOON / SECOND)).toEqual([0, 1]);
  });

  it('whose argument cannot be rendered fails at once, and says why', () => {
    const hippo = hippoWith({ args: ['{{ partition.region }}'], retries: { attempts: 3 } });
    expect(types(hippo.land('a.a', `dt=${KEY}`))).toEqual(['persist', 'persist', 'publish', 'publish']);
    expect(hippo.finishes).toMatchObject([
      { isSuccess: false, errorMsg: 'argument 1: undefined variable: partition.region' },
    ]);
    expect(hippo.statuses).toEqual({ [`load ${KEY}`]: 'failed' });
  });

  it.each(['x'.repeat(90), '_', 'A.b_c-'])(
    'has an attempt id that fits a Kubernetes label, whatever the job is called: %s',
    (name) => {
      const hippo = new Hippo({ [name]: { every: 'day', needs: [daily('a.a')] } });
      hippo.land('a.a', `dt=${KEY}`);
      expect(hippo.submissions[0]?.attemptId).toMatch(/^(?=.{1,63}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?$/);
    },
  );
});

describe('arguments speak of the partitions', () => {
  const args = ['{{ partition.dt }}', "{{ needs['a.b'].dt }}"];
  const before = { table: 'a.b', partition: { dt: "{{ window | minus: '1d' | date: '%F' }}" } };

  it('of the need that comes first in the file, and of each by its name', () => {
    const hippo = new Hippo({ load: { every: 'day', needs: [daily('a.a'), before], args } });
    hippo.land('a.b', 'dt=2017-04-27');
    hippo.land('a.a', `dt=${KEY}`);
    expect(hippo.submissions[0]?.argv.slice(1)).toEqual([KEY, '2017-04-27']);
  });

  it('that would have landed, in a run by hand', () => {
    const hippo = new Hippo({ load: { every: 'day', needs: [daily('a.a')], args: ['{{ partition.dt }}'] } });
    hippo.ask('run', 'load', { runKey: '2017-01-02' });
    expect(hippo.submissions[0]?.argv.slice(1)).toEqual(['2017-01-02']);
    const event = new Hippo({ load: { needs: [{ table: 'a.a' }], args: ['{{ partition.yyyymm }}'] } });
    event.ask('run', 'load', { runKey: 'yyyymm=201704' });
    expect(event.submissions[0]?.argv.slice(1)).toEqual(['201704']);
  });
});

describe('concurrency', () => {
  it('limits what runs at once; the oldest windows go first', () => {
    const hippo = hippoWith({ concurrency: 2 });
    for (const day of ['2017-04-28', '2017-04-26', '2017-04-27', '2017-04-25'])
      hippo.land('a.a', `dt=${day}`);
    expect(hippo.fired).toEqual(['load 2017-04-28', 'load 2017-04-26']);
    hippo.exit('load', '2017-04-28');
    hippo.fail('load', '2017-04-26');
    expect(hippo.fired.slice(2)).toEqual(['load 2017-04-25', 'load 2017-04-27']);
  });

  it('of one job is not that of another', () => {
    const job: JobYaml = { every: 'day', needs: [daily('a.a')] };
    const hippo = new Hippo({ one: job, two: job });
    hippo.land('a.a', 'dt=2017-04-27');
    hippo.land('a.a', 'dt=2017-04-28');
    expect(hippo.fired).toEqual(['one 2017-04-27', 'two 2017-04-27']);
  });
});

describe('a failed attempt', () => {
  const retries = { attempts: 3, backoff: '30s', max_backoff: '1m' };

  it('is the last one where a further attempt would fail in the same way', () => {
    const hippo = hippoWith({ retries });
    hippo.land('a.a', `dt=${KEY}`);
    hippo.exit('load', KEY, {
      status: 'failed',
      exitCode: null,
      error: 'argument 2 of ./job.sh has 200000 bytes',
      permanent: true,
    });
    expect(hippo.run('load', KEY)).toMatchObject({ status: 'failed', failures: 1, permanent: true });
  });

  it('is followed by another one after a pause that doubles up to its limit; then the run has failed', () => {
    const hippo = hippoWith({ retries });
    hippo.land('a.a', `dt=${KEY}`);
    for (const [index, pause] of [30, 60, 60].entries()) {
      hippo.fail('load', KEY, 'boom\nthe tail of the log');
      expect(hippo.run('load', KEY)).toMatchObject({
        status: 'ready',
        attempt: index + 1,
        failures: index + 1,
        error: 'boom',
      });
      hippo.wait(pause * SECOND - 1);
      expect(hippo.submissions).toHaveLength(index + 1);
      hippo.wait(1);
      expect(hippo.submissions).toHaveLength(index + 2);
    }
    hippo.fail('load', KEY, 'boom\nthe tail of the log');
    expect(hippo.run('load', KEY)).toMatchObject({
      status: 'failed',
      attempt: 4,
      failures: 4,
      error: 'boom',
    });
    expect(hippo.fired).toHaveLength(1);
    expect(hippo.finishes).toMatchObject([
      { isSuccess: false, durationTime: 150, errorMsg: 'boom\nthe tail of the log' },
    ]);
    expect(new Set(hippo.submissions.map(({ jobId }) => jobId)).size).toBe(1);
    expect(new Set(hippo.submissions.map(({ attemptId }) => attemptId)).size).toBe(4);
  });

  it('has an id that no hippo of the same name and another prefix gives', () => {
    const ids = ['etl', 'uat-/etl', 'prod-/etl'].map((identity) => {
      const hippo = new Hippo({ load: { every: 'day', needs: [daily('a.a')] } }, { identity });
      hippo.land('a.a', `dt=${KEY}`);
      return hippo.submissions[0]?.attemptId;
    });
    expect(new Set(ids).size).toBe(3);
  });

  it('gives its place to others while it waits for the next', () => {
    const hippo = hippoWith({ retries });
    hippo.land('a.a', 'dt=2017-04-27');
    hippo.land('a.a', 'dt=2017-04-28');
    hippo.fail('load', '2017-04-27');
    expect(hippo.statuses).toEqual({ 'load 2017-04-27': 'ready', 'load 2017-04-28': 'running' });
    hippo.wait(DAY);
    expect(hippo.submissions).toHaveLength(2);
    hippo.exit('load', '2017-04-28');
    expect(hippo.statuses).toEqual({ 'load 2017-04-27': 'running', 'load 2017-04-28': 'succeeded' });
  });

  it('that is not the present one is not heard', () => {
    const hippo = hippoWith({ retries });
    hippo.land('a.a', `dt=${KEY}`);
    const old = {
      type: 'job-exited',
      run: { job: 'load', key: KEY },
      attemptId: hippo.run('load', KEY).attemptId ?? '',
      outcome: { status: 'succeeded' },
    } as const;
    hippo.fail('load', KEY);
    expect(hippo.tell({ ...old, at: hippo.now })).toEqual([]);
    hippo.wait(MINUTE);
    expect(hippo.tell({ ...old, at: hippo.now })).toEqual([]);
    expect(hippo.tell({ ...old, run: { job: 'gone', key: KEY }, at: hippo.now })).toEqual([]);
    expect(hippo.statuses).toEqual({ [`load ${KEY}`]: 'running' });
  });
});

describe('a timeout', () => {
  it('cancels the attempt, which counts as failed', () => {
    const hippo = hippoWith({ timeout: '1h', retries: { attempts: 1, backoff: '1s' } });
    hippo.land('a.a', `dt=${KEY}`);
    const { attemptId } = hippo.run('load', KEY);
    expect(hippo.wait(HOUR - 1)).toEqual([]);
    expect(hippo.wait(1)).toMatchObject([
      { type: 'persist' },
      {
        type: 'cancel',
        run: { job: 'load', key: KEY },
        attemptId,
        reason: 'it ran for longer than its timeout of 1 h',
      },
    ]);
    // Asked once only, however long the process takes to end.
    expect(hippo.wait(HOUR)).toEqual([]);
    hippo.exit('load', KEY, {
      status: 'cancelled',
      reason: 'it ran for longer than its timeout of 1 h\nlast line',
    });
    expect(hippo.run('load', KEY)).toMatchObject({ status: 'ready', failures: 1 });
    expect(hippo.run('load', KEY)).not.toHaveProperty('stopping');
    hippo.wait(SECOND);
    hippo.wait(HOUR);
    hippo.exit('load', KEY, {
      status: 'failed',
      exitCode: null,
      signal: 'SIGTERM',
      error: 'ended with signal SIGTERM',
    });
    expect(hippo.finishes).toMatchObject([
      { isSuccess: false, errorMsg: 'it ran for longer than its timeout of 1 h\nended with signal SIGTERM' },
    ]);
  });

  it('that comes too late is none: the job has succeeded', () => {
    const hippo = hippoWith({ timeout: '1h' });
    hippo.land('a.a', `dt=${KEY}`);
    hippo.wait(HOUR);
    hippo.exit('load', KEY);
    expect(hippo.finishes).toMatchObject([{ isSuccess: true }]);
  });
});

it('a vetoed run counts as cancelled: its finish is no success, and nothing is tried again', () => {
  const hippo = hippoWith({ retries: { attempts: 3 } });
  hippo.land('a.a', `dt=${KEY}`);
  const effects = hippo.exit('load', KEY, { status: 'vetoed', reason: 'older than the contract' });
  expect(notices(effects)).toEqual([]);
  expect(hippo.run('load', KEY)).toMatchObject({
    status: 'cancelled',
    error: 'vetoed: older than the contract',
  });
  expect(hippo.finishes).toMatchObject([
    { isSuccess: false, errorMsg: 'vetoed: older than the contract', extra: { cancelled: true } },
  ]);
});

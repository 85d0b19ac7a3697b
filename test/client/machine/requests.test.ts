import { describe, expect, it } from 'vitest';
import { hasWork } from '../../../src/client/machine/index.ts';
import { HOUR, Hippo, type JobYaml, MINUTE, NOON, SECOND, TRACE, notices, daily } from './hippo.ts';

const KEY = '2017-04-28';
const PARTITION = `dt=${KEY}`;
const hippoWith = (more: Partial<JobYaml> = {}): Hippo =>
  new Hippo({ load: { every: 'day', needs: [daily('a.a'), daily('a.b')], ...more } });
function running(more: Partial<JobYaml> = {}): Hippo {
  const hippo = hippoWith(more);
  hippo.land('a.a', PARTITION, 100);
  hippo.land('a.b', PARTITION, 100);
  return hippo;
}
const ann = { by: 'ann', reason: 'wrong data' };

describe('run', () => {
  it('fires whatever is missing, with what is there, and says who asked', () => {
    const hippo = hippoWith();
    hippo.land('a.a', PARTITION);
    hippo.read(
      { kind: 'schedule', hippoName: 'etl', jobName: 'load', action: 'run', runKey: KEY, ...ann, extra: {} },
      TRACE,
    );
    expect(hippo.statuses).toEqual({ [`load ${KEY}`]: 'running' });
    expect(hippo.starts[0]?.receiveMsgs).toEqual([
      { topic: 'frontier', partition: 0, offset: '1', need: 'a.a' },
      { topic: 'schedule', partition: 0, offset: '2', traceparent: TRACE },
    ]);
    expect(hippo.submissions[0]?.traceparent).toMatch(/^00-a{32}/);
    expect(hippo.run('load', KEY).manual).toMatchObject({ ...ann, from: { topic: 'schedule' } });
    hippo.exit('load', KEY);
    for (const message of [...hippo.starts, ...hippo.finishes])
      expect(message.extra).toEqual({ asked_by: 'ann', reason: 'wrong data' });
  });

  it('without a key: the present window', () => {
    const hippo = hippoWith();
    hippo.ask('run', 'load');
    expect(hippo.fired).toEqual(['load 2017-04-28']);
  });

  it('without a key, of events: the newest run', () => {
    const hippo = new Hippo({ load: { needs: [{ table: 'a.a' }] } });
    expect(notices(hippo.ask('run', 'load', ann))).toEqual([
      'warning: refused: run load (asked by ann): nothing has landed yet; say which run by its run_key',
    ]);
    for (const month of ['201704', '201703']) {
      hippo.now += MINUTE;
      hippo.land('a.a', `yyyymm=${month}`);
      hippo.exit('load', `yyyymm=${month}`);
    }
    hippo.ask('run', 'load');
    expect(hippo.fired.at(-1)).toBe('load yyyymm=201703');
  });

  it.each(['succeeded', 'failed'] as const)('again what has %s', (status) => {
    const hippo = running();
    if (status === 'failed') hippo.fail('load', KEY);
    else hippo.exit('load', KEY);
    hippo.ask('run', 'load', { runKey: KEY });
    hippo.exit('load', KEY);
    expect(hippo.starts.map(({ jobId }) => jobId)).toEqual(['load_1493380800', 'load_1493380801']);
    expect(hippo.finishes.map(({ jobId }) => jobId)).toEqual(['load_1493380800', 'load_1493380801']);
  });

  it('waits for a free place, before all others', () => {
    const hippo = hippoWith({ needs: [daily('a.a')] });
    for (const day of ['2017-04-25', '2017-04-26', '2017-04-27']) hippo.land('a.a', `dt=${day}`);
    hippo.ask('run', 'load', { runKey: '2017-05-01' });
    expect(hippo.fired).toEqual(['load 2017-04-25']);
    hippo.exit('load', '2017-04-25');
    expect(hippo.fired).toEqual(['load 2017-04-25', 'load 2017-05-01']);
  });

  it('does not wait for the pause before the next attempt', () => {
    const hippo = running({ retries: { attempts: 1, backoff: '1h' } });
    hippo.fail('load', KEY);
    hippo.ask('run', 'load', { runKey: KEY });
    expect(hippo.submissions).toHaveLength(2);
    expect(hippo.fired).toHaveLength(1);
    hippo.exit('load', KEY);
    expect(hippo.finishes[0]?.receiveMsgs?.map(({ topic }) => topic)).toEqual([
      'frontier',
      'frontier',
      'schedule',
    ]);
  });

  it('is refused while it runs', () => {
    const hippo = running();
    expect(notices(hippo.ask('run', 'load', { runKey: KEY, ...ann }))).toEqual([
      `warning: refused: run load (asked by ann): load ${KEY} is running; cancel it first, or wait for its end`,
    ]);
    hippo.exit('load', KEY);
    expect(hippo.fired).toHaveLength(1);
  });

  it.each([
    ['2017-13-01', '"2017-13-01" is not a run key; it must look like 2017-04-28'],
    ['201704', '"201704" is not a run key; it must look like 2017-04-28'],
  ])('of no window is refused: %s', (runKey, why) => {
    const hippo = hippoWith();
    expect(notices(hippo.ask('run', 'load', { runKey }))).toEqual([`warning: refused: run load: ${why}`]);
    expect(hippo.statuses).toEqual({});
  });
});

describe('a request', () => {
  it('for another hippo is nothing to us', () => {
    const hippo = hippoWith();
    expect(hippo.ask('run', 'load', { hippoName: 'other' })).toEqual([]);
  });

  it('for a job that there is not is refused', () => {
    const hippo = hippoWith();
    expect(notices(hippo.ask('run', 'laod', ann))).toEqual([
      'warning: refused: run laod (asked by ann): there is no job "laod"; this hippo has load',
    ]);
  });
});

describe('cancel', () => {
  it('stops the process of a run; then the run is cancelled, and its finish says so', () => {
    const hippo = running({ retries: { attempts: 3 } });
    const { attemptId } = hippo.run('load', KEY);
    expect(hippo.ask('cancel', 'load', ann)).toMatchObject([
      { type: 'persist' },
      { type: 'cancel', attemptId, reason: 'cancelled by ann: wrong data' },
    ]);
    expect(hippo.statuses).toEqual({ [`load ${KEY}`]: 'running' });
    hippo.exit('load', KEY, { status: 'cancelled', reason: 'cancelled by ann: wrong data\nlast line' });
    expect(hippo.run('load', KEY)).toMatchObject({
      status: 'cancelled',
      error: 'cancelled by ann: wrong data',
    });
    expect(hippo.finishes).toMatchObject([
      { isSuccess: false, errorMsg: 'cancelled by ann: wrong data\nlast line', extra: { cancelled: true } },
    ]);
  });

  it('of a run that fails while it is asked to stop is a cancellation', () => {
    const hippo = running({ retries: { attempts: 3 } });
    hippo.ask('cancel', 'load');
    hippo.fail('load', KEY, 'ended with signal SIGTERM');
    expect(hippo.finishes).toMatchObject([
      { isSuccess: false, errorMsg: 'cancelled by hand\nended with signal SIGTERM' },
    ]);
  });

  it('does not start again what has landed again meanwhile: that is held', () => {
    const hippo = running();
    hippo.land('a.a', PARTITION, 101);
    hippo.ask('cancel', 'load');
    hippo.exit('load', KEY, { status: 'cancelled', reason: 'cancelled by hand' });
    expect(hippo.fired).toHaveLength(1);
    expect(hippo.run('load', KEY)).toMatchObject({
      status: 'cancelled',
      held: 'a.a landed again after the run',
    });
  });

  it('between two attempts ends the firing', () => {
    const hippo = running({ retries: { attempts: 3 } });
    hippo.fail('load', KEY);
    hippo.ask('cancel', 'load', { runKey: KEY });
    hippo.wait(HOUR);
    expect(hippo.submissions).toHaveLength(1);
    expect(hippo.finishes).toHaveLength(1);
  });

  it('of what has not begun needs no finish; it stays cancelled when the rest lands, until it is run by hand', () => {
    const hippo = hippoWith();
    hippo.land('a.a', PARTITION, 100);
    hippo.ask('cancel', 'load', { runKey: KEY });
    hippo.land('a.b', PARTITION, 100);
    expect(hippo.statuses).toEqual({ [`load ${KEY}`]: 'cancelled' });
    expect(hippo.finishes).toEqual([]);
    hippo.ask('run', 'load', { runKey: KEY });
    expect(hippo.starts[0]?.receiveMsgs).toHaveLength(3);
  });

  it('without a key: the run that is running', () => {
    const hippo = hippoWith({ needs: [daily('a.a')] });
    hippo.land('a.a', 'dt=2016-02-29');
    expect(hippo.ask('cancel', 'load')).toContainEqual(
      expect.objectContaining({ type: 'cancel', run: { job: 'load', key: '2016-02-29' } }),
    );
  });

  it('is refused where there is nothing to cancel', () => {
    const hippo = running();
    hippo.exit('load', KEY);
    expect(notices(hippo.ask('cancel', 'load', { runKey: KEY }))).toEqual([
      `warning: refused: cancel load: load ${KEY} has ended: succeeded`,
    ]);
    expect(notices(hippo.ask('cancel', 'load', { runKey: '2017-01-01' }))).toEqual([
      'warning: refused: cancel load: there is no run 2017-01-01',
    ]);
  });
});

describe('pause', () => {
  it('leaves no work but what was asked for by hand, and that also between two attempts', () => {
    const hippo = running({ retries: { attempts: 1, backoff: '30s' } });
    hippo.ask('pause', 'load');
    hippo.fail('load', KEY);
    expect(hasWork(hippo.state)).toBe(false);
    hippo.ask('run', 'load', { runKey: '2017-04-27' });
    hippo.fail('load', '2017-04-27');
    expect(hippo.run('load', '2017-04-27').status).toBe('ready');
    expect(hasWork(hippo.state)).toBe(true);
    hippo.wait(30 * SECOND);
    hippo.exit('load', '2017-04-27');
    expect(hasWork(hippo.state)).toBe(false);
  });

  it('lets nothing start; what runs goes on; resume starts what is ready', () => {
    const hippo = running({ concurrency: 2, retries: { attempts: 1, backoff: '1s' } });
    hippo.ask('pause', 'load', ann);
    hippo.land('a.a', 'dt=2017-04-27');
    hippo.land('a.b', 'dt=2017-04-27');
    hippo.fail('load', KEY);
    hippo.wait(HOUR);
    expect(hippo.statuses).toEqual({ 'load 2017-04-27': 'ready', [`load ${KEY}`]: 'ready' });
    hippo.restart();
    expect(hippo.submissions).toHaveLength(1);
    hippo.ask('resume', 'load');
    expect(hippo.statuses).toEqual({ 'load 2017-04-27': 'running', [`load ${KEY}`]: 'running' });
    expect(notices(hippo.ask('resume', 'load'))).toEqual(['warning: refused: resume load: it is not paused']);
  });

  it('does not hold up what is asked for by hand', () => {
    const hippo = hippoWith({ retries: { attempts: 1, backoff: '1s' } });
    hippo.ask('pause', 'load');
    hippo.ask('run', 'load', { runKey: KEY });
    expect(hippo.statuses).toEqual({ [`load ${KEY}`]: 'running' });
    hippo.fail('load', KEY);
    hippo.wait(MINUTE);
    expect(hippo.submissions).toHaveLength(2);
  });

  it('with drop: what becomes ready meanwhile is cancelled, and what has run stays as it is', () => {
    const hippo = running({ while_paused: 'drop' });
    hippo.exit('load', KEY);
    hippo.ask('pause', 'load');
    hippo.land('a.a', PARTITION, 101);
    for (const table of ['a.a', 'a.b']) hippo.land(table, 'dt=2017-04-27', 100);
    hippo.land('a.a', 'dt=2017-04-26', 100);
    hippo.ask('resume', 'load');
    hippo.land('a.b', 'dt=2017-04-26', 100);
    expect(hippo.statuses).toEqual({
      'load 2017-04-26': 'running',
      'load 2017-04-27': 'cancelled',
      [`load ${KEY}`]: 'succeeded',
    });
    expect(hippo.run('load', '2017-04-27').error).toBe('it became ready while its job was paused');
    expect(hippo.finishes).toHaveLength(1);
    // Its data lands again.
    hippo.exit('load', '2017-04-26');
    hippo.land('a.a', 'dt=2017-04-27', 101);
    expect(hippo.fired.at(-1)).toBe('load 2017-04-27');
  });
});

describe('mark_success', () => {
  it('counts a failed run as done: its finish says so, and who said it', () => {
    const hippo = running();
    hippo.fail('load', KEY);
    hippo.now += MINUTE;
    hippo.ask('mark_success', 'load', { runKey: KEY, ...ann });
    expect(hippo.run('load', KEY)).toMatchObject({ status: 'succeeded', manual: ann });
    expect(hippo.submissions).toHaveLength(1);
    expect(hippo.finishes.slice(1)).toMatchObject([
      {
        isSuccess: true,
        jobId: 'load_1493380860',
        finishTime: NOON / SECOND + 60,
        durationTime: 0,
        extra: { marked_by: 'ann', reason: 'wrong data' },
      },
    ]);
  });

  it('of a run that nothing has landed for', () => {
    const hippo = hippoWith();
    hippo.ask('mark_success', 'load', { runKey: '2017-01-01' });
    expect(hippo.statuses).toEqual({ 'load 2017-01-01': 'succeeded' });
    expect(hippo.finishes).toMatchObject([{ runKey: '2017-01-01', extra: { marked_by: 'unknown' } }]);
    // What it waited for is no news.
    for (const table of ['a.a', 'a.b']) hippo.land(table, 'dt=2017-01-01');
    expect(hippo.fired).toEqual([]);
  });

  it('between two attempts ends the firing, with its one finish', () => {
    const hippo = running({ retries: { attempts: 3 } });
    hippo.fail('load', KEY);
    hippo.ask('mark_success', 'load', { runKey: KEY });
    hippo.wait(HOUR);
    expect(hippo.submissions).toHaveLength(1);
    expect(hippo.finishes).toMatchObject([{ isSuccess: true, jobId: hippo.starts[0]?.jobId }]);
  });

  it('is refused of what runs, or has succeeded', () => {
    const hippo = running();
    const ask = (): string[] => notices(hippo.ask('mark_success', 'load', { runKey: KEY }));
    expect(ask()).toEqual([`warning: refused: mark-success load: load ${KEY} is running; cancel it first`]);
    hippo.exit('load', KEY);
    expect(ask()).toEqual([`warning: refused: mark-success load: load ${KEY} has succeeded already`]);
    expect(hippo.finishes).toHaveLength(1);
  });
});

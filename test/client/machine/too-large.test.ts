import { describe, expect, it } from 'vitest';
import { Hippo, type JobYaml, notices } from './hippo.ts';

const ERROR = 'its record needs 2000 bytes; max.message.bytes of the topic hippo-state is 1000';
const LOAD: JobYaml = {
  every: 'day',
  needs: [
    { table: 'a.a', partition: { dt: '{{ window }}' } },
    { table: 'a.b', partition: { dt: '{{ window }}' } },
  ],
  run: './job.sh',
  retries: { attempts: 3 },
};
const KEY = '2017-04-28';
const RUN = { job: 'load', key: KEY };

function tooLarge(hippo: Hippo, isStarted = true): ReturnType<Hippo['tell']> {
  return hippo.tell({ type: 'record-too-large', at: hippo.now, run: RUN, error: ERROR, isStarted });
}

describe('a run whose record is too large', () => {
  it('fails for good while it waits, and its record has no inputs', () => {
    const hippo = new Hippo({ load: LOAD });
    hippo.land('a.a', `dt=${KEY}`);
    const effects = tooLarge(hippo);
    expect(hippo.run('load', KEY)).toMatchObject({
      status: 'failed',
      error: ERROR,
      permanent: true,
      inputs: {},
    });
    expect(notices(effects)).toEqual([`error: load ${KEY} failed: ${ERROR}`]);
    hippo.land('a.b', `dt=${KEY}`);
    expect(hippo.submissions).toEqual([]);
  });

  it('fails with a finish message that says what it was started with, where its process was not started yet', () => {
    const hippo = new Hippo({ load: LOAD });
    hippo.land('a.a', `dt=${KEY}`);
    hippo.land('a.b', `dt=${KEY}`);
    const effects = tooLarge(hippo, false);
    expect(effects.filter(({ type }) => type === 'cancel')).toEqual([]);
    expect(hippo.finishes).toMatchObject([
      { isSuccess: false, errorMsg: ERROR, receiveMsgs: [{ need: 'a.a' }, { need: 'a.b' }] },
    ]);
    expect(hippo.run('load', KEY)).toMatchObject({ status: 'failed', inputs: {} });
  });

  it('is stopped while its process runs, and fails without a further attempt, over a takeover too', () => {
    for (const isTakenOver of [false, true]) {
      const hippo = new Hippo({ load: LOAD });
      hippo.land('a.a', `dt=${KEY}`);
      hippo.land('a.b', `dt=${KEY}`);
      const effects = tooLarge(hippo);
      expect(effects.filter(({ type }) => type === 'cancel')).toHaveLength(1);
      if (isTakenOver) hippo.restart();
      else hippo.exit('load', KEY, { status: 'cancelled', reason: ERROR });
      expect(hippo.run('load', KEY)).toMatchObject({ status: 'failed', permanent: true });
      expect(hippo.finishes).toMatchObject([{ isSuccess: false, errorMsg: ERROR }]);
      expect(hippo.submissions).toHaveLength(1);
    }
  });

  it('keeps its outcome where it has ended, and is forgotten where even that is too large', () => {
    const hippo = new Hippo({ load: LOAD });
    hippo.land('a.a', `dt=${KEY}`);
    hippo.land('a.b', `dt=${KEY}`);
    hippo.exit('load', KEY);
    tooLarge(hippo);
    expect(hippo.run('load', KEY)).toMatchObject({ status: 'succeeded', inputs: {} });
    const effects = tooLarge(hippo);
    expect(hippo.records.has(`etl/run/load/${KEY}`)).toBe(false);
    expect(notices(effects)).toEqual([`error: run load ${KEY} (succeeded) is forgotten: ${ERROR}`]);
    expect(tooLarge(hippo)).toEqual([]);
  });

  it('leaves its place to the next one', () => {
    const hippo = new Hippo({ load: { ...LOAD, concurrency: 1 } });
    for (const day of [KEY, '2017-04-29']) {
      hippo.land('a.a', `dt=${day}`);
      hippo.land('a.b', `dt=${day}`);
    }
    expect(hippo.fired).toEqual([`load ${KEY}`]);
    tooLarge(hippo, false);
    expect(hippo.fired).toEqual([`load ${KEY}`, 'load 2017-04-29']);
  });
});

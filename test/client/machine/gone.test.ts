import { describe, expect, it } from 'vitest';
import { Hippo, type JobYaml, daily, define, notices } from './hippo.ts';

const KEY = '2017-04-28';
const PARTITION = `dt=${KEY}`;
const LOAD: JobYaml = { every: 'day', needs: [daily('a.a'), daily('a.b')] };
const MONTHLY: JobYaml = {
  every: 'month',
  needs: [{ table: 'a.a', partition: { yyyymm: "{{ window | date: '%Y%m' }}" } }],
};
/** The job was renamed, or has other windows now. */
const CHANGES: [string, Record<string, JobYaml>][] = [
  ['renamed', { load2: LOAD, report: { needs: [{ job: 'etl/load' }] } }],
  ['changed to other windows', { load: MONTHLY, report: { needs: [{ job: 'etl/load' }] } }],
];

/** A hippo whose job has a run of this status, and was changed then. */
function changed(jobs: Record<string, JobYaml>, status: 'waiting' | 'running' | 'failed' | 'ready'): Hippo {
  const hippo = new Hippo({ load: LOAD });
  hippo.land('a.a', PARTITION, 100);
  if (status === 'ready') hippo.ask('pause', 'load');
  if (status !== 'waiting') hippo.land('a.b', PARTITION, 100);
  if (status === 'failed') hippo.fail('load', KEY);
  hippo.restart([], define(jobs));
  return hippo;
}

const recordOf = (hippo: Hippo) => hippo.records.get(`etl/run/load/${KEY}`);

describe.each(CHANGES)('a run of a job that was %s', (_, jobs) => {
  it.each(['waiting', 'ready', 'running', 'failed'] as const)(
    'is marked as done while it is %s',
    (status) => {
      const hippo = changed(jobs, status);
      const before = hippo.finishes.length;
      expect(notices(hippo.ask('mark_success', 'load', { runKey: KEY, by: 'ann' }))).toEqual([]);
      expect(recordOf(hippo)).toMatchObject({ status: 'succeeded', manual: { by: 'ann' } });
      expect(hippo.finishes.slice(before)).toMatchObject([
        { jobName: 'load', runKey: KEY, isSuccess: true, extra: { marked_by: 'ann' } },
      ]);
      // What needs it goes on, also after the next takeover.
      hippo.read({ ...hippo.finishes.at(-1)! });
      expect(hippo.fired.at(-1)).toMatch(/^report /);
      hippo.restart([], define(jobs));
      expect(notices(hippo.ask('mark_success', 'load', { runKey: KEY }))).toEqual([
        `warning: refused: mark-success load: load ${KEY} has ended: succeeded`,
      ]);
    },
  );

  it.each(['waiting', 'ready', 'running', 'failed'] as const)('is cancelled while it is %s', (status) => {
    const hippo = changed(jobs, status);
    const before = hippo.finishes.length;
    const effects = hippo.ask('cancel', 'load', { runKey: KEY, by: 'ann', reason: 'renamed' });
    expect(notices(effects)).toEqual([]);
    expect(recordOf(hippo)).toMatchObject({ status: 'cancelled', error: 'cancelled by ann: renamed' });
    // Each start message has one finish message.
    expect(hippo.finishes.slice(before)).toHaveLength(status === 'running' ? 1 : 0);
  });

  it('is not run again', () => {
    const hippo = changed(jobs, 'failed');
    expect(notices(hippo.ask('run', 'load', { runKey: KEY }))).toEqual([
      `warning: refused: run load: hippo.yaml does not have load ${KEY} any more: mark it as done, or cancel it`,
    ]);
    expect(recordOf(hippo)).toMatchObject({ status: 'failed' });
  });
});

it('a run that is not in the state either is refused as before', () => {
  const hippo = changed({ load2: LOAD }, 'failed');
  expect(notices(hippo.ask('cancel', 'load', { runKey: '2017-04-29' }))).toEqual([
    'warning: refused: cancel load: there is no job "load"; this hippo has load2',
  ]);
});

it('a takeover says how records of jobs that are gone are removed', () => {
  const hippo = changed({ load: LOAD }, 'failed');
  expect(notices(hippo.restart([], define({ load2: LOAD })))).toEqual([
    expect.stringMatching(
      /^warning: the state topic has records of jobs .* To remove them: hippo forget etl\/load$/,
    ),
  ]);
});

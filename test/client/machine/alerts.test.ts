import { describe, expect, it } from 'vitest';
import { recordsOf, restore } from '../../../src/client/machine/index.ts';
import { DAY, HOUR, Hippo, type JobYaml, SECOND, type Options, daily, define, notices } from './hippo.ts';

const RUN = '2017-04-28';
const LOAD: JobYaml = { every: 'day', needs: [daily('a.a'), daily('a.b')], run: './job.sh', deadline: '6h' };
const SIMPLE: JobYaml = { ...LOAD, needs: [daily('a.a')] };

function hippo(
  job: JobYaml = SIMPLE,
  { receivers = [] as string[], ...options }: Partial<Options> & { receivers?: string[] } = {},
): Hippo {
  return new Hippo({ load: job }, { alerts: { receivers }, identity: 'uat/etl', ...options });
}

const told = ({ alerts }: Hippo): string[] =>
  alerts.map(({ state, alertId, text }) => `${state} ${alertId}: ${text}`);
const open = ({ state }: Hippo): string[] =>
  [...state.alerts].filter(([, { resolvedAt }]) => resolvedAt === undefined).map(([id]) => id);

/** A hippo with one alert: the run has failed. */
function failed(...options: Parameters<typeof hippo>): Hippo {
  const made = hippo(...options);
  made.land('a.a', `dt=${RUN}`);
  made.now += SECOND;
  made.fail('load', RUN);
  return made;
}

describe('an alert', () => {
  it('has one id, a message when it is raised and one when it is over, and no record afterwards', () => {
    const made = failed();
    expect(made.alerts).toEqual([
      {
        kind: 'alert',
        alertId: 'uat/etl/load/failed/2017-04-28/1493380801',
        state: 'firing',
        condition: 'failed',
        hippoName: 'etl',
        subject: 'load',
        runKey: RUN,
        since: 1493380801,
        time: 1493380801,
        text: 'load 2017-04-28 has failed: ./start-spark.sh ended with exit code 1',
        next: ['hippo job run etl/load --key 2017-04-28', 'hippo job mark-success etl/load --key 2017-04-28'],
        extra: {},
      },
    ]);
    expect([...made.records.keys()]).toContain('etl/alert/load/failed/2017-04-28/1493380801');

    made.now += HOUR;
    made.ask('mark_success', 'load', { runKey: RUN });

    expect(made.alerts.at(-1)).toEqual({
      kind: 'alert',
      alertId: 'uat/etl/load/failed/2017-04-28/1493380801',
      state: 'resolved',
      condition: 'failed',
      hippoName: 'etl',
      subject: 'load',
      runKey: RUN,
      since: 1493380801,
      time: 1493384401,
      text: 'load 2017-04-28 was marked as done',
      extra: {},
    });
    expect(made.alerts).toHaveLength(2);
    expect([...made.records.keys()].filter((key) => key.includes('/alert/'))).toEqual([]);
  });

  it('is written in the step that decides it, before anything is done', () => {
    const made = hippo();
    made.land('a.a', `dt=${RUN}`);
    const types = made.fail('load', RUN).map(({ type }) => type);
    expect(types).toEqual(['persist', 'persist', 'publish', 'publish']);
  });

  it('outlives a takeover, and is not raised again', () => {
    const made = failed();
    made.restart();
    made.restart();
    expect(made.alerts).toHaveLength(1);
    expect(open(made)).toEqual(['load/failed/2017-04-28/1493380801']);
    const { definition, state } = made;
    expect(restore(definition, recordsOf(definition, state)).alerts.equals(state.alerts)).toBe(true);
  });

  it('has another id when its cause comes again, even in the same second', () => {
    const made = failed();
    made.ask('cancel', 'load', { runKey: RUN });
    made.ask('mark_success', 'load', { runKey: RUN });
    made.land('a.a', `dt=${RUN}`, 1493380999);
    made.fail('load', RUN);
    const ids = made.alerts.filter(({ state }) => state === 'firing').map(({ alertId }) => alertId);
    expect(new Set(ids).size).toBe(2);
  });

  it('is not raised without alerts in hippo.yaml, and those of before are forgotten', () => {
    const without = new Hippo({ load: SIMPLE });
    without.land('a.a', `dt=${RUN}`);
    without.fail('load', RUN);
    expect(without.alerts).toEqual([]);

    const made = failed();
    made.restart([], define({ load: SIMPLE }));
    expect(made.alerts).toHaveLength(1);
    expect([...made.records.keys()].filter((key) => key.includes('/alert/'))).toEqual([]);
  });

  it('ends when hippo.yaml does not have its job any more, or the run was forgotten', () => {
    const removed = failed();
    removed.restart([], define({ other: SIMPLE }, { alerts: { receivers: [] }, identity: 'uat/etl' }));
    expect(removed.alerts.at(-1)).toMatchObject({
      state: 'resolved',
      text: 'hippo.yaml does not have load 2017-04-28 any more',
    });

    const forgotten = failed();
    forgotten.records.delete(`etl/run/load/${RUN}`);
    forgotten.restart();
    expect(forgotten.alerts.at(-1)).toMatchObject({
      state: 'resolved',
      text: 'load 2017-04-28 was forgotten',
    });

    const old = failed();
    old.wait(70 * DAY);
    expect(old.alerts.at(-1)).toMatchObject({ state: 'resolved', text: 'load 2017-04-28 was forgotten' });
  });
});

describe('receivers', () => {
  const ID = `load/failed/${RUN}/1493380801`;
  const deliver = (made: Hippo, ...told: [receiver: string, state: 'firing' | 'resolved'][]): void =>
    void made.tell({
      type: 'alerts-delivered',
      at: made.now,
      deliveries: told.map(([receiver, state]) => ({ alert: ID, receiver, state })),
    });
  const succeed = (made: Hippo): void => void made.ask('mark_success', 'load', { runKey: RUN });

  it('keep an alert until each of them has taken its end, or needs not to', () => {
    const made = failed(SIMPLE, { receivers: ['ops', 'mail', 'chat'] });
    deliver(made, ['ops', 'firing'], ['mail', 'firing']);
    succeed(made);
    deliver(made, ['ops', 'resolved']);
    made.restart();
    expect(made.state.alerts.get(ID)?.delivered).toEqual({ ops: 'resolved', mail: 'firing' });
    deliver(made, ['mail', 'resolved'], ['mail', 'resolved']);
    expect(made.state.alerts.size).toBe(1);
    deliver(made, ['chat', 'resolved']);
    expect(made.state.alerts.size).toBe(0);
    expect(made.records.has(`etl/alert/${ID}`)).toBe(false);
  });

  it('that are configured no more keep nothing', () => {
    const made = failed(SIMPLE, { receivers: ['ops'] });
    deliver(made, ['ops', 'firing']);
    succeed(made);
    expect(made.state.alerts.size).toBe(1);
    made.restart([], define({ load: SIMPLE }, { alerts: { receivers: [] } }));
    expect(made.state.alerts.size).toBe(0);
    expect(made.alerts).toHaveLength(2);
  });

  it('may tell of alerts that are gone', () => {
    const made = failed();
    succeed(made);
    deliver(made, ['ops', 'firing']);
    expect(made.state.alerts.size).toBe(0);
  });
});

describe('while the alert topic cannot be written to', () => {
  const withheld = (made: Hippo, alertsWithheld: boolean): void => {
    made.state = restore(made.definition, made.records);
    made.tell({ type: 'ownership-gained', at: made.now, alertsWithheld });
  };

  it('nothing is published; what is owed is published later, also by another owner', () => {
    const made = hippo();
    withheld(made, true);
    made.land('a.a', `dt=${RUN}`);
    made.fail('load', RUN);
    expect(made.finishes).toHaveLength(1);
    expect(made.alerts).toEqual([]);
    withheld(made, false);
    expect(told(made)).toEqual([
      `firing uat/etl/load/failed/${RUN}/1493380800: load 2017-04-28 has failed: ./start-spark.sh ended with exit code 1`,
    ]);
    withheld(made, false);
    expect(made.alerts).toHaveLength(1);
  });

  it('an alert that is over meanwhile is told of twice', () => {
    const made = hippo();
    withheld(made, true);
    made.land('a.a', `dt=${RUN}`);
    made.fail('load', RUN);
    made.ask('mark_success', 'load', { runKey: RUN });
    expect(made.state.alerts.size).toBe(1);
    withheld(made, false);
    expect(made.alerts.map(({ state }) => state)).toEqual(['firing', 'resolved']);
    expect(made.state.alerts.size).toBe(0);
  });

  it('the end of an alert that was published is published alone', () => {
    const made = failed();
    withheld(made, true);
    made.ask('mark_success', 'load', { runKey: RUN });
    withheld(made, false);
    expect(made.alerts.map(({ state }) => state)).toEqual(['firing', 'resolved']);
  });
});

describe('a run', () => {
  it('that has not succeeded by its deadline alerts until it has', () => {
    const made = hippo(LOAD);
    made.land('a.a', `dt=${RUN}`);
    made.wait(12 * HOUR + 6 * HOUR);
    expect(told(made)).toEqual([
      `firing uat/etl/load/deadline/${RUN}/1493445600: load 2017-04-28 has missed its deadline: it is waiting for a.b`,
    ]);
    made.land('a.b', `dt=${RUN}`);
    expect(made.alerts).toHaveLength(1);
    made.exit('load', RUN);
    expect(told(made).slice(1)).toEqual([
      `resolved uat/etl/load/deadline/${RUN}/1493445600: load 2017-04-28 has succeeded`,
    ]);
  });

  it('that has missed its deadline and fails alerts for both; both end with its success', () => {
    const made = hippo();
    made.land('a.a', `dt=${RUN}`);
    made.wait(DAY);
    made.fail('load', RUN);
    expect(open(made).map((id) => id.split('/')[1])).toEqual(['deadline', 'failed']);
    made.ask('run', 'load', { runKey: RUN });
    made.exit('load', RUN);
    expect(open(made)).toEqual([]);
    expect(made.alerts).toHaveLength(4);
  });

  it('that is known to have failed does not alert for its deadline, and not again for failing again', () => {
    const made = failed();
    made.ask('run', 'load', { runKey: RUN });
    const said = notices(made.wait(2 * DAY));
    expect(said).toEqual(['error: load 2017-04-28 has missed its deadline: it is running']);
    made.fail('load', RUN);
    expect(made.alerts).toHaveLength(1);
  });

  it('whose needs were not complete in time alerts until it starts after all', () => {
    const made = hippo({ ...LOAD, deadline: undefined, give_up: '1d' });
    made.land('a.a', `dt=${RUN}`);
    made.wait(3 * DAY);
    expect(told(made)).toEqual([
      `firing uat/etl/load/gave-up/${RUN}/1493640000: load 2017-04-28 timed out: a.b did not land in time`,
    ]);
    made.land('a.b', `dt=${RUN}`);
    expect(told(made).slice(1)).toEqual([
      `resolved uat/etl/load/gave-up/${RUN}/1493640000: load 2017-04-28 has started after all`,
    ]);
  });

  it('that has missed its deadline and is given up then alerts once', () => {
    const made = hippo({ ...LOAD, give_up: '1d' });
    made.land('a.a', `dt=${RUN}`);
    made.wait(3 * DAY);
    expect(open(made)).toEqual([`load/deadline/${RUN}/1493640000`]);
  });

  it('that is tried again does not alert before its last attempt', () => {
    const made = hippo({ ...SIMPLE, retries: { attempts: 1, backoff: '30s' } });
    made.land('a.a', `dt=${RUN}`);
    made.fail('load', RUN);
    expect(made.alerts).toEqual([]);
    made.wait(30 * SECOND);
    made.fail('load', RUN);
    expect(open(made)).toHaveLength(1);
  });

  it('that is cancelled alerts no more', () => {
    const made = hippo(LOAD);
    made.land('a.a', `dt=${RUN}`);
    made.wait(DAY);
    made.ask('cancel', 'load', { runKey: RUN, by: 'ann' });
    expect(made.alerts.at(-1)).toMatchObject({
      state: 'resolved',
      text: 'load 2017-04-28 was cancelled: cancelled by ann',
    });
  });
});

describe('a text that is too long', () => {
  it.each([
    ['in the middle of one', 490, ' …'],
    ['after one', 483, ' password=hunter22 …'],
  ])('ends with a whole word where it is cut %s: half a secret would not be masked', (_, at, end) => {
    const made = hippo();
    made.land('a.a', `dt=${RUN}`);
    const words = 'x'.repeat(at - `load ${RUN} has failed: `.length - ' '.length);
    made.fail('load', RUN, `${words} password=hunter22 ${'was refused '.repeat(9)}`);
    const [before = '', after] = (made.alerts.at(-1)?.text ?? '').split(words);
    expect([before, after]).toEqual([`load ${RUN} has failed: `, end]);
  });
});

describe('a pause', () => {
  const LONG = { alerts: { receivers: [], pausedAfter: DAY } };

  it('that is long alerts once, until it is over', () => {
    const made = hippo(SIMPLE, LONG);
    made.ask('pause', 'load', { by: 'ann', reason: 'a bad table' });
    made.wait(DAY - 1);
    expect(made.alerts).toEqual([]);
    made.wait(1);
    made.restart();
    made.wait(DAY);
    expect(told(made)).toEqual([
      'firing uat/etl/load/paused/1493467200: load has been paused for more than 1 d, by ann: a bad table',
    ]);
    made.ask('resume', 'load');
    expect(told(made).slice(1)).toEqual(['resolved uat/etl/load/paused/1493467200: load was resumed']);
  });

  it('that is short does not alert, and one after another has an alert of its own', () => {
    const made = hippo(SIMPLE, LONG);
    made.ask('pause', 'load');
    made.wait(HOUR);
    made.ask('resume', 'load');
    made.wait(2 * DAY);
    expect(made.alerts).toEqual([]);
    made.ask('pause', 'load');
    made.wait(DAY);
    expect(open(made)).toHaveLength(1);
  });
});

import { describe, expect, it } from 'vitest';
import { recordsOf, restore } from '../../../src/client/machine/index.ts';
import type { ServiceTold } from '../../../src/client/machine/index.ts';
import { DAY, HOUR, Hippo, type JobYaml, MINUTE, daily, define } from './hippo.ts';

const JOBS: Record<string, JobYaml> = { load: { every: 'day', needs: [daily('a.a')], run: './job.sh' } };
const ALERTS = { receivers: [], lettersQuiet: HOUR };
const TOPIC = 'frontier-adw';

function hippo(options: ConstructorParameters<typeof Hippo>[1] = {}): Hippo {
  return new Hippo(JOBS, { alerts: ALERTS, ...options });
}

const told = ({ alerts }: Hippo): string[] =>
  alerts.map(({ state, condition, subject, text }) => `${state} ${condition} of ${subject}: ${text}`);
const kept = ({ records }: Hippo): string[] => [...records.keys()].filter((key) => key.includes('/alert/'));

describe('dead letters', () => {
  const reject = (made: Hippo, reason = 'it is not JSON'): unknown =>
    made.tell({ type: 'rejected', at: made.now, topic: TOPIC, reason });

  it('alert once per topic, with their count, until none has come for a while', () => {
    const made = hippo();
    reject(made);
    made.wait(30 * MINUTE);
    reject(made, 'table is missing');
    made.wait(HOUR - 1);
    expect(told(made)).toEqual([
      `firing dead-letters of ${TOPIC}: a record of ${TOPIC} was rejected, and is a dead letter now: it is not JSON`,
    ]);
    expect(made.alerts[0]?.next).toEqual([`hippo replay ${TOPIC} --dry-run`]);
    expect([...made.state.alerts.values()]).toMatchObject([
      {
        count: 2,
        text: `2 records of ${TOPIC} were rejected, and are dead letters now; the last: table is missing`,
      },
    ]);
    made.wait(1);
    expect(told(made).slice(1)).toEqual([
      `resolved dead-letters of ${TOPIC}: no record of ${TOPIC} has been rejected for 1 h; 2 were before`,
    ]);
    expect(kept(made)).toEqual([]);
    reject(made);
    expect(new Set(made.alerts.map(({ alertId }) => alertId)).size).toBe(2);
  });

  it('are remembered over a takeover: neither raised again, nor their last time forgotten', () => {
    const made = hippo();
    reject(made);
    made.now += 50 * MINUTE;
    made.restart();
    const { definition, state } = made;
    expect(restore(definition, recordsOf(definition, state)).alerts.equals(state.alerts)).toBe(true);
    reject(made);
    made.restart();
    made.wait(59 * MINUTE);
    expect(made.alerts).toHaveLength(1);
    made.wait(MINUTE);
    expect(made.alerts.map(({ state: is }) => is)).toEqual(['firing', 'resolved']);
  });

  it('end while no client ran, at the takeover', () => {
    const made = hippo();
    reject(made);
    made.now += DAY;
    made.restart();
    made.wait(0);
    expect(made.alerts.map(({ state: is }) => is)).toEqual(['firing', 'resolved']);
  });

  it('end after the time that has really passed, whatever the clock says', () => {
    const made = hippo();
    reject(made);
    made.jump(DAY);
    expect(made.alerts).toHaveLength(1);
    made.jump(-2 * DAY);
    made.wait(HOUR);
    expect(made.alerts.map(({ state: is }) => is)).toEqual(['firing', 'resolved']);

    reject(made);
    made.now -= DAY;
    made.restart();
    made.wait(HOUR);
    expect(made.alerts).toHaveLength(4);
  });

  it('of two topics are two alerts', () => {
    const made = hippo();
    reject(made);
    made.tell({ type: 'rejected', at: made.now, topic: 'hippo-schedule', reason: 'no' });
    expect(made.alerts.map(({ subject }) => subject)).toEqual([TOPIC, 'hippo-schedule']);
  });

  it('change nothing without alerts in hippo.yaml', () => {
    const made = new Hippo(JOBS);
    expect(reject(made)).toEqual([]);
  });
});

describe('a right that is denied', () => {
  const right = (topic: string): { topic: string; text: string; next: string[] } => ({
    topic,
    text: `Kafka denies this user the operation Read on topic ${topic}`,
    next: ['hippo doctor'],
  });
  const deny = (made: Hippo, topics: readonly string[], isComplete = true): unknown =>
    made.tell({ type: 'rights-denied', at: made.now, rights: topics.map(right), isComplete });

  it('alerts once per topic, until all is told and it is not among it', () => {
    const made = hippo();
    deny(made, ['a'], false);
    deny(made, ['a', 'b']);
    made.restart();
    deny(made, [], false);
    deny(made, ['b'], false);
    expect(told(made)).toEqual([
      'firing denied of a: Kafka denies this user the operation Read on topic a',
      'firing denied of b: Kafka denies this user the operation Read on topic b',
    ]);
    expect(deny(made, ['a', 'b'])).toEqual([]);
    deny(made, ['b']);
    deny(made, []);
    deny(made, []);
    expect(told(made).slice(2)).toEqual([
      'resolved denied of a: Kafka does not deny a any more',
      'resolved denied of b: Kafka does not deny b any more',
    ]);
    expect(kept(made)).toEqual([]);
  });
});

describe('a service', () => {
  const services = { api: { run: './api' } };
  const say = (made: Hippo, condition: ServiceTold['condition']): unknown =>
    made.tell({ type: 'service-told', at: made.now, service: 'api', condition, text: `api: ${condition}` });
  const SAID = [
    'firing crash-loop of api: api: crash-loop',
    'resolved crash-loop of api: api: gave-up',
    'firing gave-up of api: api: gave-up',
  ];

  it('that keeps ending alerts; when it is given up, that is its alert; both end when it is fine', () => {
    const made = hippo({ services });
    say(made, 'crash-loop');
    say(made, 'crash-loop');
    made.restart();
    say(made, 'crash-loop');
    say(made, 'gave-up');
    expect(told(made)).toEqual(SAID);
    made.restart();
    // Resumed, it ends again: that is the same occurrence.
    say(made, 'crash-loop');
    say(made, 'gave-up');
    expect(told(made)).toEqual(SAID);
    say(made, 'fine');
    say(made, 'fine');
    expect(told(made).slice(3)).toEqual(['resolved gave-up of api: api: fine']);
    expect(kept(made)).toEqual([]);
  });

  it('that loops no more is over, too, and a later loop is another occurrence', () => {
    const made = hippo({ services });
    say(made, 'fine');
    expect(made.alerts).toEqual([]);
    say(made, 'crash-loop');
    say(made, 'fine');
    say(made, 'crash-loop');
    expect(made.alerts.map(({ state }) => state)).toEqual(['firing', 'resolved', 'firing']);
    expect(new Set(made.alerts.map(({ alertId }) => alertId)).size).toBe(2);
  });

  it('that is paused alerts no more, whatever was said of it before', () => {
    const made = hippo({ services });
    say(made, 'crash-loop');
    made.ask('pause', 'api');
    say(made, 'gave-up');
    expect(told(made)).toEqual([
      'firing crash-loop of api: api: crash-loop',
      'resolved crash-loop of api: api was paused',
    ]);
  });

  it('that hippo.yaml does not have any more alerts no more', () => {
    const made = hippo({ services });
    say(made, 'gave-up');
    made.restart([], define(JOBS, { alerts: ALERTS }));
    expect(told(made).slice(1)).toEqual(['resolved gave-up of api: hippo.yaml does not have api any more']);
    expect(say(made, 'crash-loop')).toEqual([]);
  });
});

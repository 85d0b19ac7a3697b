import { describe, expect, it } from 'vitest';
import { parsePartitionPath, partitionPath } from '../../../src/messages/partition.ts';
import type { ToldEvent } from '../../../src/client/machine/index.ts';
import { fingerprintOf } from '../../../src/state/index.ts';
import { Hippo, MINUTE, NOON, SECOND, compiled, finishOf, landing, notices } from './hippo.ts';

const SERVICES = {
  stream: { run: './stream.sh', events: { dialect: 'arrays' as const, method: 'append' } },
  api: {
    run: './api.sh',
    scope: 'each' as const,
    reload_on: [{ table: 'btd.party', partition: { region: 'eu' } }, { job: 'ml/train' }],
  },
};

function make(): Hippo {
  return new Hippo({}, { services: SERVICES });
}

function event(id: string, path = 'dt=2017-04-28', landedAt = NOON, what = id): ToldEvent {
  return {
    id,
    db: 'shop',
    table: 'orders',
    partition: parsePartitionPath(path) ?? [],
    landedAt,
    extra: { rows: 3 },
    fingerprint: fingerprintOf(what),
  };
}

function told(hippo: Hippo, ...events: ToldEvent[]): string[] {
  return notices(hippo.tell({ type: 'events-told', at: hippo.now, service: 'stream', events }));
}

const AT = NOON / SECOND;

describe('what a service announces', () => {
  it('is published once by its id, also when the service repeats it after a takeover', () => {
    const hippo = make();
    const events = [event('1'), event('2', 'dt=2017-04-29')];
    expect(hippo.tell({ type: 'events-told', at: hippo.now, service: 'stream', events })).toContainEqual({
      type: 'announced',
      source: 'stream',
      table: 'shop.orders',
      landings: [
        { partition: 'dt=2017-04-28', execDate: AT },
        { partition: 'dt=2017-04-29', execDate: AT },
      ],
    });
    expect(told(hippo, event('1'))).toEqual([]);
    hippo.restart();
    expect(told(hippo, event('1'), event('2', 'dt=2017-04-29'), event('2', 'dt=2017-04-29'))).toEqual([]);
    expect(hippo.announced).toHaveLength(2);
    expect(hippo.announced[0]).toMatchObject({
      dialect: 'arrays',
      method: 'append',
      db: 'shop',
      table: 'orders',
      execDate: AT,
      extra: { rows: 3, announced_by: { hippo_name: 'etl', service: 'stream' } },
    });
  });

  it('is not published again under a known id with other content, and a notice says so', () => {
    const hippo = make();
    told(hippo, event('1'));
    expect(told(hippo, event('1', 'dt=2017-04-30', NOON, 'other'))).toEqual([
      'warning: stream announced the id "1" before, with other content: shop.orders dt=2017-04-30 is not published. ' +
        'What has landed again needs a new id',
    ]);
    expect(hippo.announced).toHaveLength(1);
  });

  it('has an exec_date that is not later than now, and later than the one before of the same partition', () => {
    const hippo = make();
    told(hippo, event('1'), event('2'), event('3', 'dt=2017-04-29', NOON + 5 * MINUTE));
    hippo.wait(MINUTE);
    hippo.restart();
    told(hippo, event('4', 'dt=2017-04-28', NOON - MINUTE), event('5', 'dt=2017-04-28', NOON + MINUTE));
    const dates = hippo.announced.map(
      ({ partitions: [partition = []], execDate }) => `${partitionPath(partition)} ${execDate - AT}`,
    );
    expect(dates).toEqual([
      'dt=2017-04-28 0',
      'dt=2017-04-28 1',
      'dt=2017-04-29 0',
      'dt=2017-04-28 2',
      'dt=2017-04-28 60',
    ]);
  });

  it('of a service that hippo.yaml does not have any more is left alone', () => {
    const hippo = make();
    expect(hippo.tell({ type: 'events-told', at: NOON, service: 'gone', events: [event('1')] })).toEqual([]);
  });
});

describe('a service reloads', () => {
  it('on each message that fits, and every client reads the last one in the state', () => {
    const hippo = make();
    hippo.land('btd.party', 'region=us');
    expect(hippo.state.services.get('api')).toBeUndefined();
    hippo.land('btd.party', 'region=eu');
    const first = hippo.state.services.get('api')?.reload;
    expect(first).toMatchObject({ at: NOON, from: { topic: 'frontier', offset: '2' } });
    expect(first?.message).toMatchObject({ db: 'btd', table: 'party' });
    hippo.read(finishOf('ml/train', { isSuccess: false }));
    expect(hippo.state.services.get('api')?.reload).toEqual(first);
    hippo.read(finishOf('ml/train'));
    expect(hippo.state.services.get('api')?.reload?.message).toMatchObject({ job_name: 'train' });
    const before = hippo.state.services;
    hippo.restart();
    expect(hippo.state.services.toJS()).toEqual(before.toJS());
  });

  it('not by a window or a key', () => {
    const problems = (needs: object[]): unknown => {
      const result = compiled({}, { services: { api: { run: './api.sh', reload_on: needs as never } } });
      return result.ok ? [] : result.problems.map(({ path, message }) => `${path.join('.')}: ${message}`);
    };
    expect(problems([{ table: 'btd.party', partition: { dt: '{{ window }}' } }])).toEqual([
      'services.api.reload_on.0.partition.dt: a job with "every: event" has no window',
    ]);
    expect(problems([{ job: 'ml/train', key: 'x' }])).toEqual([
      'services.api.reload_on.0.key: a service reloads on every run of a job, whatever its key',
    ]);
  });
});

describe('a request for a service', () => {
  it('pauses and resumes it, by whom and why', () => {
    const hippo = make();
    hippo.ask('pause', 'api', { by: 'ann', reason: 'upgrade' });
    hippo.restart();
    expect(hippo.state.pauses.get('api')).toEqual({ at: NOON, by: 'ann', reason: 'upgrade' });
    hippo.wait(MINUTE);
    hippo.ask('resume', 'api', { by: 'bob' });
    hippo.restart();
    expect(hippo.state.pauses.has('api')).toBe(false);
    expect(hippo.state.services.get('api')).toEqual({
      resumed: { written: hippo.now, at: NOON + MINUTE, by: 'bob' },
    });
    expect(hippo.state.strays).toEqual([]);
  });

  it('resumes one that was given up, and keeps what it was told to reload', () => {
    const hippo = make();
    hippo.read(landing('btd.party', 'region=eu'));
    hippo.ask('resume', 'api');
    expect(hippo.state.services.get('api')).toMatchObject({
      resumed: { written: hippo.now, at: NOON },
      reload: { at: NOON },
    });
  });

  it.each(['run', 'cancel', 'mark_success'] as const)('%s is refused', (action) => {
    expect(notices(make().ask(action, 'api'))).toEqual([
      `warning: refused: ${action.replace('_', '-')} api: api is a service: it can be paused and resumed`,
    ]);
  });
});

import { afterEach, describe, expect, it, vi } from 'vitest';
import { ServiceError } from '../../../src/core/errors.ts';
import { DeniedError } from '../../../src/kafka/failures.ts';
import type { OutgoingRecord } from '../../../src/kafka/port.ts';
import { EACH, Owned, until } from './owned.ts';

vi.setConfig({ testTimeout: 30_000 });

const owners: Owned[] = [];
function owned(...args: ConstructorParameters<typeof Owned>): Owned {
  const one = new Owned(...args);
  owners.push(one);
  return one;
}

afterEach(async () => {
  vi.useRealTimers();
  for (const one of owners.splice(0)) await one.lose();
});

const writes = (records: readonly OutgoingRecord[], topic: string): boolean =>
  records.some((record) => record.topic === topic);

describe('a client that owns the hippo again', () => {
  it('lets its jobs go on where no other client has owned it', async () => {
    const client = owned({ load: EACH });
    void client.own();
    client.land('no=1');
    await until('it is submitted', () => client.submitted.length === 1);
    await client.lose();
    void client.own();
    await until('it owns again', () => client.saw('owner').length === 2);
    expect(client.processes.running).toHaveLength(1);
    expect(client.submitted).toEqual(['no=1']);
  });

  it('runs them again after another one, also when its first takeover fails after its claim', async () => {
    const client = owned({ load: EACH });
    void client.own();
    client.land('no=1');
    await until('it is submitted', () => client.submitted.length === 1);
    await client.lose();
    const other = owned({ load: EACH }, { kafka: client.kafka });
    void other.own();
    await until('the other one runs it again', () => other.submitted.length === 1);
    await other.lose();

    // The claim is written, but its acknowledgement is lost.
    let claims = 0;
    client.kafka.beforeWrite = (records) => {
      const isClaim = records.some(({ key, value }) => key === 'etl/owner' && value !== null);
      if (!isClaim || (claims += 1) > 1) return;
      for (const record of records) client.kafka.produce(record);
      throw new ServiceError('the connection was lost');
    };
    void client.own();
    await until('it runs it again', () => client.submitted.length === 2);
    expect(claims).toBe(2);
    expect(client.processes.running).toHaveLength(1);
    expect(client.processes.submitted.map(({ attempt }) => attempt)).toEqual([1, 3]);
  });
});

describe('dead letters that may not be written', () => {
  const denied = new DeniedError(
    'Kafka denies this user the operation Write on topic frontier-adw.dlq',
    { operation: 'Write', resource: { type: 'topic', name: 'frontier-adw.dlq' } },
    {},
  );
  const deny = (client: Owned): void => {
    client.kafka.beforeWrite = (records) => {
      if (writes(records, 'frontier-adw.dlq')) throw denied;
    };
    client.kafka.produce({ topic: 'frontier-adw', key: 'x', value: 'no message' });
  };

  it('keep their topic from being read: it is said once', async () => {
    const client = owned({ load: EACH });
    deny(client);
    vi.useFakeTimers({ toFake: ['performance'] });
    void client.own();
    await until('it is said', () => client.notices.length === 1);
    expect(client.notices[0]).toContain('denies this user the operation Write on topic frontier-adw.dlq');
    // Everything that is told again after a new start has been told by now.
    for (let seconds = 0; seconds < 50; seconds += 5) {
      vi.advanceTimersByTime(5_000);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    expect(client.notices).toEqual([expect.any(String)]);
    vi.advanceTimersByTime(20_000);
    client.kafka.beforeWrite = () => undefined;
    await until('the letter is written', () => client.kafka.records('frontier-adw.dlq').length === 1);
  });

  it('end --once with that error, when all else is done', async () => {
    const client = owned({ load: EACH }, { once: true });
    deny(client);
    await expect(client.own()).rejects.toBe(denied);
  });
});

it('tries again to commit what the group has not taken', async () => {
  const client = owned({ load: EACH });
  client.canCommit = false;
  void client.own();
  client.land('no=1');
  await until('it is tried again', () => client.commits.length > 1);
  client.canCommit = true;
  const failed = client.commits.length;
  await until('it is committed', () => client.commits.length > failed);
  expect(client.commits.at(-1)).toEqual(client.commits[failed - 1]);
});

it('looks at the topics once at a time', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const client = owned({ load: EACH });
  void client.own();
  await until('it owns', () => client.saw('owner').length === 1);
  let looks = 0;
  const held = Promise.withResolvers<undefined>();
  client.kafka.beforeTopics = () => {
    looks += 1;
    return held.promise;
  };
  for (let count = 0; count < 3; count += 1) {
    vi.advanceTimersByTime(6_000);
    client.land(`no=${count}`);
    await until('a turn is taken', () => client.submitted.length === count + 1);
  }
  await until('it looks', () => looks > 0);
  expect(looks).toBe(1);
  held.resolve(undefined);
});

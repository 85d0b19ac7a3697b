import { partitionForKey } from '../../../src/kafka/partitioner.ts';
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

describe('an input topic that is deleted while the client owns', () => {
  it('is waited for, while all else goes on', async () => {
    const client = owned({ load: EACH });
    void client.own();
    await until('it owns', () => client.saw('owner').length === 1);
    client.kafka.delete('frontier-adw');
    await until('it is said', () => client.notices.length === 1);
    expect(client.notices[0]).toBe(
      'the topic frontier-adw does not exist any more. Kafka at 127.0.0.1:9092 says that it was deleted. Runs that need a message of frontier-adw wait; everything else goes on. Remedy: hippo up    (creates the topics of hippo.yaml)',
    );
    client.ask('no=9');
    await until('what was asked for runs', () => client.submitted.length === 1);
    client.kafka.create('frontier-adw', 4);
    client.land('no=1');
    await until('its events are run', () => client.submitted.length === 2);
    expect(client.notices.slice(1)).toEqual(['frontier-adw can be read again']);
    expect(client.saw('owner')).toHaveLength(1);
  });

  it('is waited for over a new start of reading, too', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const client = owned({ load: EACH });
    void client.own();
    await until('it owns', () => client.saw('owner').length === 1);
    await client.lose();
    client.kafka.delete('frontier-adw');
    void client.own();
    await until('it owns again', () => client.saw('owner').length === 2);
    expect(client.notices).toEqual([expect.stringContaining('frontier-adw does not exist any more')]);
    client.kafka.create('frontier-adw', 4);
    client.land('no=1');
    vi.advanceTimersByTime(6_000);
    await until('its event is run', () => client.submitted.length === 1);
    vi.advanceTimersByTime(15_000);
    await until('it is over', () => client.notices.length === 2);
    expect(client.notices[1]).toBe('frontier-adw can be read again');
  });

  it('ends --once with exit code 3, when all else is done', async () => {
    const client = owned({ load: EACH }, { once: true });
    client.land('no=1');
    const owning = client.own();
    await until('it runs', () => client.submitted.length === 1);
    client.kafka.delete('frontier-adw');
    client.exit('no=1');
    await expect(owning).rejects.toMatchObject({ topic: 'frontier-adw', exitCode: 3 });
  });
});

it('waits for a topic that it writes to, while its jobs go on', async () => {
  const client = owned({ load: EACH });
  void client.own();
  client.land('no=1');
  await until('it runs', () => client.submitted.length === 1);
  client.kafka.delete('hippo-start');
  client.land('no=2');
  await until('it is said', () => client.notices.length === 1);
  expect(client.notices[0]).toContain('the topic hippo-start does not exist any more');
  expect(client.processes.running).toHaveLength(1);
  client.kafka.create('hippo-start');
  await until('it goes on', () => client.submitted.length === 2);
  expect(client.submitted).toEqual(['no=1', 'no=2']);
});

describe('a partition that messages go to and that has no leader', () => {
  const JOBS = { load: EACH, other: { ...EACH, needs: [{ table: 'a.d' }] } };
  /** A partition of hippo-start to which the messages of the job go, and those of no other. */
  const partitionOf = (job: string): number => partitionForKey(`etl/${job}`, 4);
  const running = (client: Owned): string[] =>
    client.processes.submitted.map(({ job, key }) => `${job} ${key}`);

  it('holds up the runs of the jobs that write there, and no others, until it has one', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const client = owned(JOBS);
    expect(partitionOf('load')).not.toBe(partitionOf('other'));
    client.kafka.leaderless.add(`hippo-start/${partitionOf('load')}`);
    void client.own();
    client.land('no=1');
    await until('it owns again', () => client.saw('owner').length === 2);
    client.land('no=2');
    client.land('no=1', 'a.d');
    await until('the other job runs', () => client.submitted.length === 1);
    client.exit('no=1');
    await until('it has finished', () => client.saw('finished').length === 1);
    expect(running(client)).toEqual(['other no=1']);
    expect(client.saw('input')).toMatchObject([
      { input: 'a.a no=1', runs: [{ status: 'ready' }] },
      { input: 'a.a no=2', runs: [{ status: 'ready' }] },
      { input: 'a.d no=1', runs: [{ status: 'running' }] },
    ]);
    expect(client.notices).toEqual([
      expect.stringMatching(
        /^hippo-start\[\d\] has no leader \(noticed at \S+Z\)\. The brokers that hold its replicas are down, says Kafka at 127\.0\.0\.1:9092\. Until it has one, no run of load starts, and none that ends is recorded as ended, because their messages go there; everything else goes on\. Remedy: start those brokers$/,
      ),
    ]);

    client.kafka.leaderless.clear();
    vi.advanceTimersByTime(6_000);
    await until('it goes on', () => client.submitted.length === 3);
    expect(running(client)).toEqual(['other no=1', 'load no=1', 'load no=2']);
    expect(client.notices.slice(1)).toEqual([
      expect.stringMatching(/^hippo-start\[\d\] has a leader again; it had none since \S+Z$/),
    ]);
  });

  it('holds back the end of a run, which is recorded once', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const client = owned(JOBS);
    void client.own();
    client.land('no=1');
    client.land('no=1', 'a.d');
    await until('both run', () => client.submitted.length === 2);
    client.kafka.leaderless.add(`hippo-finish/${partitionOf('load')}`);
    client.processes.alive.forEach(({ job, key }) => job === 'load' && client.exit(key));
    await until('it is said', () => client.notices.length === 2);
    expect(client.notices[1]).toContain(
      'Until it has one, the end of load no=1 (succeeded) is not recorded, because its finish message goes there',
    );
    client.exit('no=1');
    await until('the other one has finished', () => client.saw('finished').length === 1);
    client.kafka.leaderless.clear();
    vi.advanceTimersByTime(6_000);
    await until('it is recorded', () => client.saw('finished').length === 2);
    expect(client.kafka.records('hippo-finish')).toHaveLength(2);
    expect(client.submitted).toHaveLength(2);
  });

  it('of the events of outputs holds back the end of a run, and the starts of further ones', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const client = owned({
      load: { ...EACH, produces: [{ table: 'dm.out' }] },
      other: { ...EACH, needs: [{ table: 'a.d' }] },
    });
    void client.own();
    client.land('no=1');
    await until('it runs', () => client.submitted.length === 1);
    const partition = partitionForKey('dm.out', 4);
    client.kafka.leaderless.add(`frontier-adw/${partition}`);
    client.exit('no=1');
    await until('it is said', () => client.notices.length === 2);
    expect(client.notices[1]).toContain(
      `Until it has one, the end of load no=1 (succeeded) is not recorded, because an event of its outputs goes there`,
    );
    const [own, others] = ['a.a', 'a.d'].map((table) => partitionForKey(table, 4));
    expect([own, others]).not.toContain(partition);
    client.land('no=2');
    client.land('no=1', 'a.d');
    await until('the other job runs', () => client.submitted.length === 2);
    expect(running(client)).toEqual(['load no=1', 'other no=1']);
    client.kafka.leaderless.clear();
    vi.advanceTimersByTime(6_000);
    await until('it goes on', () => client.submitted.length === 3);
    expect(client.kafka.records('hippo-finish')).toHaveLength(1);
    const events = client.kafka.records('frontier-adw').filter(({ key }) => String(key) === 'dm.out');
    expect(events).toHaveLength(1);
  });

  it('of the dead letters holds up the partition of the rejected record, and no other', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const client = owned(JOBS);
    client.kafka.leaderless.add('frontier-adw.dlq/0');
    void client.own();
    const [own, others] = ['a.a', 'a.d'].map((table) => partitionForKey(table, 4));
    expect(own).not.toBe(others);
    client.kafka.produce({ topic: 'frontier-adw', partition: own!, value: 'no event' });
    client.land('no=1');
    client.land('no=1', 'a.d');
    await until('the other one runs', () => client.submitted.length === 1);
    expect(running(client)).toEqual(['other no=1']);
    expect(client.notices).toEqual([
      expect.stringContaining(
        `Until it has one, frontier-adw[${own}] is not read on from offset 0, because its dead letter goes there; everything else goes on.`,
      ),
    ]);
    expect(client.saw('rejected')).toEqual([]);
    client.kafka.leaderless.clear();
    vi.advanceTimersByTime(6_000);
    await until('it goes on', () => client.submitted.length === 2);
    expect(client.saw('rejected')).toHaveLength(1);
    expect(client.notices.slice(1)).toEqual([
      expect.stringMatching(/^frontier-adw\.dlq\[0\] has a leader again; it had none since \S+Z$/),
    ]);
  });

  it('lets --once do all else, and then end with exit code 3', async () => {
    const client = owned(JOBS, { once: true });
    client.kafka.leaderless.add(`hippo-start/${partitionOf('load')}`);
    client.land('no=1');
    client.land('no=1', 'a.d');
    const ended = client.own();
    await until('the other one runs', () => client.submitted.length === 1);
    client.exit('no=1');
    await expect(ended).rejects.toMatchObject({
      message: `hippo-start[${partitionOf('load')}] has no leader`,
      exitCode: 3,
    });
    expect(client.saw('finished')).toHaveLength(1);
  });

  it('of the state topic stops everything: it is said once, however often it is tried, and once more when it is over', async () => {
    const client = owned(JOBS);
    void client.own();
    await until('it owns', () => client.saw('owner').length === 1);
    const partition = partitionForKey('etl', 4);
    client.kafka.leaderless.add(`hippo-state/${partition}`);
    client.land('no=1');
    await until('it is said', () => client.notices.length === 1);
    expect(client.notices[0]).toContain(`hippo-state[${partition}] has no leader`);
    client.kafka.leaderless.clear();
    await until('it goes on', () => client.submitted.length === 1);
    expect(client.saw('connected')).toHaveLength(1);
    expect(client.notices).toHaveLength(1);
  });
});

describe('a state topic that is made again', () => {
  const away = async (client: Owned): Promise<void> => {
    void client.own();
    client.land('no=1');
    client.land('no=2');
    await until('both run', () => client.submitted.length === 2);
    client.exit('no=1');
    await until('one has finished', () => client.saw('finished').length === 1);
    client.kafka.delete('hippo-state');
  };
  const successor = async (client: Owned): Promise<Owned> => {
    await client.lose();
    const next = owned({ load: EACH }, { kafka: client.kafka });
    void next.own();
    await until('the next one owns', () => next.saw('owner').length === 1);
    return next;
  };

  it('while the client owns: it writes the state anew, and nothing runs twice', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const client = owned({ load: EACH });
    await away(client);
    client.kafka.create('hippo-state', 4);
    // Before it notices, this goes to the new topic.
    client.land('no=3');
    await until('it runs', () => client.submitted.length === 3);
    client.exit('no=3');
    await until('it has finished', () => client.saw('finished').length === 2);
    vi.advanceTimersByTime(6_000);
    await until('it is written', () => client.notices.length === 1);
    expect(client.notices[0]).toMatch(
      /^hippo-state did not have the hippo's state any more: .* has written it again: 6 records$/,
    );
    expect(client.processes.running).toHaveLength(1);

    const next = await successor(client);
    expect(next.saw('owner')).toMatchObject([{ runs: 3, again: 1 }]);
    expect(next.submitted).toEqual(['no=2']);
    next.land('no=1');
    next.land('no=4');
    await until('it goes on', () => next.submitted.length === 2);
    expect(next.submitted).toEqual(['no=2', 'no=4']);
  });

  it('while a write is on its way: what the write has brought counts', async () => {
    const client = owned({ load: EACH });
    await away(client);
    client.kafka.create('hippo-state', 4);
    client.kafka.beforeWrite = (records) => {
      client.kafka.beforeWrite = () => undefined;
      for (const record of records) client.kafka.produce(record);
      throw new ServiceError('the connection was lost');
    };
    client.exit('no=2');
    await until('it is written', () => client.notices.length === 1);
    expect(client.processes.running).toEqual([]);
    const finishes = (): number => client.kafka.records('hippo-finish').length;
    expect(finishes()).toBe(2);
    const next = await successor(client);
    expect(next.saw('owner')).toMatchObject([{ runs: 2, again: 0 }]);
    expect(finishes()).toBe(2);
  });

  it('later: nothing is written before, and the jobs go on', async () => {
    const client = owned({ load: EACH });
    await away(client);
    client.land('no=3');
    await until('it is said', () => client.notices.length === 1);
    expect(client.notices[0]).toContain('the topic hippo-state does not exist any more');
    expect(client.processes.running).toHaveLength(1);
    client.kafka.create('hippo-state', 2);
    await until('it goes on', () => client.submitted.length === 3);
    const next = await successor(client);
    expect(next.saw('owner')).toMatchObject([{ runs: 3, again: 2 }]);
  });

  it('before the client notices, and it ends: the next one refuses', async () => {
    const client = owned({ load: EACH });
    await away(client);
    client.kafka.create('hippo-state', 4);
    client.land('no=3');
    await until('it runs', () => client.submitted.length === 3);
    await client.lose();
    const next = owned({ load: EACH }, { kafka: client.kafka });
    await expect(next.own()).rejects.toMatchObject({
      exitCode: 2,
      message: 'a part of the state of etl is lost',
    });
  });

  it('after the client has lost ownership: its memory may be old, so it refuses', async () => {
    const client = owned({ load: EACH });
    await away(client);
    await client.lose();
    client.kafka.create('hippo-state', 4);
    client.kafka.commits = [{ topic: 'frontier-adw', partition: 0, offset: 1n }];
    await expect(client.own()).rejects.toMatchObject({ exitCode: 2, message: 'the state of etl is lost' });
    expect(client.kafka.compacted('hippo-state')).not.toContain('etl/owner');
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

describe('a run that is forgotten', () => {
  it('is told of when its record is removed, so that its logs are', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const client = owned({ load: EACH });
    void client.own();
    client.land('no=1');
    await until('it is submitted', () => client.submitted.length === 1);
    client.exit('no=1');
    await until('it has ended', () => client.saw('finished').length === 1);
    expect(client.forgotten).toEqual([]);
    vi.advanceTimersByTime(63 * 86_400_000);
    await until('it is forgotten', () => client.forgotten.length > 0);
    expect(client.forgotten).toEqual([{ job: 'load', key: 'no=1' }]);
  });
});

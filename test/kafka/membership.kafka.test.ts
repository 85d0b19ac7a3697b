import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { isAborted } from '../../src/core/abort.ts';
import { Cluster } from '../../src/kafka/cluster.ts';
import { joinGroup } from '../../src/kafka/membership.ts';
import type { Kafka, Membership } from '../../src/kafka/port.ts';
import { connectionSettings } from '../../src/kafka/settings.ts';
import { testBrokers } from '../support/brokers.ts';
import { kafkaSettings, testKafka, testTopic } from '../support/kafka.ts';

interface Member {
  membership: Membership;
  events: string[];
}

async function join(kafka: Kafka, group: string, topic: string, sessionTimeout = 6_000): Promise<Member> {
  const events: string[] = [];
  const membership = await kafka.join({
    group,
    topics: [topic],
    sessionTimeout,
    heartbeatInterval: 200,
    onGained: () => events.push('gained'),
    onLost: (reason) => events.push(`lost: ${reason}`),
    onStandby: () => events.push('standby'),
    onDisconnected: () => events.push('disconnected'),
    onConnected: () => events.push('connected'),
    onCrash: (error) => events.push(`crashed: ${error.message}`),
  });
  onTestFinished(() => membership.leave());
  return { membership, events };
}

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`did not happen: ${what}`);
    await sleep(20);
  }
}

test('the first member owns, and keeps what it owns when others come and go', async () => {
  const kafka = await testKafka();
  const topic = await testTopic(kafka, 3);
  const first = await join(kafka, `g-${topic}`, topic);
  expect(first.events).toEqual(['gained']);
  const second = await join(await testKafka(), `g-${topic}`, topic);
  const third = await join(await testKafka(), `g-${topic}`, topic);
  await second.membership.leave();
  await sleep(500);
  expect([first.membership.isOwner, second.membership.isOwner, third.membership.isOwner]).toEqual([
    true,
    false,
    false,
  ]);
  expect(first.events).toEqual(['gained']);
  // Once a generation.
  for (const { events } of [second, third]) expect(new Set(events)).toEqual(new Set(['standby']));
  expect((await kafka.describeGroup(`g-${topic}`)).members).toHaveLength(2);
});

test('when the owner leaves, another member owns', async () => {
  const kafka = await testKafka();
  const topic = await testTopic(kafka);
  const first = await join(kafka, `g-${topic}`, topic);
  const second = await join(await testKafka(), `g-${topic}`, topic);
  await first.membership.leave();
  await until(() => second.membership.isOwner, 'the second one owns');
  expect(second.events).toEqual(['standby', 'gained']);
});

test('when the owner is silent for a session, another one owns, and the old one learns of it', async () => {
  const kafka = await testKafka();
  const topic = await testTopic(kafka);
  const silent = await testKafka();
  const first = await join(silent, `g-${topic}`, topic);
  const second = await join(kafka, `g-${topic}`, topic);
  // Its connections are gone, and nothing can open new ones.
  await silent.close();
  await until(() => second.membership.isOwner, 'the second one owns');
  await until(() => first.events.length > 2, 'the first one knows');
  expect(first.events).toEqual([
    'gained',
    'disconnected',
    'lost: no contact with the group for longer than the session timeout',
  ]);
  expect(second.events).toEqual(['standby', 'gained']);
  expect(await first.membership.confirm()).toBe(false);
});

test('members can join while others join and leave', async () => {
  const kafka = await testKafka();
  const topic = await testTopic(kafka);
  const connections = await Promise.all(Array.from({ length: 20 }, () => testKafka()));
  const members = await Promise.all(
    connections.map(async (connection, index) => {
      await sleep(index * 4);
      return join(connection, `g-${topic}`, topic);
    }),
  );
  await until(() => members.filter(({ membership }) => membership.isOwner).length === 1, 'one of them owns');
  expect(members.flatMap(({ events }) => events).filter((event) => event.startsWith('crashed'))).toEqual([]);
  expect((await kafka.describeGroup(`g-${topic}`)).members).toHaveLength(members.length);
});

test('an owner that asks while others join and leave is told that it owns, and stays the owner', async () => {
  const kafka = await testKafka();
  const topic = await testTopic(kafka);
  const owner = await join(kafka, `g-${topic}`, topic);
  const connections = await Promise.all(Array.from({ length: 10 }, () => testKafka()));
  const joined = new AbortController();
  const asking = (async () => {
    const answers = new Set<boolean>();
    while (!isAborted(joined.signal)) answers.add(await owner.membership.confirm());
    return answers;
  })();
  for (const connection of connections) {
    await join(connection, `g-${topic}`, topic);
    await sleep(20);
  }
  joined.abort();
  expect(await asking).toEqual(new Set([true]));
  expect(owner.events).toEqual(['gained']);
});

test('only the owner commits offsets', async () => {
  const kafka = await testKafka();
  const topic = await testTopic(kafka, 2);
  const owner = await join(kafka, `g-${topic}`, topic);
  const standby = await join(await testKafka(), `g-${topic}`, topic);
  const committed = () => kafka.committed(`g-${topic}`, [topic]);
  // A commit that meets the rebalance in which the standby joins fails: the client tries it again.
  await until(
    () => owner.membership.commit([{ topic, partition: 1, offset: 7n }]),
    'the owner has committed',
  );
  expect(await standby.membership.commit([{ topic, partition: 1, offset: 3n }])).toBe(false);
  expect(await committed()).toEqual([{ topic, partition: 1, offset: 7n }]);
});

/** Answers to heartbeats lie unread while a process is frozen. */
describe('an owner that was frozen for longer than a session while it asked', () => {
  const SESSION = 6_000;

  async function frozen(beats: 'go on' | 'hang'): Promise<{ membership: Membership; asked: () => number }> {
    const kafka = await testKafka();
    const topic = await testTopic(kafka);
    const settings = connectionSettings(await testBrokers(), kafkaSettings());
    const [own, shared] = [new Cluster(settings), new Cluster(settings)];
    onTestFinished(() => shared.close());
    let asked = 0;
    const send = shared.send.bind(shared);
    shared.send = async (broker, api, args) => {
      const answer = await send(broker, api, args);
      if (api.name === 'Heartbeat' && (asked += 1) === 1) await sleep(SESSION + 500);
      return answer;
    };
    if (beats === 'hang') {
      const sendOwn = own.send.bind(own);
      own.send = (broker, api, args) =>
        api.name === 'Heartbeat' ? new Promise(() => undefined) : sendOwn(broker, api, args);
    }
    const nothing = (): void => undefined;
    const membership = await joinGroup(own, shared, {
      group: `g-${topic}`,
      topics: [topic],
      sessionTimeout: SESSION,
      heartbeatInterval: 500,
      ...{ onGained: nothing, onLost: nothing, onStandby: nothing, onCrash: nothing },
      ...{ onDisconnected: nothing, onConnected: nothing },
    });
    return { membership, asked: () => asked };
  }

  test('still owns if the group has got its heartbeats', async () => {
    const { membership, asked } = await frozen('go on');
    expect(await membership.confirm()).toBe(true);
    expect(asked()).toBe(2);
    await membership.leave();
  });

  test('is told that the group has expelled it', async () => {
    const { membership, asked } = await frozen('hang');
    expect(await membership.confirm()).toBe(false);
    expect(asked()).toBe(2);
  });
});

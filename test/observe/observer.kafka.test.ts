import { describe, expect, onTestFinished, test } from 'vitest';
import type { Config, TopicRole } from '../../src/config/schema.ts';
import { parseConfig } from '../../src/config/schema.ts';
import { topicName } from '../../src/config/topics.ts';
import { newId } from '../../src/core/ids.ts';
import type { Kafka, OutgoingRecord, RecordBatch } from '../../src/kafka/port.ts';
import { serialiseMessage } from '../../src/messages/index.ts';
import { Observer, type Snapshot, observe } from '../../src/observe/index.ts';
import { positionsToJson } from '../../src/state/index.ts';
import { addPartitions } from '../support/admin.ts';
import { testKafka } from '../support/kafka.ts';
import { finish, landing, minutes, run, sign } from '../tractor/world.ts';

const ROLES = ['frontier', 'start', 'finish', 'schedule', 'health', 'state'] as const;
const NOW = Date.now();
/** Before all that the tests write. */
const LONG_AGO = NOW - minutes(60);

/** Counts the records that its readers hand out. */
function counting(kafka: Kafka): { kafka: Kafka; delivered: () => number } {
  let delivered = 0;
  const reader: Kafka['reader'] = async (options) => {
    const real = await kafka.reader(options);
    return {
      positions: () => real.positions(),
      add: (from) => real.add(from),
      close: () => real.close(),
      async *[Symbol.asyncIterator](): AsyncGenerator<RecordBatch, void, void> {
        for await (const batch of real) {
          delivered += batch.records.length;
          yield batch;
        }
      },
    };
  };
  return { kafka: { ...kafka, reader }, delivered: () => delivered };
}

/** Topics of the test's own, and what is read of them. */
async function world(roles: readonly TopicRole[] = ROLES) {
  const config = parseConfig({ topics: { prefix: `${newId().slice(0, 8)}-` } });
  const { kafka, delivered } = counting(await testKafka());
  // What is written comes from others: it must not tell the observer's connection of new partitions.
  const others = await testKafka();
  const make = (made: readonly TopicRole[]): Promise<string[]> =>
    others.createTopics(
      made.map((role) => ({
        topic: topicName(config, role),
        partitions: 1,
        replicationFactor: 1,
        config: {},
      })),
    );
  await make(roles);
  const write = async (role: TopicRole, record: Omit<OutgoingRecord, 'topic'>): Promise<void> => {
    const producer = await others.producer();
    await producer.send([{ topic: topicName(config, role), ...record }]);
    await producer.close();
  };
  const addPartition = async (role: TopicRole): Promise<void> => {
    const topic = topicName(config, role);
    await addPartitions(others.brokers, topic, 2);
    const leaders = async (): Promise<number> =>
      (await others.topics())
        .filter((info) => info.topic === topic)
        .flatMap(({ partitions }) => partitions)
        .filter(({ leader }) => leader >= 0).length;
    await expect.poll(leaders).toBe(2);
  };
  const open = async (): Promise<Observer> => {
    const observer = await Observer.open({ kafka, config, since: LONG_AGO });
    onTestFinished(() => observer.close());
    return observer;
  };
  return { config, kafka, others, delivered, make, write, addPartition, open };
}

const event = (month: string, at = NOW) => ({
  value: serialiseMessage(landing('btd.party', { yyyymm: month }, at).message),
  timestamp: at,
});
const done = (key: string, at = NOW) => ({
  value: serialiseMessage(finish('etl', 'load', key, true, at).message),
  timestamp: at,
});
const alive = (hippo: string, at = NOW) => ({
  value: serialiseMessage(sign(hippo, at, '/srv')[1].message),
  timestamp: at,
});
const stateOf = (key: string, status: 'running' | 'failed') => ({
  key: `etl/run/load/${key}`,
  value: JSON.stringify(run('etl', 'load', key, { status }).run),
});
const offsets = (config: Config, next: bigint) => ({
  key: 'etl/offsets',
  value: JSON.stringify(positionsToJson(new Map([[topicName(config, 'frontier'), new Map([[0, next]])]]))),
});

const months = ({ events }: Snapshot): (string | undefined)[] =>
  events.map(({ message }) => message.partitions[0]?.[0]?.value);
const runs = ({ runs }: Snapshot): string[] => runs.map(({ run }) => `${run.key} ${run.status}`);

describe('a look', () => {
  test('reads only what was written since the one before, and says what a new observer says', async () => {
    const { config, kafka, delivered, write, open } = await world();
    await write('frontier', event('201701'));
    await write('finish', done('201701'));
    await write('health', alive('etl'));
    await write('state', stateOf('201701', 'running'));
    await write('schedule', { value: 'not a request' });
    const observer = await open();

    const first = await observer.look({ now: NOW, since: LONG_AGO });
    expect(months(first)).toEqual(['201701']);
    expect(runs(first)).toEqual(['201701 running']);
    expect([...first.health.keys()]).toEqual(['etl']);
    expect(first).toMatchObject({ finishes: [{ message: { runKey: '201701' } }], starts: [], unreadable: 1 });
    expect(delivered()).toBe(5);

    expect(await observer.look({ now: NOW, since: LONG_AGO })).toEqual(first);
    expect(delivered()).toBe(5);

    await write('frontier', event('201702'));
    await write('state', stateOf('201701', 'failed'));
    await write('state', offsets(config, 2n));
    const second = await observer.look({ now: NOW, since: LONG_AGO });
    expect(delivered()).toBe(8);
    expect(months(second)).toEqual(['201701', '201702']);
    expect(runs(second)).toEqual(['201701 failed']);
    // What an earlier look returned stays as it was.
    expect(months(first)).toEqual(['201701']);
    expect(second).toEqual(await observe(kafka, config, { now: NOW, since: LONG_AGO }));
  });

  test('drops messages that are older than the horizon, and keeps all of the state', async () => {
    const { config, kafka, delivered, write, open } = await world();
    const then = NOW - minutes(30);
    for (const at of [then, NOW]) {
      await write('frontier', event(at === NOW ? '201702' : '201701', at));
      await write('health', alive(at === NOW ? 'etl' : 'gone', at));
      await write('start', { value: 'not a start', timestamp: at });
    }
    await write('state', { ...stateOf('201701', 'failed'), timestamp: then });
    const observer = await open();
    const wide = await observer.look({ now: NOW, since: LONG_AGO });
    expect(months(wide)).toEqual(['201701', '201702']);
    expect(wide.unreadable).toBe(2);
    expect([...wide.health.keys()]).toEqual(['gone', 'etl']);

    const before = delivered();
    const narrow = await observer.look({ now: NOW, since: NOW - minutes(10) });
    expect(delivered()).toBe(before);
    expect(months(narrow)).toEqual(['201702']);
    expect(narrow.unreadable).toBe(1);
    expect([...narrow.health.keys()]).toEqual(['etl']);
    expect(runs(narrow)).toEqual(['201701 failed']);
    expect(narrow).toEqual(await observe(kafka, config, { now: NOW, since: NOW - minutes(10) }));
  });

  test('takes a topic that does not exist for an empty one, and reads topics and partitions that are made later', async () => {
    const { make, write, addPartition, open } = await world(['state']);
    const observer = await open();
    const look = (): Promise<Snapshot> => observer.look({ now: NOW, since: LONG_AGO });
    expect(await look()).toMatchObject({ events: [], finishes: [], runs: [], unreadable: 0 });

    await make(['frontier']);
    await write('frontier', event('201701'));
    expect(months(await look())).toEqual(['201701']);

    await addPartition('frontier');
    await write('frontier', { ...event('201702', NOW + 1), partition: 1 });
    expect(months(await look())).toEqual(['201701', '201702']);
  });

  test('forgets what a topic said that was deleted and made again, and reads the new one', async () => {
    const { config, others, make, write, open } = await world();
    await write('frontier', event('201701'));
    await write('frontier', event('201702'));
    await write('state', stateOf('201701', 'running'));
    await write('start', { value: 'not a start' });
    const observer = await open();
    const look = (): Promise<Snapshot> => observer.look({ now: NOW, since: LONG_AGO });
    expect(await look()).toMatchObject({ unreadable: 1, events: [{}, {}], runs: [{}] });

    const roles = ['frontier', 'start', 'state'] as const;
    await others.deleteTopics(roles.map((role) => topicName(config, role)));
    await make(roles);
    await write('frontier', event('201703'));
    await write('finish', done('201703'));
    expect(await look()).toMatchObject({
      unreadable: 0,
      events: [{ message: { partitions: [[{ value: '201703' }]] } }],
      finishes: [{}],
      runs: [],
    });
  });

  test('reads a partition that a topic lost when it was made again, and has again', async () => {
    const { config, others, make, write, open, addPartition } = await world();
    await addPartition('frontier');
    const observer = await open();
    const look = (): Promise<Snapshot> => observer.look({ now: NOW, since: LONG_AGO });
    await look();
    await others.deleteTopics([topicName(config, 'frontier')]);
    await make(['frontier']);
    await write('frontier', event('201701'));
    expect(await look()).toMatchObject({ events: [{}] });
    await addPartition('frontier');
    await write('frontier', { ...event('201702'), partition: 1 });
    expect(await look()).toMatchObject({ events: [{}, {}] });
  });

  test('says so where none of the topics exists', async () => {
    const { open } = await world([]);
    const observer = await open();
    await expect(observer.look({ now: NOW, since: LONG_AGO })).rejects.toThrow(
      'none of the hippo topics exists here',
    );
  });
});

import { expect, test } from 'vitest';
import type { Cluster } from '../../src/kafka/cluster.ts';
import { Retry } from '../../src/core/deadline.ts';
import { LeaderlessError } from '../../src/kafka/failures.ts';
import { leaderless } from '../../src/kafka/errors.ts';
import type { LostRecords } from '../../src/kafka/port.ts';
import { IdempotentProducer } from '../../src/kafka/producer.ts';
import { ProtocolError } from '../../src/kafka/wire/index.ts';

/** Two partitions; which of them have a leader can be changed. Tries end when `patience` is resolved. */
class FakeCluster {
  readonly leaders = [true, true];
  readonly written: [partition: number, baseSequence: number][] = [];
  readonly brokers = ['b:1'];
  readonly settings = { requestTimeout: 30_000 };
  readonly isClosed = false;
  readonly patience = { isOver: false };

  partitions = (): Promise<number[]> => Promise.resolve([0, 1]);
  topicId = (): string => 'id';
  forgetLeaders = (): void => undefined;
  translate = (error: unknown): unknown => error;
  leader = (_topic: string, partition: number): Promise<unknown> =>
    this.leaders[partition] === true
      ? Promise.resolve(this)
      : Promise.reject(new ProtocolError('LEADER_NOT_AVAILABLE'));

  async attempt<T>(_doing: unknown, work: () => Promise<T>): Promise<T> {
    const retry = new Retry({ first: 1, most: 2 });
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        if (this.patience.isOver) throw leaderless('t', [0], this.brokers);
        await retry.pause();
      }
    }
  }

  send = (_broker: unknown, _api: unknown, request: unknown): Promise<unknown> => {
    const { batches = [] } = request as { batches?: { topic: string; partition: number; bytes: Buffer }[] };
    const partitions = batches.map(({ topic, partition, bytes }) => {
      // https://kafka.apache.org/documentation/#recordbatch
      this.written.push([partition, bytes.readInt32BE(53)]);
      return { topic, partition, errorCode: 0, baseOffset: 0n };
    });
    return Promise.resolve({ partitions });
  };
}

const record = (partition: number) => ({ topic: 't', partition, value: 'v' });

function makeProducer(onLost?: (lost: LostRecords) => void): {
  cluster: FakeCluster;
  producer: IdempotentProducer;
} {
  const cluster = new FakeCluster();
  const identity = { transactionalId: null, producerId: 1n, producerEpoch: 0 };
  const options = onLost === undefined ? {} : { onLost };
  return { cluster, producer: new IdempotentProducer(cluster as unknown as Cluster, identity, options) };
}

test('a partition without a leader does not hold up another one, and goes on in order when it is back', async () => {
  const { cluster, producer } = makeProducer();
  await producer.send([record(0), record(1)]);
  cluster.leaders[0] = false;
  const held = producer.send([record(0), record(0)]);
  for (let n = 0; n < 3; n += 1) void producer.append({ topic: 't', key: null, value: null, partition: 1 });
  void producer.flush();
  await expect.poll(() => cluster.written).toContainEqual([1, 1]);
  expect(cluster.written.filter(([partition]) => partition === 0)).toEqual([[0, 0]]);
  void producer.append({ topic: 't', key: null, value: null, partition: 0 });
  cluster.leaders[0] = true;
  await held;
  await producer.flush();
  expect(cluster.written.filter(([partition]) => partition === 0)).toEqual([
    [0, 0],
    [0, 1],
    [0, 3],
  ]);
  expect(producer.acknowledged).toBe(8);
});

test('records of a partition that is given up are lost, and those of other partitions are written', async () => {
  const lost: LostRecords[] = [];
  const { cluster, producer } = makeProducer((each) => lost.push(each));
  cluster.leaders[0] = false;
  const sent = await producer.sendEach([record(0), record(1), record(0)]);
  expect(sent[0]).toBeInstanceOf(Promise);
  expect(sent[1]).toMatchObject({ topic: 't', partition: 1, offset: 0n });
  cluster.patience.isOver = true;
  expect(await sent[2]).toBeInstanceOf(LeaderlessError);
  cluster.leaders[0] = true;
  const later = await producer.sendEach([record(1), record(0)]);
  expect(later[0]).toMatchObject({ partition: 1 });
  expect(later[1]).toBeInstanceOf(LeaderlessError);
  await producer.flush();
  expect(cluster.written.map(([partition]) => partition)).toEqual([1, 1]);
  expect(lost).toMatchObject([
    { topic: 't', partition: 0, first: 0, count: 2 },
    { topic: 't', partition: 0, first: 4, count: 1 },
  ]);
  await expect(producer.send([record(0)])).rejects.toThrow('t[0] has no leader');
});

test('a producer without a listener for losses fails instead', async () => {
  const { cluster, producer } = makeProducer();
  cluster.leaders[0] = false;
  cluster.patience.isOver = true;
  await expect(producer.send([record(0)])).rejects.toThrow('t[0] has no leader');
  await expect(producer.send([record(1)])).rejects.toThrow('t[0] has no leader');
});

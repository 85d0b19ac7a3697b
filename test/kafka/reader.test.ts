import { expect, it, onTestFinished } from 'vitest';
import type { Cluster } from '../../src/kafka/cluster.ts';
import { GrouplessReader } from '../../src/kafka/reader.ts';
import { Fetch, ListOffsets } from '../../src/kafka/wire/index.ts';
import { BatchWriter } from '../../src/kafka/wire/batch-writer.ts';

const ERRORS = { OFFSET_OUT_OF_RANGE: 1, NOT_LEADER_FOR_PARTITION: 6 };

/** Brokers that answer when a test says so. */
class Brokers {
  readonly leaders = new Map<number, { address: string }>();
  readonly isClosed = false;
  readonly brokers = [];
  readonly #asked: { who: object; api: unknown; answer: (value: object) => void }[] = [];

  leader = (_topic: string, partition: number): Promise<object | undefined> =>
    Promise.resolve(this.leaders.get(partition));
  topicId = (): string => 'id';
  forgetLeaders = (): void => undefined;
  close = (): Promise<void> => Promise.resolve();
  send = (who: object, api: unknown): Promise<object> =>
    new Promise((answer) => void this.#asked.push({ who, api, answer }));

  /** Answers the oldest request of that kind to a broker, when it has come. */
  async answer(who: object, api: unknown, value: object): Promise<void> {
    const isIt = (each: { who: object; api: unknown }): boolean => each.who === who && each.api === api;
    await expect.poll(() => this.#asked.some(isIt)).toBe(true);
    const index = this.#asked.findIndex(isIt);
    this.#asked.splice(index, 1)[0]?.answer(value);
  }
}

function batch(offset: bigint): Buffer {
  const writer = new BatchWriter(1024, Buffer.alloc(1024));
  const value = Buffer.from('v');
  writer.appendPart({ key: null, bytes: value, from: 0, to: 1, headers: undefined, timestamp: 0 });
  const bytes = writer.seal({ producerId: -1n, producerEpoch: -1, baseSequence: -1, transactional: false });
  bytes.writeBigInt64BE(offset);
  return bytes;
}

it('an answer of a former leader that lacks the offset does not move the position back', async () => {
  const brokers = new Brokers();
  const [former, next, other] = [{ address: 'a:1' }, { address: 'b:1' }, { address: 'c:1' }];
  brokers.leaders.set(0, former).set(1, other);
  const reader = new GrouplessReader(brokers as unknown as Cluster, {
    from: [0, 1].map((partition) => ({ topic: 't', topicId: 'id', partition, offset: 5n })),
  });
  onTestFinished(() => reader.close());
  const batches = reader[Symbol.asyncIterator]();
  const first = batches.next();
  const fetched = (partition: number, more: object): object => ({
    errorCode: 0,
    partitions: [
      {
        topicId: 'id',
        partition,
        errorCode: 0,
        bytes: Buffer.alloc(0),
        aborted: [],
        lastStableOffset: 6n,
        highWatermark: 6n,
        ...more,
      },
    ],
  });

  // The leadership of partition 0 moves while its former leader has a fetch.
  brokers.leaders.set(0, next);
  await brokers.answer(other, Fetch, fetched(1, { errorCode: ERRORS.NOT_LEADER_FOR_PARTITION }));
  await brokers.answer(former, Fetch, fetched(0, { errorCode: ERRORS.OFFSET_OUT_OF_RANGE }));
  await brokers.answer(next, Fetch, fetched(0, { bytes: batch(5n) }));
  expect((await first).value).toMatchObject({ partition: 0, next: 6n });
  const second = batches.next();
  await brokers.answer(former, ListOffsets, {
    responses: [{ topic: 't', partitions: [{ partition: 0, errorCode: 0, offset: '0' }] }],
  });
  await brokers.answer(other, Fetch, fetched(1, { bytes: batch(5n) }));
  expect((await second).value).toMatchObject({ partition: 1, next: 6n });
  expect(reader.positions()).toMatchObject([{ offset: 6n }, { offset: 6n }]);
});

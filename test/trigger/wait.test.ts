import { expect, test } from 'vitest';
import type { Kafka, KafkaRecord, OffsetRange, RecordBatch } from '../../src/kafka/port.ts';
import { recordId } from '../../src/core/record-ref.ts';
import { Watch } from '../../src/trigger/wait.ts';
import { run } from '../tractor/world.ts';
import { config } from './config.ts';

const EVENT = { topic: 'frontier-adw', partition: 0, offset: '0' };

/**
 * A Kafka whose hippo decides about the event, and writes its state and its position, in the moment before its position is asked
 * for. Its reader hands out only what was there when the ends were asked for last.
 */
function decidingKafka(): Kafka {
  const state: KafkaRecord[] = [];
  let end = 0;
  /** Resolves when the ends are asked for; with false when the reader is closed. */
  let asked = Promise.withResolvers<boolean>();
  const range = (high: number): OffsetRange[] => [
    { partition: 0, low: 0n, high: BigInt(high), stable: BigInt(high) },
  ];
  async function* read(): AsyncGenerator<RecordBatch, void, void> {
    for (let at = 0; ;) {
      const next = asked.promise;
      const records = state.slice(at, end);
      at += records.length;
      const place = { topic: 'hippo-state', topicId: 'hippo-state', partition: 0 };
      if (records.length > 0) yield { ...place, records, next: BigInt(at), end: BigInt(at) };
      else if (!(await next)) return;
    }
  }
  const kafka: Partial<Kafka> = {
    lookUp: (topics) =>
      Promise.resolve({
        found: topics.map((topic) => ({ topic, topicId: topic, partitions: [] })),
        absent: [],
        hidden: [],
      }),
    offsets: (topic) => {
      if (topic !== 'hippo-state') return Promise.resolve(range(0));
      end = state.length;
      asked.resolve(true);
      asked = Promise.withResolvers();
      return Promise.resolve(range(end));
    },
    groups: () =>
      Promise.resolve([
        {
          group: 'hippo.etl',
          state: 'Stable',
          members: [{ memberId: 'm', clientId: 'c', clientHost: '/h' }],
        },
      ]),
    committed: () => {
      const input = { ...EVENT, need: 'btd.party', version: 1, values: {}, at: 0 };
      const { run: decided } = run('etl', 'load', '201701', {
        status: 'running',
        inputs: { 'btd.party': input },
      });
      const value = Buffer.from(JSON.stringify(decided));
      const key = Buffer.from('etl/run/load/201701');
      const offset = BigInt(state.length);
      state.push({ topic: 'hippo-state', partition: 0, offset, timestamp: 0, key, value, headers: {} });
      return Promise.resolve([{ topic: EVENT.topic, partition: 0, offset: 1n }]);
    },
    reader: ({ from }) =>
      Promise.resolve({
        positions: () => [...from],
        add: () => undefined,
        close: () => {
          asked.resolve(false);
          return Promise.resolve();
        },
        [Symbol.asyncIterator]: read,
      }),
  };
  return kafka as Kafka;
}

test('a look that says that a hippo has read an event also has the run that the event caused', async () => {
  const watch = await Watch.open({
    kafka: decidingKafka(),
    config: config(),
    clock: { now: () => 0 },
    onChange: () => undefined,
  });
  watch.follow([EVENT]);
  const { complete, pending, standings } = await watch.look();
  await watch.close();
  expect({ complete, undecided: pending.undecided }).toEqual({ complete: true, undecided: [] });
  expect(standings.get(recordId(EVENT))).toMatchObject({ phase: 'running' });
});

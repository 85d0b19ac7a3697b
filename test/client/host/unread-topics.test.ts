/** Topics of message needs that cannot be read, in whole or in part, when the hippo begins to read them. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { serialiseModel } from '../../../src/messages/index.ts';
import type { JobYaml } from '../machine/hippo.ts';
import { NOON } from '../machine/hippo.ts';
import { MemoryKafka } from '../../support/memory-kafka.ts';
import { Owned, until } from './owned.ts';

vi.setConfig({ testTimeout: 30_000 });

const TOPIC = 'hippo-model';
const BUILD: JobYaml = { every: 'event', needs: [{ topic: 'model' }], run: './job.sh', concurrency: 10 };

let kafka: MemoryKafka;
const owners: Owned[] = [];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
  kafka = new MemoryKafka();
  kafka.create(TOPIC, 2);
});

afterEach(async () => {
  vi.useRealTimers();
  for (const one of owners.splice(0)) await one.lose();
});

async function started(): Promise<Owned> {
  const one = new Owned({ train: BUILD }, { kafka });
  owners.push(one);
  void one.own();
  await until('it owns', () => one.saw('owner').length === 1);
  return one;
}

/** Kafka gives the record the time of its producer. */
function tell(partition: number, at = NOON + performance.now()): void {
  const value = serialiseModel({ kind: 'model', message: 'BUILD_MODEL', extra: {} });
  kafka.produce({ topic: TOPIC, partition, value, timestamp: Math.round(at) });
}

/** `<partition>-<offset>` of the messages whose runs were submitted. */
const submitted = (client: Owned): string[] =>
  client.submitted.map((key) => /\d+-\d+$/.exec(key)?.[0] ?? key);

/** From now on all can be read, and the client looks at its topics. */
function canBeRead(): void {
  kafka.unreadable.clear();
  vi.advanceTimersByTime(6_000);
}

/** A second passes. */
const later = (): unknown => vi.advanceTimersByTime(1_000);

it('reads a partition that could not be read then from what was written since', async () => {
  tell(0);
  tell(1);
  later();
  kafka.unreadable.add(`${TOPIC}/1`);
  const client = await started();
  expect(client.notices).toEqual([expect.stringContaining(`${TOPIC}[1] has no leader`)]);
  later();
  tell(1);
  tell(0);
  await until('the other partition is read', () => client.submitted.length === 1);
  expect(submitted(client)).toEqual(['0-1']);
  canBeRead();
  await until('it is read', () => client.submitted.length === 2);
  tell(1);
  await until('it goes on there', () => client.submitted.length === 3);
  expect(submitted(client)).toEqual(['0-1', '1-1', '1-2']);
});

it('does so in a client that is started later, and however often that cannot read it either', async () => {
  tell(1);
  later();
  kafka.unreadable.add(`${TOPIC}/0`).add(`${TOPIC}/1`);
  const client = await started();
  later();
  tell(0);
  await client.lose();
  kafka.unreadable.delete(`${TOPIC}/0`);
  const second = await started();
  await until('one partition is read', () => second.submitted.length === 1);
  later();
  tell(1);
  await second.lose();
  kafka.unreadable.clear();
  const third = await started();
  await until('the other one is read', () => third.submitted.some((key) => key.endsWith('-1-1')));
  expect(submitted(second)).toEqual(['0-0']);
  expect(submitted(third)).not.toContain('1-0');
});

it('does so where client.start_from is the end, in the topics that every hippo reads, too', async () => {
  kafka.create('frontier-adw', 2);
  const one = new Owned(
    { load: { every: 'event', needs: [{ table: 'a.a' }], run: './job.sh', concurrency: 10 } },
    { kafka, startFrom: 'end' },
  );
  owners.push(one);
  one.land('no=1');
  const partition = kafka.records('frontier-adw')[0]?.partition ?? -1;
  later();
  kafka.unreadable.add(`frontier-adw/${partition}`);
  void one.own();
  await until('it owns', () => one.saw('owner').length === 1);
  later();
  one.land('no=2');
  canBeRead();
  await until('it is read', () => one.submitted.length === 1);
  expect(one.submitted).toEqual(['no=2']);
});

it('reads a partition that was added to a topic of which all could be read from its beginning', async () => {
  kafka.create(TOPIC, 1);
  tell(0);
  const client = await started();
  later();
  kafka.topic(TOPIC).logs.push([]);
  // A copy of an older message, as a mirror makes it.
  tell(1, NOON - 3_600_000);
  vi.advanceTimersByTime(6_000);
  await until('it is read', () => client.submitted.length === 1);
  expect(submitted(client)).toEqual(['1-0']);
});

it('does so, too, once all partitions have been read', async () => {
  kafka.unreadable.add(`${TOPIC}/1`);
  const client = await started();
  later();
  tell(1);
  canBeRead();
  await until('it is read', () => client.submitted.length === 1);
  kafka.topic(TOPIC).logs.push([]);
  tell(2, NOON - 3_600_000);
  vi.advanceTimersByTime(6_000);
  await until('the new one is read', () => client.submitted.length === 2);
  expect(submitted(client)).toEqual(['1-0', '2-0']);
});

it('reads a topic that was made again meanwhile from its beginning', async () => {
  kafka.unreadable.add(`${TOPIC}/0`).add(`${TOPIC}/1`);
  const client = await started();
  kafka.create(TOPIC, 2);
  tell(0, NOON - 3_600_000);
  canBeRead();
  await until('it is read', () => client.submitted.length === 1);
});

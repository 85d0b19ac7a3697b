import { expect, test } from 'vitest';
import { group } from '../../../src/doctor/checks/group.ts';
import type { GroupInfo, Kafka, OffsetRange, Reader } from '../../../src/kafka/port.ts';
import { lines, never, newMachine } from '../machine.ts';

interface World {
  state: GroupInfo['state'];
  members?: string[];
  /** By partition of the frontier topic; of the schedule topic, which is empty, there is one partition. */
  committed?: bigint[];
  /** By partition of the frontier topic, as the hippo's state has it; left out: it has no state. */
  read?: bigint[];
  ranges: [low: bigint, high: bigint][];
}

/** Brokers without a finish topic; to ask for the offsets of a topic that does not exist fails, as with real ones. */
function brokers({ state, members = [], committed = [], read, ranges }: World): Kafka {
  const topics = new Map<string, (readonly [bigint, bigint])[]>([
    ['eu-frontier-adw', ranges],
    ['eu-hippo-schedule', [[0n, 0n] as const]],
    ...(read === undefined ? [] : [['eu-hippo-state', [[0n, 1n]]] satisfies [string, [bigint, bigint][]]]),
  ]);
  const rangesOf = (topic: string): OffsetRange[] => {
    const found = topics.get(topic);
    if (found === undefined) throw new Error(`${topic} does not exist`);
    return found.map(([low, high], partition) => ({ partition, low, high, stable: high }));
  };
  const kafka: Partial<Kafka> = {
    topics: () =>
      Promise.resolve([...topics.keys()].map((topic) => ({ topic, topicId: topic, partitions: [] }))),
    lookUp: (names) =>
      Promise.resolve({
        found: names
          .filter((topic) => topics.has(topic))
          .map((topic) => ({ topic, topicId: topic, partitions: [] })),
        absent: names.filter((topic) => !topics.has(topic)),
        hidden: [],
      }),
    reader: () => Promise.resolve(stateReader(read ?? [])),
    offsets: (topic) => Promise.resolve(rangesOf(topic)),
    describeGroup: (name) =>
      Promise.resolve({
        group: name,
        state,
        members: members.map((host) => ({ memberId: host, clientId: 'hippo', clientHost: `/${host}` })),
      }),
    committed: () =>
      Promise.resolve(
        committed.map((offset, partition) => ({ topic: 'eu-frontier-adw', partition, offset })),
      ),
  };
  return kafka as Kafka;
}

/** Reads one record: the hippo's positions. */
function stateReader(read: readonly bigint[]): Reader {
  const value = {
    'eu-frontier-adw': {
      topicId: 'eu-frontier-adw',
      next: Object.fromEntries(read.map((next, partition) => [partition, String(next)])),
    },
  };
  const [topic, partition, offset] = ['eu-hippo-state', 0, 0n];
  const key = Buffer.from('etl/offsets');
  const record = { topic, partition, offset, timestamp: 0, key, value: encode(value), headers: {} };
  const batch = { topic, topicId: topic, partition, records: [record], next: 1n, end: 1n };
  return {
    positions: () => [],
    add: () => undefined,
    close: () => Promise.resolve(),
    async *[Symbol.asyncIterator]() {
      yield await Promise.resolve(batch);
    },
  };
}

const encode = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

test.each<[string, World, { summary: string; findings: string[] }]>([
  [
    'an owner and a standby, and what they have not read',
    { state: 'Stable', members: ['10.0.0.4', '10.0.0.5'], committed: [3n], ranges: [[0n, 5n]] },
    {
      summary: 'running, 1 standing by',
      findings: ['ok: Group hippo.eu-/etl: hippo at 10.0.0.4, hippo at 10.0.0.5; lag 2'],
    },
  ],
  [
    'no client, and the messages that wait: of a partition that was added later, all',
    {
      state: 'Empty',
      committed: [4n],
      ranges: [
        [0n, 5n],
        [2n, 4n],
      ],
    },
    { summary: 'not running', findings: ['warning: No client of group hippo.eu-/etl runs: 3 messages wait'] },
  ],
  [
    'no client, ever',
    { state: 'Dead', ranges: [[0n, 5n]] },
    { summary: 'not running', findings: ['warning: No client of group hippo.eu-/etl has ever run'] },
  ],
  [
    'messages that retention deleted before they were read',
    {
      state: 'Empty',
      committed: [2n, 7n],
      ranges: [
        [6n, 7n],
        [0n, 7n],
      ],
    },
    {
      summary: 'not running',
      findings: [
        'warning: No client of group hippo.eu-/etl runs: 1 message waits',
        'error: eu-frontier-adw[0]: 4 messages were deleted by retention before the client read them',
      ],
    },
  ],
  [
    'messages that were deleted after they were read: no loss, though the committed offset waits for a paused run',
    { state: 'Stable', members: ['10.0.0.4'], committed: [2n], read: [83n], ranges: [[82n, 84n]] },
    { summary: 'running', findings: ['ok: Group hippo.eu-/etl: hippo at 10.0.0.4; lag 1'] },
  ],
  [
    'one message that was deleted before it was read, as the state says',
    { state: 'Empty', committed: [2n], read: [81n], ranges: [[82n, 82n]] },
    {
      summary: 'not running',
      findings: [
        'warning: No client of group hippo.eu-/etl runs: 0 messages wait',
        'error: eu-frontier-adw[0]: 1 message was deleted by retention before the client read it',
      ],
    },
  ],
  [
    'a group that the brokers have forgotten: its state says that it has run',
    { state: 'Dead', read: [3n], ranges: [[0n, 5n]] },
    { summary: 'not running', findings: ['warning: No client of group hippo.eu-/etl runs: 2 messages wait'] },
  ],
])('the group check tells of %s', async (_, world, expected) => {
  await using machine = await newMachine();
  const job = 'load: { needs: [{ table: btd.party }], run: ./job.sh }';
  await machine.file('hippo.yaml', `name: etl\ntopics: { prefix: eu- }\njobs:\n  ${job}\n`);
  const kafka = (): Promise<Kafka> => Promise.resolve(brokers(world));
  const diagnosis = await group.run({ ...(await machine.environment()), kafka }, never);
  expect({ summary: diagnosis.summary, findings: lines(diagnosis) }).toEqual(expected);
});

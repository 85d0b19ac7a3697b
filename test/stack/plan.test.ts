import { describe, expect, test } from 'vitest';
import type { LoadedConfig } from '../../src/config/load.ts';
import type { StackFile } from '../../src/config/stack-file.ts';
import { clientsOf, planDown } from '../../src/stack/down.ts';
import { type UpFacts, type UpOptions, describeUp, planUp } from '../../src/stack/up.ts';

const PLACE = { directory: '/p', state: '/p/.hippo', kafka: '/p/.hippo/kafka', lock: '/p/.hippo/stack' };
const SPARK = { sparkSubmit: '/spark/bin/spark-submit', version: '4.1.1', source: 'PATH' } as const;
const KAFKA = { classpath: '/k/*', version: '4.3.1', source: 'cache' } as const;
const BROKER = { pid: 42, port: 9092, version: '4.3.1' };
const RECORDED: StackFile = {
  version: 1,
  brokers: ['127.0.0.1:9092'],
  kafka: {
    pid: 42,
    port: 9092,
    dataDirectory: '/p/.hippo/kafka/data',
    logFile: '/p/.hippo/kafka/broker.log',
    version: '4.3.1',
  },
  spark: { sparkSubmit: SPARK.sparkSubmit, version: SPARK.version },
  startedAt: '2026-11-24T12:00:00.000Z',
};

function facts(given: Partial<UpFacts>): UpFacts {
  return { place: PLACE, configured: null, broker: null, recorded: null, kafka: null, spark: null, ...given };
}

/** The plan's titles; what would be skipped is in parentheses. */
async function titles(given: Partial<UpFacts>, wanted: Partial<UpOptions> = {}): Promise<string[]> {
  const options: UpOptions = { loaded: {} as LoadedConfig, env: {}, spark: true, ...wanted };
  const { steps } = await describeUp(planUp(facts(given), options), facts(given));
  return steps.map(({ title, skip }) => (skip === null ? title : `(${title}: ${skip})`));
}

describe('the plan of hippo up', () => {
  const ready = [
    'start Kafka 4.3.1',
    'create the topics that are missing',
    'send an event through Kafka and read it back',
  ];

  test('fetches everything first on a machine that has nothing', async () => {
    await expect(titles({})).resolves.toEqual([
      'fetch Kafka 4.3.1 (44 MB, once)',
      'fetch Spark 4.1.1 (455 MB, once)',
      ...ready,
    ]);
  });

  test('fetches nothing that the machine has', async () => {
    await expect(titles({ kafka: KAFKA, spark: SPARK })).resolves.toEqual(ready);
  });

  test('fetches no Spark with --no-spark', async () => {
    await expect(titles({ kafka: KAFKA }, { spark: false })).resolves.toEqual(ready);
  });

  test('only checks the topics if the stack is running', async () => {
    await expect(titles({ kafka: KAFKA, spark: SPARK, broker: BROKER, recorded: RECORDED })).resolves.toEqual(
      ['(start Kafka 4.3.1: already up at 127.0.0.1:9092)', 'create the topics that are missing'],
    );
  });

  test.each<[string, Partial<UpFacts>, Partial<UpOptions>]>([
    ['there is no stack.json', { recorded: null }, {}],
    [
      'stack.json names a process that is gone',
      { recorded: { ...RECORDED, kafka: { ...RECORDED.kafka, pid: 41 } } },
      {},
    ],
    ['stack.json names another Spark', { recorded: { ...RECORDED, spark: null } }, {}],
    ['another port is asked for', { recorded: RECORDED }, { port: 9093 }],
  ])('a running broker is looked at again when %s', async (_, given, wanted) => {
    const plan = await titles({ kafka: KAFKA, spark: SPARK, broker: BROKER, ...given }, wanted);
    expect(plan[0]).toBe('start Kafka 4.3.1');
  });

  test('starts nothing if brokers are configured', async () => {
    const configured: UpFacts['configured'] = {
      brokers: ['k:9092'],
      origin: { from: 'environment', variable: 'HIPPO_BROKERS' },
    };
    await expect(titles({ configured })).resolves.toEqual(['create the topics that are missing']);
  });
});

describe('the plan of hippo down', () => {
  const here = { place: PLACE, broker: BROKER, data: true, clients: [], problem: null };

  test('stops the broker and keeps its data', () => {
    expect(planDown(here, { purge: false }).map(({ title }) => title)).toEqual([
      'stop Kafka (pid 42, port 9092)',
    ]);
  });

  test('removes the data after the stop with --purge', () => {
    expect(planDown(here, { purge: true }).map(({ title }) => title)).toEqual([
      'stop Kafka (pid 42, port 9092)',
      'remove /p/.hippo/kafka',
    ]);
  });

  test('counts the members of a group as clients of its hippo', () => {
    const members = [{ memberId: 'm', clientId: 'hippo', clientHost: '/127.0.0.1' }];
    expect(clientsOf({ group: 'hippo.gp', members })).toEqual([{ hippo: 'gp', host: '127.0.0.1' }]);
  });
});

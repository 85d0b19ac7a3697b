import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { execa } from '../../src/core/exec.ts';
import { newId } from '../../src/core/ids.ts';
import { connectKafka } from '../../src/kafka/connect.ts';
import type { KafkaRecord } from '../../src/kafka/port.ts';
import { readMark } from '../../src/trigger/mark.ts';
import type { TriggerReport } from '../../src/trigger/trigger.ts';
import { makeFolder } from '../support/folder.ts';
import { testBrokers } from '../support/brokers.ts';
import { HIPPO, startHippo } from '../support/cli.ts';
import { kafkaSettings, readAll, setTopicConfig } from '../support/kafka.ts';
import { type TestProject, test, until } from '../support/project.ts';

const MONTHLY = `load:
  every: month
  needs: [{ table: btd.party, partition: { yyyymm: "{{ window | date: '%Y%m' }}" } }]
  run: ./job.sh
  concurrency: 6`;

const event = (table: string, month: string): string =>
  `{"table":"${table}","partition":[{"name":"yyyymm","value":"${month}"}],"db":"btd","method":"partition","exec_date":"1493394946"}`;

async function withKafka<T>(
  use: (kafka: Awaited<ReturnType<typeof connectKafka>>) => Promise<T>,
): Promise<T> {
  const kafka = await connectKafka({ brokers: await testBrokers(), settings: kafkaSettings() });
  try {
    return await use(kafka);
  } finally {
    await kafka.close();
  }
}

/** All that is in the project's frontier topic. */
function frontier({ prefix }: TestProject): Promise<KafkaRecord[]> {
  return withKafka((kafka) => readAll(kafka, `${prefix}frontier-adw`));
}

/** What a consumer that is not ours reads, `partition key value` in the order of offsets. */
async function kcat({ prefix, brokers }: TestProject): Promise<string[]> {
  const args = ['-b', brokers, '-C', '-t', `${prefix}frontier-adw`, '-e', '-q', '-f', '%p %k %s\\n'];
  const { stdout } = await execa('kcat', args);
  return stdout === '' ? [] : stdout.split('\n');
}

const keyAndValue = (line: string): string => line.slice(line.indexOf(' ') + 1);

describe('a published event', () => {
  test('arrives unchanged at another consumer, in the partition that --dry-run names', async ({
    makeProject,
  }) => {
    const project = await makeProject(MONTHLY);
    const tables = ['party', 'sales', 'agreement', 'ключ', 'a', 'bc', 'def'];
    const lines = tables.map((table, index) => event(table, String(201701 + index)));
    const input = `${lines.join('\n')}\n\n`;

    const dry = await project.hippo(['trigger', '--file', '-', '--dry-run', '--json'], { input });
    expect(dry.exitCode).toBe(0);
    expect(await kcat(project)).toEqual([]);
    const planned = dry.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { partition: number; key: string; value: string });
    expect(planned.map(({ value }) => value)).toEqual(lines);

    const real = await project.hippo(['trigger', '--file', '-', '--json'], { input });
    expect(JSON.parse(real.stdout)).toMatchObject({
      published: 7,
      file: { name: 'standard input', lines: 8 },
    });
    const where = planned.map(({ partition, key, value }) => `${partition} ${key} ${value}`).sort();
    expect((await kcat(project)).sort()).toEqual(where);
    // No header is added to what a file brings.
    expect((await frontier(project)).every(({ headers }) => Object.keys(headers).length === 0)).toBe(true);

    // Kafka's own client puts the same keys there too.
    const args = ['-b', project.brokers, '-P', '-t', `${project.prefix}frontier-adw`, '-K', '\t'];
    await execa('kcat', [...args, '-X', 'topic.partitioner=murmur2_random'], {
      input: planned.map(({ key, value }) => `${key}\t${value}`).join('\n'),
    });
    expect((await kcat(project)).sort()).toEqual([...where, ...where].sort());
    expect(new Set(planned.map(({ partition }) => partition)).size).toBeGreaterThan(1);
  });

  test('of a range stands in order, also with --backwards, and has a trace of its own', async ({
    makeProject,
  }) => {
    const project = await makeProject(MONTHLY);
    const args = [
      'trigger',
      '--range',
      '2017-01..2017-03',
      '--backwards',
      '--exec-date',
      '2017-04-28T15:55:46Z',
    ];
    const { exitCode, stdout } = await project.hippo(args);
    expect(exitCode).toBe(0);
    expect(stdout.replaceAll(/\d+:(\d+)$/gm, 'P:$1').replace(/backfill \S+/, 'backfill ID.')).toBe(
      [
        `✓ 1/3 btd.party yyyymm=201703  ${project.prefix}frontier-adw P:0`,
        `✓ 2/3 btd.party yyyymm=201702  ${project.prefix}frontier-adw P:1`,
        `✓ 3/3 btd.party yyyymm=201701  ${project.prefix}frontier-adw P:2`,
        '✓ Published 3 events, backfill ID.',
        '',
      ].join('\n'),
    );
    expect((await kcat(project)).map(keyAndValue)).toEqual(
      ['201703', '201702', '201701'].map((month) => `btd.party ${event('party', month)}`),
    );
    const traces = (await frontier(project)).map(({ headers }) => String(headers['traceparent']));
    expect(new Set(traces).size).toBe(3);
  });

  test('that was made from the output of hippo tail is the same, byte for byte', async ({ makeProject }) => {
    const project = await makeProject(MONTHLY);
    const topic = `${project.prefix}frontier-adw`;
    const bytes = Buffer.from([0, 0xff, 0xfe, 0x0a, 0x0d, 0x22]);
    const records = [
      { key: 'btd.party', value: event('party', '201701'), headers: { traceparent: '00-ab', h: bytes } },
      { key: bytes, value: bytes, headers: {} },
      { key: 'gone', value: null, headers: { ключ: 'значение' } },
      { key: null, value: '', headers: { empty: '', none: null, often: ['1', null, bytes] } },
      { key: '', value: '  {"table": "é\u2028"}\r', headers: {} },
    ];
    await withKafka(async (kafka) => {
      const producer = await kafka.producer();
      await producer.send(records.map((record) => ({ topic, ...record })));
      await producer.close();
    });
    const before = await frontier(project);
    const { stdout: tailed } = await project.hippo([
      'tail',
      'frontier',
      '--from',
      'beginning',
      '-e',
      '--json',
    ]);
    const { exitCode, stderr } = await project.hippo(['trigger', '--file', '-'], { input: tailed });
    expect(exitCode, stderr).toBe(0);
    const all = await frontier(project);
    const content = ({ key, value, headers }: KafkaRecord): string => JSON.stringify({ key, value, headers });
    expect(all).toHaveLength(2 * records.length);
    expect(all.map(content).sort()).toEqual([...before, ...before].map(content).sort());
  });
});

test('hippo trigger ends without an error message when the reader of its output ends', async ({
  makeProject,
}) => {
  const project = await makeProject(MONTHLY);
  const lines = Array.from({ length: 5_000 }, () => event('party', '201701'));
  await writeFile(join(project.directory, 'events.jsonl'), lines.join('\n'));
  const readers = ['head -1', 'head -c 1', 'true'];
  for (const reader of readers) {
    const command = `cat events.jsonl | "$0" "$1" trigger --file - --json | ${reader}; exit \${PIPESTATUS[1]}`;
    const { exitCode, stderr } = await execa('bash', ['-c', command, process.execPath, HIPPO], {
      cwd: project.directory,
      env: { ...project.env, NODE_ENV: undefined },
      reject: false,
    });
    expect({ reader, exitCode, stderr }).toEqual({ reader, exitCode: 0, stderr: '' });
  }
  expect(await kcat(project)).toHaveLength(readers.length * lines.length);
});

describe('hippo trigger publishes', () => {
  test('nothing of a file with a bad line, unless --skip-bad is given', async ({ makeProject }) => {
    const project = await makeProject(MONTHLY);
    const file = join(project.directory, 'events.jsonl');
    await writeFile(file, [event('party', '201701'), '{"db":"btd"}', event('party', '201702')].join('\n'));
    const refused = await project.hippo(['trigger', '--file', 'events.jsonl']);
    expect(refused).toMatchObject({ exitCode: 2, stdout: '' });
    expect(refused.stderr).toBe(
      [
        '✗ a line of events.jsonl is not an event: table is missing; it must be text',
        '  at events.jsonl:2',
        '  Nothing was published.',
        '  A line is a frontier event ({"db":"btd","table":"party",…}), or what hippo',
        '  tail --json or kcat -J prints.',
        '  → hippo trigger --file events.jsonl --skip-bad',
        '',
      ].join('\n'),
    );
    expect(await kcat(project)).toEqual([]);
    const passed = await project.hippo(['trigger', '--file', 'events.jsonl', '--skip-bad']);
    expect(passed.stdout).toBe('✓ Published 2 events of events.jsonl, 1 line skipped.\n');
    expect(passed.stderr).toContain('! line 2 is not an event, skipped: table is missing');
  });

  test('nothing of a file or stream without an event, and fails, also with --skip-bad', async ({
    makeProject,
  }) => {
    const project = await makeProject(MONTHLY);
    const input = '{"db":"btd"}\njunk\n';
    await writeFile(join(project.directory, 'bad.jsonl'), input);
    await writeFile(join(project.directory, 'empty.jsonl'), '\n');
    const skipping = (file: string, ...more: string[]): ReturnType<TestProject['hippo']> =>
      project.hippo(['trigger', '--file', file, '--skip-bad', ...more], { input });
    for (const more of [[], ['--dry-run'], ['--max-active', '1']]) {
      expect(await skipping('bad.jsonl', ...more)).toMatchObject({
        exitCode: 2,
        stdout: '',
        stderr: expect.stringContaining('✗ none of the 2 lines of bad.jsonl is an event\n') as string,
      });
    }
    for (const more of [[], ['--dry-run']]) {
      expect(await skipping('-', ...more)).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining('✗ standard input has no event that can be published\n') as string,
      });
    }
    expect(await skipping('empty.jsonl')).toMatchObject({
      exitCode: 0,
      stdout: '! empty.jsonl has no events: nothing was published.\n',
    });
    expect(await kcat(project)).toEqual([]);
  });

  test('the lines of a stream up to its first bad line', async ({ makeProject }) => {
    const project = await makeProject(MONTHLY);
    const input = [event('party', '201701'), event('party', '201702'), 'junk', event('party', '201703')].join(
      '\n',
    );
    const { exitCode, json } = await project
      .hippo(['trigger', '--file', '-', '--json'], { input })
      .then(({ stdout, exitCode }) => ({ exitCode, json: JSON.parse(stdout) as unknown }));
    expect(exitCode).toBe(2);
    expect(json).toMatchObject({
      error: {
        place: { file: 'standard input', line: 3 },
        why: expect.stringMatching(/^The 2 events before it are published\./) as string,
      },
    });
    expect(await kcat(project)).toHaveLength(2);
  });

  test('all lines but one that is larger than the topic takes', async ({ makeProject }) => {
    const project = await makeProject(MONTHLY);
    const topic = `${project.prefix}frontier-adw`;
    await withKafka((kafka) => setTopicConfig(kafka, topic, { 'max.message.bytes': '5000' }));
    const lines = Array.from({ length: 300 }, () => event('party', '201701'));
    lines[100] = '';
    lines[201] = event('party', '201702').replace('{', `{"note":"${'x'.repeat(6000)}",`);
    await writeFile(join(project.directory, 'events.jsonl'), lines.join('\n'));

    const refused = await project.hippo(['trigger', '--file', 'events.jsonl']);
    expect(refused).toMatchObject({ exitCode: 2, stdout: '' });
    expect(refused.stderr).toMatch(
      new RegExp(
        [
          `✗ a line of events.jsonl is too large for topic ${topic}`,
          '  at events.jsonl:202',
          '  it needs 6\\d\\d\\d bytes; max.message.bytes of the topic is 5000',
          '  The 200 events before it are published.',
          `  → kafka-configs.sh --bootstrap-server ${project.brokers} --alter --topic ${topic} --add-config max.message.bytes=6\\d\\d\\d`,
          '    or make this one record smaller',
          '    hippo trigger --file events.jsonl --from-line 202 --skip-bad',
          '',
        ].join('\n'),
      ),
    );
    const rest = ['--from-line', '202', '--skip-bad'];
    const passed = await project.hippo(['trigger', '--file', 'events.jsonl', ...rest]);
    expect(passed.stdout).toBe('✓ Published 98 events of events.jsonl, 1 line skipped.\n');
    expect(passed.stderr).toContain(`! line 202 is too large for topic ${topic}, skipped: it needs 6`);
    expect(await kcat(project)).toHaveLength(298);

    const slow = await project.hippo(['trigger', '--file', 'events.jsonl', '--rate', '10000/s', '--json']);
    expect(JSON.parse(slow.stdout)).toMatchObject({
      error: { place: { file: 'events.jsonl', line: 202 }, exit_code: 2 },
    });
    expect(await kcat(project)).toHaveLength(498);
  });

  test('nothing with --dry-run, which needs no Kafka', async ({ makeProject }) => {
    const project = await makeProject(MONTHLY);
    const env = { HIPPO_BROKERS: '127.0.0.1:1' };
    const { exitCode, stdout } = await project.hippo(
      ['trigger', '--partition', 'yyyymm=201704', '--dry-run'],
      { env },
    );
    expect(exitCode).toBe(0);
    const near = await project.hippo(['trigger', '--table', 'btd.partyy', '--dry-run'], { env });
    expect(near.stderr).toContain('Did you mean btd.party?');
    const input = `nonsense\n${event('party', '201701')}\n`;
    const file = await project.hippo(['trigger', '--file', '-', '--skip-bad', '--dry-run'], { env, input });
    expect(file.stdout).toMatch(/1 event would be published. 1 line would be skipped.\n$/);
    expect(stdout.replaceAll('\n', ' ')).toContain(
      'its partitions are not known: Kafka cannot be reached at 127.0.0.1:1.',
    );
    expect(stdout).toContain('btd.party yyyymm=201704 → partition ?, key btd.party');
  });
});

describe('a backfill', () => {
  test('that was interrupted is resumed where it stopped, from any machine', async ({ makeProject }) => {
    const project = await makeProject(MONTHLY);
    const args = ['trigger', '--range', '2017-01..2018-12', '--rate', '30/m'];
    const running = startHippo(args, { cwd: project.directory, env: project.env });
    await until(async () => (await kcat(project)).length >= 3, 'some events are published');
    running.kill('SIGINT');
    const { exitCode, stdout } = await running;
    expect(exitCode).toBe(130);
    const [, published, id] =
      /Interrupted: (\d+) of 24 events are published\.\n {2}→ hippo trigger --resume (\S+) --rate 30\/m/.exec(
        stdout,
      ) ?? [];
    expect(await kcat(project)).toHaveLength(Number(published));
    expect(Number(published)).toBeLessThan(24);

    // No hippo.yaml there: the topic alone tells what is left.
    const elsewhere = await makeFolder('elsewhere');
    const there = { cwd: elsewhere, env: { HIPPO_TOPICS_PREFIX: project.prefix } };
    try {
      const planned = await project.hippo(['trigger', '--resume', id ?? '', '--dry-run'], there);
      expect(planned.stdout).toContain(`${24 - Number(published)} events would be published.`);
      const resumed = await project.hippo(['trigger', '--resume', id ?? ''], there);
      expect(resumed.stdout).toContain(`✓ Published ${24 - Number(published)} events, backfill ${id}.`);
      const again = await project.hippo(['trigger', '--resume', id ?? ''], there);
      expect(again.stdout).toBe('✓ Nothing is left: all events are published.\n');
    } finally {
      await rm(elsewhere, { recursive: true, force: true });
    }
    const records = await frontier(project);
    const marks = records.map(({ headers }) => readMark(String(headers['hippo-backfill'])));
    expect(marks).toEqual(Array.from({ length: 24 }, (_, index) => ({ id, n: index + 1, total: 24 })));
    const months = records.map(({ value }) => /"value":"(\d+)"/.exec(String(value))?.[1]);
    expect(months).toEqual([...months].sort());
    // One exec_date for all: published twice, an event would be a duplicate.
    expect(new Set(records.map(({ value }) => /"exec_date":"(\d+)"/.exec(String(value))?.[1])).size).toBe(1);
  });

  test('of a file is resumed with the lines that are missing', async ({ makeProject }) => {
    const project = await makeProject(MONTHLY);
    const file = join(project.directory, 'events.jsonl');
    const months = Array.from({ length: 12 }, (_, index) => String(201701 + index));
    await writeFile(file, months.map((month) => `${event('party', month)}\n`).join(''));
    const args = ['trigger', '--file', 'events.jsonl', '--rate', '30/m'];
    const running = startHippo(args, { cwd: project.directory, env: project.env });
    await until(async () => (await kcat(project)).length >= 2, 'some events are published');
    running.kill('SIGINT');
    const command = /→ hippo (trigger --resume \S+ --file events.jsonl) --rate/.exec(
      (await running).stdout,
    )?.[1];
    const resumed = await project.hippo(command?.split(' ') ?? []);
    expect(resumed.exitCode, resumed.stderr).toBe(0);
    expect((await kcat(project)).map(keyAndValue)).toEqual(
      months.map((month) => `btd.party ${event('party', month)}`),
    );
    const without = await project.hippo(['trigger', '--resume', command?.split(' ')[2] ?? '']);
    expect(without).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('is of a file') as string });
  });

  test('that was never begun cannot be resumed', async ({ makeProject }) => {
    const project = await makeProject(MONTHLY);
    const { exitCode, stderr } = await project.hippo(['trigger', '--resume', '20170428T155546Z-k3x9']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('has no event of the backfill 20170428T155546Z-k3x9');
  });

  test('keeps no more than --max-active events active, and reports the outcome of each', async ({
    makeProject,
  }) => {
    const project = await makeProject(
      MONTHLY,
      // How many of them are there at once, this one included.
      'touch "active.$HIPPO_RUN_KEY"; ls active.* | wc -l >> counts; sleep 0.5; rm "active.$HIPPO_RUN_KEY"; [ "$HIPPO_RUN_KEY" != 201703 ]',
    );
    await project.startClient().event('owner');
    const args = ['trigger', '--range', '2017-01..2017-06', '--max-active', '2', '--wait', '--json'];
    const { exitCode, stdout } = await project.hippo(args);
    const report = JSON.parse(stdout) as TriggerReport;
    expect(exitCode).toBe(1);
    expect(report).toMatchObject({
      published: 6,
      backfill: { total: 6, remaining: 0 },
      stopped: null,
      next: null,
      wait: { outcome: 'failed', unanswered: 0 },
    });
    expect(report.wait?.runs.map(({ run_key, outcome }) => `${run_key} ${outcome}`).sort()).toEqual([
      '201701 succeeded',
      '201702 succeeded',
      '201703 failed',
      '201704 succeeded',
      '201705 succeeded',
      '201706 succeeded',
    ]);
    const counts = (await project.file('counts')).trim().split(/\s+/).map(Number);
    expect(Math.max(...counts)).toBeLessThanOrEqual(2);

    // An operator without this project is told what its hippos need.
    const elsewhere = await makeFolder('elsewhere');
    const unknown = await project.hippo(['trigger', '--table', 'btd.partyy'], {
      cwd: elsewhere,
      env: { HIPPO_TOPICS_PREFIX: project.prefix },
    });
    await rm(elsewhere, { recursive: true, force: true });
    expect(unknown.exitCode).toBe(0);
    expect(unknown.stderr).toBe('! No hippo is known to need btd.partyy. Did you mean btd.party?\n');
  });

  test('ends if no hippo reads its events, and says how to resume it', async ({ makeProject }) => {
    const project = await makeProject(MONTHLY);
    const args = ['trigger', '--range', '2017', '--max-active', '2', '--timeout', '2s'];
    const { exitCode, stdout, stderr } = await project.hippo(args);
    expect(exitCode).toBe(4);
    expect(stdout).toMatch(/✗ Timed out: 2 of 12 events are published\.\n {2}No hippo is running\./);
    expect(stdout).toMatch(/→ hippo trigger --resume \S+ --max-active 2 --timeout 2s\n$/);
    expect(stderr).toContain('! No hippo is running');
  });
});

test('an event of a table that no job needs is published all the same', async ({ makeProject }) => {
  const project = await makeProject(MONTHLY);
  const { exitCode, stderr } = await project.hippo(['trigger', '--table', `btd.${newId().slice(0, 6)}`]);
  expect(exitCode).toBe(0);
  expect(stderr).toMatch(/^! No hippo is known to need btd\.\w+\.\n$/);
  expect(await kcat(project)).toHaveLength(1);
});

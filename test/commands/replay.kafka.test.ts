import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import type { Kafka, KafkaRecord, OutgoingRecord } from '../../src/kafka/port.ts';
import type { ReplayReport } from '../../src/replay/replay.ts';
import type { TractorPlan } from '../../src/tractor/tractor.ts';
import { removeAll } from '../support/admin.ts';
import { readAll, remakeTopic, setTopicConfig, testKafka } from '../support/kafka.ts';
import { type TestProject, test } from '../support/project.ts';

const JOBS = 'load:\n  needs: [{ table: btd.party }]\n  run: ./job.sh';

/** What no hippo can read: not UTF-8, no JSON, a tombstone, a message without a table; keys and headers of bytes. */
const JUNK: Omit<OutgoingRecord, 'topic'>[] = [
  { value: Buffer.from([0xff, 0xfe, 0x00, 0x0a, 0x7b]), key: Buffer.from([0x00, 0xff]), partition: 3 },
  {
    value: '{"truncated":',
    headers: { traceparent: 'not one', bytes: Buffer.from([0x80, 0x00]) },
    partition: 0,
  },
  { value: null, key: 'tombstone', partition: 2 },
  { value: '{"db":"btd"}', key: '', partition: 2 },
  { value: '', partition: 1 },
];

/** A project whose client has rejected the junk, and has ended. */
async function withDeadLetters(project: TestProject, kafka: Kafka): Promise<string> {
  const topic = `${project.prefix}frontier-adw`;
  const producer = await kafka.producer();
  await producer.send(JUNK.map((record) => ({ topic, ...record })));
  await producer.close();
  await rejectAgain(project);
  return topic;
}

async function rejectAgain(project: TestProject): Promise<void> {
  const { exitCode, stderr } = await project.hippo(['run', '--once']);
  expect(exitCode, stderr).toBe(0);
}

async function replay(project: TestProject, ...args: string[]): Promise<ReplayReport & { exitCode: number }> {
  const { exitCode, stdout } = await project.hippo(['replay', '--json', ...args]);
  return { ...(JSON.parse(stdout) as ReplayReport), exitCode };
}

const statuses = ({ letters }: ReplayReport): string[] => letters.map(({ status }) => status).sort();
const times = (count: number, status: string): string[] => Array<string>(count).fill(status);

/** What matters of a message, apart from its place and time. */
function content({ partition, key, value, headers }: KafkaRecord) {
  const names = [
    'replay.count',
    'replay.of',
    'replay.of.topic_id',
    'replay.record',
    'replay.record.topic_id',
  ];
  const [count, ...ofWhat] = names.map((name) => headers[name]);
  const own = Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));
  return {
    partition,
    key,
    value,
    headers: own,
    replayed: ofWhat.includes(undefined) ? null : Number(count),
  };
}

describe('hippo replay', () => {
  test('sends back byte for byte, once; stops what comes back again and again', async ({ makeProject }) => {
    const kafka = await testKafka();
    const project = await makeProject(JOBS);
    const topic = await withDeadLetters(project, kafka);
    const originals = (await readAll(kafka, topic)).map(content);

    const planned = await replay(project, '--dry-run');
    expect(statuses(planned)).toEqual(times(5, 'ready'));
    expect((await readAll(kafka, topic)).length).toBe(5);

    expect(statuses(await replay(project, '--yes'))).toEqual(times(5, 'sent'));
    const all = (await readAll(kafka, topic)).map(content);
    expect(all.filter(({ replayed }) => replayed === null)).toEqual(originals);
    expect(all.filter(({ replayed }) => replayed === 1)).toEqual(
      originals.map((one) => ({ ...one, replayed: 1 })),
    );

    const second = await project.hippo(['replay', '--yes']);
    expect(second.stdout).toContain('5 were sent back before; --again sends them once more');
    expect(second.stdout).toContain('Nothing to send back of 5 dead letters.');
    expect(second.exitCode).toBe(0);

    // They are rejected again, and sent back again, up to three times.
    for (const times of [2, 3]) {
      await rejectAgain(project);
      expect(statuses(await replay(project, '--yes')).filter((status) => status === 'sent')).toHaveLength(5);
      expect(
        (await readAll(kafka, topic)).map(content).filter(({ replayed }) => replayed === times),
      ).toHaveLength(5);
    }
    await rejectAgain(project);
    const looping = await replay(project, '--yes');
    expect(looping.exitCode).toBe(1);
    expect(statuses(looping)).toEqual([...times(5, 'looping'), ...times(15, 'sent-before')]);
    expect((await readAll(kafka, topic)).length).toBe(20);
    expect(statuses(await replay(project, '--yes', '--force', '--last', '1'))).toEqual(['sent']);
    expect((await readAll(kafka, topic)).length).toBe(21);
  });

  test('chooses by filter, position and topic; two at the same time send each once', async ({
    makeProject,
  }) => {
    const kafka = await testKafka();
    const project = await makeProject(JOBS);
    const topic = await withDeadLetters(project, kafka);
    const filter = 'headers["dlq.reason"].contains("UTF-8")';
    expect(statuses(await replay(project, '--dry-run', '--filter', filter))).toEqual(['ready']);
    expect(statuses(await replay(project, '--dry-run', 'frontier', '--to', '0:1'))).toEqual(['ready']);
    expect(statuses(await replay(project, '--dry-run', 'finish'))).toEqual([]);
    expect(statuses(await replay(project, '--yes', '--filter', filter))).toEqual(['sent']);

    const both = await Promise.all([project.hippo(['replay', '--yes']), project.hippo(['replay', '--yes'])]);
    // The one that came too late either finds nothing left, or is told that the other has taken over.
    for (const { exitCode, stderr } of both)
      if (exitCode !== 0) expect(stderr).toContain('another replay into');
    expect(
      (await readAll(kafka, topic)).map(content).filter(({ replayed }) => replayed !== null),
    ).toHaveLength(5);
    expect(statuses(await replay(project, '--yes'))).toEqual(times(5, 'sent-before'));
  });

  test('a record that two hippos have rejected counts once, and goes back once', async ({ makeProject }) => {
    const kafka = await testKafka();
    const project = await makeProject(JOBS);
    const other = `${project.name}-other`;
    const file = join(project.directory, 'other.yaml');
    await writeFile(
      file,
      (await project.file('hippo.yaml')).replace(`name: ${project.name}`, `name: ${other}`),
    );
    const rejectAsOther = async (): Promise<void> => {
      const { exitCode, stderr } = await project.hippo(['run', '--once', '--config', file]);
      expect(exitCode, stderr).toBe(0);
    };
    const topic = await withDeadLetters(project, kafka);
    await rejectAsOther();
    expect((await readAll(kafka, `${topic}.dlq`)).length).toBe(10);

    const planned = await replay(project, '--dry-run');
    expect(planned.letters.map(({ status, hippos }) => ({ status, hippos: hippos.toSorted() }))).toEqual(
      times(5, 'ready').map((status) => ({ status, hippos: [project.name, other] })),
    );
    const { unreadable } = JSON.parse((await project.hippo(['tractor', '--json'])).stdout) as TractorPlan;
    expect(unreadable).toBe(5);

    // Sent back as the letter of one of them, it was sent back as that of the other too, whatever is selected.
    const ofOther = `headers["dlq.hippo"] == "${other}"`;
    const ofFirst = `headers["dlq.hippo"] == "${project.name}"`;
    expect(statuses(await replay(project, '--yes', '--filter', ofOther))).toEqual(times(5, 'sent'));
    expect(statuses(await replay(project, '--yes', '--filter', ofFirst))).toEqual(times(5, 'sent-before'));

    // One hippo rejects the messages that were sent back before the other one does: they are sent once more, once.
    await rejectAgain(project);
    expect(statuses(await replay(project, '--yes')).filter((status) => status === 'sent')).toHaveLength(5);
    await rejectAsOther();
    const third = await replay(project, '--yes', '--filter', ofOther);
    expect(statuses(third)).toEqual([...times(5, 'sent'), ...times(10, 'sent-before')]);
    expect((await readAll(kafka, topic)).length).toBe(20);
  });

  test('what may have been sent back and removed since is not sent again by accident', async ({
    makeProject,
  }) => {
    const kafka = await testKafka();
    const project = await makeProject(JOBS);
    const topic = await withDeadLetters(project, kafka);
    await replay(project, '--yes');
    // As retention does, sooner or later.
    await removeAll(kafka.brokers, topic);
    const { exitCode, letters } = await replay(project, '--yes');
    expect({ exitCode, statuses: letters.map(({ status }) => status) }).toEqual({
      exitCode: 0,
      statuses: times(5, 'perhaps-sent'),
    });
    expect(statuses(await replay(project, '--yes', '--again', '--last', '2'))).toEqual(times(2, 'sent'));
  });

  test('a letter of a dead-letter topic that was made again is not taken for one before it', async ({
    makeProject,
  }) => {
    const kafka = await testKafka();
    const project = await makeProject(JOBS);
    const topic = await withDeadLetters(project, kafka);
    expect(statuses(await replay(project, '--yes'))).toEqual(times(5, 'sent'));
    await remakeTopic(kafka, `${topic}.dlq`);
    // The messages that were sent back are rejected again, at the offsets of the letters that they were.
    await rejectAgain(project);
    expect(statuses(await replay(project, '--yes'))).toEqual(times(5, 'sent'));
  });

  test('what was too large for a dead letter goes back whole, while it is there', async ({ makeProject }) => {
    const kafka = await testKafka();
    const project = await makeProject(JOBS);
    const topic = `${project.prefix}frontier-adw`;
    await setTopicConfig(kafka, `${topic}.dlq`, { 'max.message.bytes': '1000000' });
    const value = Buffer.alloc(1_040_000, '{"db": "btd", ');
    const headers = { large: Buffer.alloc(100_000), small: Buffer.from('kept') };
    const producer = await kafka.producer();
    await producer.send([
      { topic, partition: 2, key: 'large value', value },
      { topic, partition: 2, key: 'large headers', value: value.subarray(0, 930_000), headers },
    ]);
    await rejectAgain(project);
    const originals = (await readAll(kafka, topic)).map(content);
    expect(
      (await readAll(kafka, `${topic}.dlq`)).map(({ headers: own, value: left }) => ({
        size: left?.length,
        of: String(own['dlq.truncated']),
        names: Object.keys(own).filter((name) => !name.startsWith('dlq.')),
      })),
    ).toEqual([
      { size: 65_536, of: '1040011', names: [] },
      { size: 65_536, of: '1030027', names: ['small'] },
    ]);
    await setTopicConfig(kafka, topic, { 'max.message.bytes': '1035000' });
    const planned = await replay(project, '--dry-run');
    expect([planned.exitCode, ...statuses(planned).toSorted()]).toEqual([1, 'ready', 'too-large']);
    await setTopicConfig(kafka, topic, { 'max.message.bytes': '1048588' });
    expect(statuses(await replay(project, '--yes'))).toEqual(['sent', 'sent']);
    expect((await readAll(kafka, topic)).slice(2).map(content)).toEqual(
      originals.map((one) => ({ ...one, replayed: 1 })),
    );

    // As retention does, sooner or later.
    await removeAll(kafka.brokers, topic);
    const { exitCode, letters } = await replay(project, '--yes', '--again');
    expect([exitCode, ...letters.map(({ status }) => status)]).toEqual([1, 'gone', 'gone']);
  });

  test('asks on a terminal only; a script says --yes', async ({ makeProject }) => {
    const kafka = await testKafka();
    const project = await makeProject(JOBS);
    const topic = await withDeadLetters(project, kafka);
    const { exitCode, stderr } = await project.hippo(['replay', 'frontier', '--from', '-2h']);
    expect(stderr).toBe(
      '✗ there is no terminal on which to ask for a confirmation\n  Nothing was changed.\n  → hippo replay frontier --from -2h --yes\n',
    );
    expect(exitCode).toBe(2);
    expect((await readAll(kafka, topic)).length).toBe(5);
  });
});

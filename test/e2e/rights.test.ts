import { expect } from 'vitest';
import type { DoctorReport } from '../../src/doctor/runner.ts';
import type { ReplayReport } from '../../src/replay/replay.ts';
import { serialiseModel } from '../../src/messages/index.ts';
import { connectKafka } from '../../src/kafka/connect.ts';
import { kafkaSettings, setTopicConfig } from '../support/kafka.ts';
import { Kafka, logLevel } from '../support/kafkajs.ts';
import { allow, deny, produce } from '../support/admin.ts';
import { test, trigger } from '../support/project.ts';
import {
  DOCTOR,
  JOB,
  RUN,
  SETTINGS,
  TRIGGER,
  aclOf,
  address,
  expectDenied,
  operators,
  useSecureBroker,
} from '../support/rights.ts';
import { USERNAME } from '../support/secure-broker.ts';

useSecureBroker();

test.concurrent('a denied operation is named, with the ACL to add', async ({ makeProject }) => {
  const project = await makeProject(JOB, 'exit 0', SETTINGS, address());
  await trigger(project, '201704');
  const table = [
    ['READ', 'frontier-adw', [RUN, 'tail -e', 'tractor']],
    ['DESCRIBE', 'frontier-adw', [RUN, TRIGGER, DOCTOR]],
    ['WRITE', 'hippo-state', [RUN]],
    ['READ', 'GROUP', [RUN]],
    ['WRITE', 'TRANSACTIONAL_ID', [RUN]],
  ] as const;
  for (const [operation, on, commands] of table) {
    const acl = aclOf(project, operation, on);
    await expectDenied(project, acl, commands);
    await allow(operators(), USERNAME, acl);
  }
});

test.concurrent('doctor does not blame a topic whose settings it may not see', async ({ makeProject }) => {
  const project = await makeProject(JOB, 'exit 0', SETTINGS, address());
  await deny(operators(), USERNAME, aclOf(project, 'DESCRIBE_CONFIGS', 'frontier-adw'));
  const { exitCode, stdout } = await project.hippo(['doctor', 'topics', '--json']);
  expect(exitCode).toBe(0);
  const [check] = (JSON.parse(stdout) as DoctorReport).checks;
  expect(check).toMatchObject({ summary: '9 of 9', findings: [{ status: 'warning' }] });
  expect(check?.findings[0]?.text).toMatch(
    /^Retention and compaction were not checked. .* DescribeConfigs on topic/,
  );
});

test.concurrent(
  'a bad message without the right to its dead-letter topic holds up nothing else',
  async ({ makeProject }) => {
    const project = await makeProject(JOB, 'exit 0', SETTINGS, address());
    const topic = `${project.prefix}frontier-adw`;
    await produce(operators(), { topic, partition: 0 }, ['rubbish']);
    await project.hippo(['job', 'run', 'load', '--key', '201705']);
    const acl = aclOf(project, 'WRITE', 'frontier-adw.dlq');
    await deny(operators(), USERNAME, acl);
    const denied = await project.hippo(['run', '--once']);
    expect(denied.exitCode).toBe(3);
    expect(denied.stderr).toContain(`the operation Write on topic ${topic}.dlq`);
    expect(denied.stdout + denied.stderr).toContain('load 201705 succeeded');
    await allow(operators(), USERNAME, acl);
    const allowed = await project.hippo(['run', '--once']);
    expect(allowed.exitCode).toBe(0);
    expect(allowed.stdout + allowed.stderr).toContain(`0:0 → ${topic}.dlq`);
  },
);

test.concurrent(
  'a topic of a message need that may not be seen at the first start is read later from what was written since',
  async ({ makeProject }) => {
    const train = `train: { needs: [{ topic: model }], run: ./job.sh, args: ["{{ needs['model'].model }}"] }`;
    const project = await makeProject(train, 'echo "$@" >> ran', SETTINGS, address());
    const tell = (model: string) => {
      const value = serialiseModel({ kind: 'model', message: 'BUILD_MODEL', model, extra: {} });
      return produce(operators(), { topic: `${project.prefix}hippo-model`, partition: 0 }, [value]);
    };
    await tell('before');
    const acl = aclOf(project, 'DESCRIBE', 'hippo-model');
    await deny(operators(), USERNAME, acl);
    expect((await project.hippo(['run', '--once'])).exitCode).toBe(3);
    await tell('meanwhile');
    await allow(operators(), USERNAME, acl);
    const { exitCode, stderr } = await project.hippo(['run', '--once']);
    expect(exitCode, stderr).toBe(0);
    expect(await project.file('ran')).toBe('meanwhile\n');
  },
);

test.concurrent(
  'of an open transaction whose id this user may not see, all else is named, and the right to see it',
  async ({ makeProject }) => {
    const project = await makeProject(JOB, 'exit 0', SETTINGS, address());
    const topic = `${project.prefix}frontier-adw`;
    const transactionalId = `stranger-${project.name}`;
    await deny(operators(), USERNAME, ['DESCRIBE', 'TRANSACTIONAL_ID', transactionalId]);
    const stranger = new Kafka({ brokers: operators(), logLevel: logLevel.NOTHING }).producer({
      transactionalId,
      maxInFlightRequests: 1,
      idempotent: true,
    });
    await stranger.connect();
    try {
      const open = await stranger.transaction();
      await open.send({ topic, messages: [{ partition: 0, value: 'x' }] });
      for (const command of [['tail', 'frontier', '--from', 'beginning', '--exit-at-end'], ['tractor']]) {
        const { stdout, stderr } = await project.hippo(command);
        const said = (stdout + stderr).replaceAll(/\s+/g, ' ');
        expect(said).toMatch(
          /frontier-adw\[0\]: the transaction of another producer \(producer id \d+\) has been open since \S+Z or longer; it hides all records from offset 0 on/,
        );
        expect(said).toContain(
          'Kafka names it only to users with the operation Describe on its transactional id',
        );
        expect(said).not.toContain('stranger');
      }
      await open.abort();
    } finally {
      await stranger.disconnect();
    }
  },
);

test.concurrent(
  'a replay goes on past a message that is too large, although it may not see the limit of the topic',
  async ({ makeProject }) => {
    const project = await makeProject(JOB, 'exit 0', SETTINGS, address());
    const topic = `${project.prefix}frontier-adw`;
    await produce(operators(), { topic, partition: 0 }, ['rubbish', 'x'.repeat(5_000), 'more rubbish']);
    expect((await project.hippo(['run', '--once'])).exitCode).toBe(0);
    const kafka = await connectKafka({ brokers: operators(), settings: kafkaSettings() });
    await setTopicConfig(kafka, topic, { 'max.message.bytes': '3000' });
    await kafka.close();
    await deny(operators(), USERNAME, aclOf(project, 'DESCRIBE_CONFIGS', 'frontier-adw'));
    const { exitCode, stdout, stderr } = await project.hippo(['replay', 'frontier', '--yes', '--json']);
    expect(exitCode, stderr).toBe(1);
    const { letters } = JSON.parse(stdout) as ReplayReport;
    expect(letters.map(({ status, excerpt }) => `${status}: ${excerpt.slice(0, 12)}`)).toEqual([
      'sent: rubbish',
      'too-large: xxxxxxxxxxxx',
      'sent: more rubbish',
    ]);
  },
);

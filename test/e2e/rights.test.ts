import { expect } from 'vitest';
import type { DoctorReport } from '../../src/doctor/runner.ts';
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

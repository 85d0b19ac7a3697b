import { describe, expect } from 'vitest';
import { type Acl, allow, deny } from '../support/admin.ts';
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

const ALL = [RUN, 'tail -e', TRIGGER, 'tractor', DOCTOR, 'simulate --from beginning'];

/**
 * An operation that is denied, on a topic of the hippo or on what has its group's name, and the commands that cannot do their
 * work without it. All others can.
 */
const TABLE: [operation: Acl[0], on: string, commands: readonly string[]][] = [
  ['READ', 'frontier-adw', [RUN, 'tail -e', 'tractor', 'simulate --from beginning']],
  ['DESCRIBE', 'frontier-adw', [...ALL]],
  ['WRITE', 'frontier-adw', [TRIGGER]],
  ['DESCRIBE_CONFIGS', 'frontier-adw', []],
  ['READ', 'hippo-schedule', [RUN, 'tail -e', 'tractor', 'simulate --from beginning']],
  ['READ', 'hippo-state', [RUN, 'tractor']],
  ['WRITE', 'hippo-state', [RUN]],
  ['DESCRIBE', 'hippo-state', [RUN, 'tractor', DOCTOR]],
  ['WRITE', 'hippo-start', [RUN]],
  ['READ', 'GROUP', [RUN]],
  ['DESCRIBE', 'GROUP', [RUN, DOCTOR]],
  ['WRITE', 'TRANSACTIONAL_ID', [RUN]],
  ['DESCRIBE', 'TRANSACTIONAL_ID', [RUN]],
];

describe('a denied operation is named by each command that needs it', () => {
  test.concurrent.for(TABLE)('%s on %s', async ([operation, on, commands], { makeProject }) => {
    const project = await makeProject(JOB, 'exit 0', SETTINGS, address());
    // For each topic a message that is not read yet.
    await project.hippo(TRIGGER.split(' '));
    await project.hippo(['job', 'run', 'load', '--key', '201705']);
    await expectDenied(project, aclOf(project, operation, on), commands);
  });
});

test('a client goes on without the topic that it may not read, and reads it on when it may', async ({
  makeProject,
}) => {
  const project = await makeProject(JOB, 'exit 0', SETTINGS, address());
  const acl = aclOf(project, 'READ', 'hippo-schedule');
  await deny(operators(), USERNAME, acl);
  const client = project.startClient();
  await client.event('notice', ({ text }) => text.includes('the operation Read on topic'));
  await project.hippo(['job', 'run', 'load', '--key', '201705']);
  await trigger(project, '201704');
  await client.event('finished', ({ run_key }) => run_key === '201704');
  await allow(operators(), USERNAME, acl);
  await client.event('notice', ({ text }) => text.endsWith('hippo-schedule can be read again'));
  await client.event('finished', ({ run_key }) => run_key === '201705');
  expect(client.events.filter(({ event }) => event === 'disconnected')).toEqual([]);
  expect(client.events.filter(({ event }) => event === 'notice')).toHaveLength(2);
});

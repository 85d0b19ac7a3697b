import { expect } from 'vitest';
import { MONTHLY, test } from '../support/project.ts';

test('run --once beside a running client ends at once with exit code 1, and says what to do', async ({
  makeProject,
}) => {
  const project = await makeProject(MONTHLY);
  const client = project.startClient();
  await client.event('owner');
  const { exitCode, stderr } = await project.hippo(['run', '--once']);
  expect(exitCode).toBe(1);
  expect(stderr).toContain(
    `✗ another client of ${project.name} is running on 127.0.0.1
  It reads the events and starts the runs. --once does that only while no other
  client runs.
  → hippo tail start finish --last 10    (what it does)
    or stop it, then: hippo run --once
`,
  );
  expect(client.events.map(({ event }) => event)).not.toContain('lost');
  client.kill('SIGTERM');
  await client.ended;
  expect((await project.hippo(['run', '--once'])).exitCode).toBe(0);
});

import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { groupIsAlive } from '../../src/client/host/process-group.ts';
import {
  MONTHLY,
  UNTIL_GO,
  type TestClient,
  type TestProject,
  finishes,
  kcat,
  ready,
  test,
  trigger,
  until,
} from '../support/project.ts';

/** The shortest that a broker allows by default. */
const SESSION = 6_000;
/** A standby asks the group so often whether it is its turn: a third of a session, and 3 s at most. */
const HEARTBEAT = 2_000;
const QUICK = `client: { session_timeout: ${SESSION / 1000}s, kill_grace: 500ms }`;

/** The first attempt hears no SIGTERM and never ends by itself; the second one looks for it. */
const DEAF_AT_FIRST = `if [ "$HIPPO_ATTEMPT" = 1 ]; then trap '' TERM; echo $$ > first; while :; do sleep 1; done; fi
kill -0 "$(cat first)" 2>/dev/null && echo overlap || echo alone > second`;

async function startsOf(project: TestProject): Promise<number> {
  return (await kcat(project, 'hippo-start')).length;
}

/** An owner whose job (of process `pid`) is at work, and a standby; and how long this machine takes to start an owner. */
async function atWork(
  project: TestProject,
): Promise<{ owner: TestClient; standby: TestClient; pid: number; toStart: number }> {
  const started = Date.now();
  const owner = project.startClient();
  await owner.event('owner');
  const toStart = Date.now() - started;
  const standby = project.startClient();
  await standby.event('standby');
  await trigger(project, '201704');
  const { pid } = await owner.event('submitted');
  await until(() => project.file('first').catch(() => null), 'the job is at work');
  return { owner, standby, pid, toStart };
}

describe('two clients of one hippo', () => {
  test.concurrent(
    'the owner is killed with its job at work: the standby ends that job, and then does the run, once',
    async ({ makeProject }) => {
      const project = await makeProject(MONTHLY, DEAF_AT_FIRST, QUICK);
      const { owner, standby, pid, toStart } = await atWork(project);
      const killed = Date.now();
      owner.kill('SIGKILL');
      await standby.event('owner');
      // To fence, to read the state and to end what the owner has left is less work than to start.
      expect(Date.now() - killed).toBeLessThan(SESSION + HEARTBEAT + 10 * toStart);
      const { attempt } = await standby.event('submitted');
      expect({ attempt, oldJob: groupIsAlive(pid) }).toEqual({ attempt: 2, oldJob: false });
      await standby.event('finished');
      expect(await project.file('second')).toBe('alone\n');
      expect(await finishes(project)).toMatchObject([{ isSuccess: true, runKey: '201704' }]);
      expect(await startsOf(project)).toBe(1);
    },
  );

  test.concurrent(
    'an owner that froze, on another machine, and wakes up: it writes nothing more, its job ends, it stands by',
    async ({ makeProject }) => {
      const project = await makeProject(
        MONTHLY,
        // Nothing tells the other client where this job runs: as if it were on another machine.
        `if [ "$HIPPO_ATTEMPT" = 1 ]; then exec env -i "$(command -v sleep)" 300; fi
${UNTIL_GO}`,
        QUICK.replace('}', ', http: { port: 0 } }'),
      );
      const elsewhere = join(project.directory, 'elsewhere');
      await mkdir(elsewhere);
      for (const file of ['hippo.yaml', 'job.sh'])
        await copyFile(join(project.directory, file), join(elsewhere, file));

      const frozen = project.startClient();
      await frozen.event('owner');
      const successor = project.startClient({ HIPPO_CONFIG: join(elsewhere, 'hippo.yaml') });
      await successor.event('standby');
      await trigger(project, '201704');
      const { pid } = await frozen.event('submitted');
      frozen.kill('SIGSTOP');
      await successor.event('submitted');
      expect(groupIsAlive(pid)).toBe(true);

      const before = frozen.events.length;
      frozen.kill('SIGCONT');
      await frozen.event('lost');
      await until(() => !groupIsAlive(pid), 'its job has ended');
      await until(async () => {
        const { role, connected } = await ready(frozen);
        return role === 'standby' && connected;
      }, 'it stands by');

      await writeFile(join(elsewhere, 'go'), '');
      await successor.event('finished');
      expect(frozen.events.slice(before)).toMatchObject([
        { event: 'lost' },
        { event: 'notice', text: 'ending 1 job, for the next owner to run again' },
      ]);
      expect(await finishes(project)).toMatchObject([{ isSuccess: true, runKey: '201704' }]);
      expect(await startsOf(project)).toBe(1);

      successor.kill('SIGTERM');
      await until(() => frozen.events.filter(({ event }) => event === 'owner').length === 2, 'it owns again');
    },
  );

  test.concurrent(
    'SIGTERM of the owner: the standby owns at once, and does the run that was at work',
    async ({ makeProject }) => {
      // The standby does not wait for the session to end: it is longer than this test may take.
      const section = 'client: { session_timeout: 20m, kill_grace: 500ms }';
      const project = await makeProject(MONTHLY, DEAF_AT_FIRST, section);
      const { owner, standby, pid } = await atWork(project);
      owner.kill('SIGTERM');
      await standby.event('owner');
      expect(groupIsAlive(pid)).toBe(false);
      expect((await owner.ended).exitCode).toBe(0);
      await standby.event('finished');
      expect(await project.file('second')).toBe('alone\n');
      expect(await finishes(project)).toMatchObject([{ isSuccess: true, runKey: '201704' }]);
      expect(await startsOf(project)).toBe(1);
    },
  );
});

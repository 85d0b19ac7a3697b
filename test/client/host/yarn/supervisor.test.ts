/**
 * Attempts in YARN's cluster mode: the start-spark.sh of a real project, a spark-submit that behaves as the real one does, and
 * a resource manager that speaks the real one's REST API.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { JobOutcome, Submission } from '../../../../src/client/machine/types.ts';
import { YarnCluster } from '../../../../src/client/host/yarn/cluster.ts';
import { ResourceManagers } from '../../../../src/client/host/yarn/resource-managers.ts';
import { newProject } from '../../../../src/scaffold/new-project.ts';
import { MONTHLY } from '../../../scaffold/project.ts';
import { FAKE_YARN_USER, type FakeApplication, FakeYarn } from '../../../support/fake-yarn.ts';
import {
  type Supervised,
  type SupervisedOptions,
  sh,
  submissionOf,
  supervised,
  until,
} from '../supervised.ts';

// Many processes: on a busy machine they take their time.
vi.setConfig({ testTimeout: 30_000 });

const SPARK_SUBMIT = fileURLToPath(new URL('../../../support/fake-spark-submit.ts', import.meta.url));
/** The spark-submit runs on the Node of these tests. */
const PATH = `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`;
/** Of this run only: what is an orphan is looked for on the whole machine. */
const OWNER = `${randomUUID()}/flights`;

interface OnYarn extends Supervised {
  yarn: FakeYarn;
}

interface OnYarnOptions extends SupervisedOptions {
  yarn: FakeYarn;
  detach?: boolean;
  giveUp?: number;
}

/** A client whose hippo.yaml names the resource manager. */
async function client({ yarn, detach, giveUp, ...options }: OnYarnOptions): Promise<OnYarn> {
  const owner = options.owner ?? OWNER;
  const host = await supervised({
    killGrace: 10_000,
    ...options,
    owner,
    sparkSubmit: SPARK_SUBMIT,
    yarn: { resource_managers: [yarn.url] },
    cluster: new YarnCluster({
      managers: new ResourceManagers({ addresses: [yarn.url], user: FAKE_YARN_USER, timeout: 10_000 }),
      owner,
      detach: detach ?? false,
      giveUp: giveUp ?? 60_000,
      grace: options.killGrace ?? 10_000,
      pace: { first: 10, most: 20 },
    }),
  });
  return Object.assign(host, { yarn });
}

/** As `every: event` fires: the project's start-spark.sh, with Spark's own options where a test wants some. */
function submission(yarn: FakeYarn, given: Partial<Submission> = {}): Submission {
  return submissionOf({
    argv: ['./start-spark.sh', '--table', 'nyc.flights', '--partition', 'yyyymm=201704'],
    ...given,
    env: { FAKE_YARN: yarn.url, PATH, ...given.env },
  });
}

/** The application that appears next. */
async function nextApplication(yarn: FakeYarn, known = 0): Promise<FakeApplication> {
  await until(() => yarn.applications.length > known);
  const application = yarn.applications[known];
  if (application === undefined) throw new Error('there is none');
  return application;
}

function errorOf(outcome: JobOutcome): string {
  return outcome.status === 'failed' ? (outcome.error.split('\n')[0] ?? '') : outcome.status;
}

/** One for all tests: attempts leave nothing in it but their logs. */
let project = '';
beforeAll(async () => {
  project = join(await mkdtemp(join(tmpdir(), 'hippo-yarn-')), 'flights');
  await newProject({
    ...{ type: 'batch-etl', name: 'flights', directory: project, given: MONTHLY },
    ...{ from: 'defaults', force: false, dryRun: false },
  });
});
afterAll(() => rm(dirname(project), { recursive: true, force: true }));

describe('the end of an attempt', () => {
  it("is its application's: SUCCEEDED", async () => {
    await using yarn = await FakeYarn.start();
    await using host = await client({ yarn, directory: project });
    const run = host.run(submission(yarn));
    const { id, tags } = await nextApplication(yarn);
    expect(tags).toEqual([
      expect.stringMatching(/^hippo-owner-/),
      expect.stringMatching(/^hippo-run-/),
      expect.stringMatching(/^hippo-firing-/),
      expect.stringMatching(/^hippo-attempt-/),
    ]);
    yarn.end(id, 'SUCCEEDED');
    expect((await run).outcome).toEqual({ status: 'succeeded' });
    expect(host.notes).toEqual([]);
  });

  it("is its application's: FAILED, with the words of the resource manager", async () => {
    await using yarn = await FakeYarn.start();
    await using host = await client({ yarn, directory: project });
    const run = host.run(submission(yarn));
    const { id } = await nextApplication(yarn);
    yarn.end(id, 'FAILED', 'User application exited with status 1\n  at …');
    const { outcome } = await run;
    expect(outcome).toMatchObject({ status: 'failed', exitCode: 1 });
    expect(errorOf(outcome)).toBe(
      `${id}: FINISHED with final status FAILED: User application exited with status 1 at … ` +
        `(its log: yarn logs -applicationId ${id})`,
    );
  });

  it('waits for an application that outlives its spark-submit', async () => {
    await using yarn = await FakeYarn.start();
    await using host = await client({ yarn, directory: project });
    const given = host.start(submission(yarn));
    const { id } = await nextApplication(yarn);
    await host.logged(given, 'state: RUNNING');
    const [submit] = await host.survivors(given);
    process.kill(submit?.pid ?? 0, 'SIGKILL');
    await until(async () => (await host.survivors(given)).length === 0);
    const asked = yarn.requests.length;
    await until(() => yarn.requests.length > asked + 2);
    expect(host.exits).toEqual([]);
    yarn.end(id, 'SUCCEEDED');
    expect((await host.exitOf(given)).outcome).toEqual({ status: 'succeeded' });
  });

  it.each([
    ['SUCCEEDED', 'FINISHED', 'succeeded'],
    ['KILLED', 'KILLED', 'failed'],
  ] as const)(
    'is not the exit code of a spark-submit that has lost sight of it: %s',
    async (finalStatus, state, status) => {
      await using yarn = await FakeYarn.start();
      await using host = await client({ yarn, directory: project });
      const given = host.start(submission(yarn));
      const { id } = await nextApplication(yarn);
      await host.logged(given, 'state: RUNNING');
      yarn.condition = 'down';
      await host.logged(given, 'finished with failed status');
      await until(async () => (await host.survivors(given)).length === 0);
      await until(() => host.notes.length > 0);
      expect(host.notes[0]).toMatch(
        /^warning: no resource manager answers, asking on: http:.*: other side closed/,
      );
      expect(host.exits).toEqual([]);
      yarn.condition = 'up';
      yarn.end(id, finalStatus, '', state);
      expect((await host.exitOf(given)).outcome.status).toBe(status);
      expect(host.notes[1]).toBe('info: a resource manager answers again');
    },
  );

  it('comes after that of a spark-submit that does not wait (waitAppCompletion=false)', async () => {
    await using yarn = await FakeYarn.start();
    await using host = await client({ yarn });
    await host.script(
      'start-spark.sh',
      sh(
        'exec "$SPARK_SUBMIT" --conf spark.yarn.submit.waitAppCompletion=false --conf "spark.yarn.tags=$HIPPO_SPARK_TAGS"',
      ),
    );
    const given = host.start(submission(yarn));
    const { id } = await nextApplication(yarn);
    await until(() => yarn.requests.length > 3);
    expect(host.exits).toEqual([]);
    yarn.end(id, 'FAILED', 'boom');
    expect(errorOf((await host.exitOf(given)).outcome)).toMatch(/FAILED: boom/);
  });

  it('is found by the id in the log where the script passes no tags on', async () => {
    await using yarn = await FakeYarn.start();
    await using host = await client({ yarn });
    await host.script(
      'start-spark.sh',
      sh('exec "$SPARK_SUBMIT" --conf spark.yarn.submit.waitAppCompletion=false'),
    );
    const run = host.run(submission(yarn));
    const { id } = await nextApplication(yarn);
    yarn.end(id, 'KILLED', 'killed by ann', 'KILLED');
    expect(errorOf((await run).outcome)).toMatch(`${id}: KILLED: killed by ann`);
  });

  it("is a failure when the script fails of its own accord after its application's success", async () => {
    await using yarn = await FakeYarn.start();
    await using host = await client({ yarn });
    await host.script(
      'start-spark.sh',
      sh('set -e', '"$SPARK_SUBMIT" --conf "spark.yarn.tags=$HIPPO_SPARK_TAGS"', 'echo publishing; false'),
    );
    const run = host.run(submission(yarn));
    const { id } = await nextApplication(yarn);
    yarn.end(id, 'SUCCEEDED');
    expect(errorOf((await run).outcome)).toBe(`${id} succeeded, but ./start-spark.sh ended with exit code 1`);
  });

  it('is a failure where there is no application, whatever the exit code', async () => {
    await using yarn = await FakeYarn.start();
    await using host = await client({ yarn });
    await host.script('start-spark.sh', sh('exit "$1"'));
    const run = async (code: string) =>
      errorOf((await host.run(submission(yarn, { argv: ['./start-spark.sh', code] }))).outcome);
    expect(await run('3')).toBe('./start-spark.sh ended with exit code 3');
    expect(await run('0')).toMatch(
      /^\.\/start-spark\.sh ended with exit code 0, but no application carries its tags/,
    );
  });

  it('is a failure where the resource manager no longer knows the application', async () => {
    await using yarn = await FakeYarn.start();
    await using host = await client({ yarn });
    await host.script(
      'start-spark.sh',
      sh('exec "$SPARK_SUBMIT" --conf spark.yarn.submit.waitAppCompletion=false'),
    );
    const given = host.start(submission(yarn));
    const { id } = await nextApplication(yarn);
    yarn.applications.length = 0;
    expect(errorOf((await host.exitOf(given)).outcome)).toMatch(`${id}: not known to the resource manager`);
  });

  it('stays unknown while no resource manager answers: a failure after give_up, never a success', async () => {
    await using yarn = await FakeYarn.start();
    await using host = await client({ yarn, directory: project, giveUp: 100 });
    const given = host.start(submission(yarn));
    const { id } = await nextApplication(yarn);
    await host.logged(given, 'state: RUNNING');
    yarn.end(id, 'SUCCEEDED');
    await host.logged(given, 'state: FINISHED');
    yarn.condition = 'down';
    const error = errorOf((await host.exitOf(given)).outcome);
    expect(error).toMatch(
      /^whether its application has succeeded, or still runs, is unknown: no resource manager has answered for 100 ms: http:/,
    );
  });

  it('is its exit code where its own environment says that it does not run on YARN', async () => {
    await using yarn = await FakeYarn.start();
    await using host = await client({ yarn });
    await host.script('start-spark.sh', sh('echo "$SPARK_MASTER $SPARK_DEPLOY_MODE"'));
    const given = host.start(submission(yarn, { env: { SPARK_MASTER: 'local[2]' } }));
    expect((await host.exitOf(given)).outcome).toEqual({ status: 'succeeded' });
    expect(await host.logOf(given)).toBe('local[2] \n');
    expect(yarn.requests).toEqual([]);
  });
});

describe('a cancellation', () => {
  it('kills the application, and is reported when that is confirmed', async () => {
    await using yarn = await FakeYarn.start();
    await using host = await client({ yarn, directory: project });
    const given = host.start(submission(yarn));
    const { id } = await nextApplication(yarn);
    host.supervisor.cancel(given.attemptId, 'timed out after 2 h');
    const { outcome } = await host.exitOf(given);
    expect(outcome).toMatchObject({
      status: 'cancelled',
      reason: expect.stringMatching(/^timed out after 2 h/) as string,
    });
    expect(yarn.applications).toMatchObject([{ id, state: 'KILLED' }]);
    expect(yarn.requests).toContain(`PUT /ws/v1/cluster/apps/${id}/state?user.name=${FAKE_YARN_USER}`);
    expect(await host.survivors(given)).toEqual([]);
  });

  it('reaches an application whose spark-submit has ended', async () => {
    await using yarn = await FakeYarn.start();
    await using host = await client({ yarn });
    await host.script(
      'start-spark.sh',
      sh('exec "$SPARK_SUBMIT" --conf spark.yarn.submit.waitAppCompletion=false'),
    );
    const given = host.start(submission(yarn));
    await nextApplication(yarn);
    await until(() => yarn.requests.length > 3);
    host.supervisor.cancel(given.attemptId, 'enough');
    expect((await host.exitOf(given)).outcome.status).toBe('cancelled');
    expect(yarn.applications).toMatchObject([{ state: 'KILLED' }]);
  });

  it('says so when no resource manager confirms it', async () => {
    await using yarn = await FakeYarn.start();
    await using host = await client({ yarn, directory: project, giveUp: 100 });
    const given = host.start(submission(yarn));
    await nextApplication(yarn);
    yarn.condition = 'down';
    host.supervisor.cancel(given.attemptId, 'enough');
    const { outcome } = await host.exitOf(given);
    expect(outcome.status === 'cancelled' && outcome.reason.split('\n')[0]).toMatch(
      /^enough; whether its applications have ended is unknown: no resource manager has answered for 100 ms: /,
    );
  });
});

describe('a stop of the client', () => {
  it('with on_stop: kill ends the application', async () => {
    await using yarn = await FakeYarn.start();
    await using host = await client({ yarn, directory: project });
    host.start(submission(yarn));
    await nextApplication(yarn);
    await host.supervisor.stop();
    expect(yarn.applications).toMatchObject([{ state: 'KILLED' }]);
    expect(host.exits).toEqual([]);
  });

  it('is not held up by a resource manager that does not answer', async () => {
    await using yarn = await FakeYarn.start();
    await using host = await client({ yarn, directory: project, killGrace: 200 });
    const given = host.start(submission(yarn));
    await nextApplication(yarn);
    yarn.condition = 'hangs';
    await host.supervisor.stop();
    expect(await host.logOf(given)).toContain(
      'whether its applications have ended is unknown: not confirmed within 200 ms',
    );
  });

  it('with on_stop: detach leaves it at work, and nothing on this machine', async () => {
    await using yarn = await FakeYarn.start();
    await using host = await client({ yarn, directory: project, detach: true });
    const given = host.start(submission(yarn));
    await nextApplication(yarn);
    await host.supervisor.stop();
    expect(yarn.applications).toMatchObject([{ state: 'RUNNING' }]);
    expect(await host.survivors(given)).toEqual([]);
  });
});

describe('the next owner', () => {
  /** A client that dies without a word while its application is at work. */
  async function crashed(yarn: FakeYarn): Promise<FakeApplication> {
    await using host = await client({ yarn, directory: project, detach: true });
    host.start(submission(yarn));
    return await nextApplication(yarn, yarn.applications.length);
  }
  const again = (yarn: FakeYarn, given: Partial<Submission> = {}) =>
    submission(yarn, { attempt: 2, ...given });

  it("ends what it finds by its hippo's tag, but nothing of its own and nothing of others", async () => {
    await using yarn = await FakeYarn.start();
    const lost = await crashed(yarn);
    const other = yarn.submit(['hippo-owner-0123456789abcdef', 'hippo-attempt-1']);
    const foreign = yarn.submit([]);
    await using host = await client({ yarn, directory: project });
    host.start(submission(yarn, { key: '201705', jobId: 'load_1493394947' }));
    const own = await nextApplication(yarn, 3);
    expect(await host.supervisor.endOrphans()).toBe(1);
    expect([lost, other, foreign, own].map(({ state }) => state)).toEqual([
      'KILLED',
      'RUNNING',
      'RUNNING',
      'RUNNING',
    ]);
  });

  it('does not wait longer than the grace for a resource manager', async () => {
    await using yarn = await FakeYarn.start();
    await using host = await client({ yarn, killGrace: 100 });
    yarn.condition = 'down';
    expect(await host.supervisor.endOrphans()).toBe(0);
    expect(host.notes).toEqual([
      expect.stringMatching(/^warning: YARN: what earlier owners have left could not be ended: /),
    ]);
  });

  it('runs an attempt again only when the earlier one is dead', async () => {
    await using yarn = await FakeYarn.start();
    const lost = await crashed(yarn);
    yarn.mortal = false;
    await using host = await client({ yarn, directory: project });
    const given = host.start(again(yarn));
    await until(() => host.notes.length > 0);
    const asked = yarn.requests.length;
    await until(() => yarn.requests.length > asked + 4);
    expect(host.notes).toEqual([`warning: ending ${lost.id} of an earlier attempt`]);
    expect(yarn.ids).toEqual([lost.id]);
    yarn.mortal = true;
    const second = await nextApplication(yarn, 1);
    expect(lost.state).toBe('KILLED');
    yarn.end(second.id, 'SUCCEEDED');
    expect((await host.exitOf(given)).outcome).toEqual({ status: 'succeeded' });
  });

  it('starts nothing while it cannot learn that', async () => {
    await using yarn = await FakeYarn.start();
    await crashed(yarn);
    yarn.condition = 'no-active';
    await using host = await client({ yarn, directory: project, giveUp: 100 });
    const { outcome } = await host.run(again(yarn));
    expect(errorOf(outcome)).toMatch(
      /^not started: what earlier attempts left on YARN is unknown: no resource manager has answered for 100 ms: .*Can not find any active RM/,
    );
    expect(yarn.ids).toHaveLength(1);
  });

  it('with on_stop: detach takes up an application that is at work', async () => {
    await using yarn = await FakeYarn.start();
    const lost = await crashed(yarn);
    await using host = await client({ yarn, directory: project, detach: true });
    expect(await host.supervisor.endOrphans()).toBe(0);
    const given = host.start(again(yarn));
    await until(() => host.notes.length > 0);
    expect(host.notes).toEqual([`info: taking up ${lost.id} of an earlier attempt`]);
    yarn.end(lost.id, 'SUCCEEDED');
    expect((await host.exitOf(given)).outcome).toEqual({ status: 'succeeded' });
    expect(yarn.ids).toEqual([lost.id]);
  });

  it('… and can end it', async () => {
    await using yarn = await FakeYarn.start();
    const lost = await crashed(yarn);
    await using host = await client({ yarn, directory: project, detach: true });
    const given = host.start(again(yarn));
    await until(() => host.notes.length > 0);
    host.supervisor.cancel(given.attemptId, 'enough');
    expect((await host.exitOf(given)).outcome.status).toBe('cancelled');
    expect(lost.state).toBe('KILLED');
  });

  it('… and one that has succeeded meanwhile', async () => {
    await using yarn = await FakeYarn.start();
    const lost = await crashed(yarn);
    yarn.end(lost.id, 'SUCCEEDED');
    await using host = await client({ yarn, directory: project, detach: true });
    expect((await host.run(again(yarn))).outcome).toEqual({ status: 'succeeded' });
    expect(yarn.ids).toEqual([lost.id]);
  });

  it('… but runs again what has failed', async () => {
    await using yarn = await FakeYarn.start();
    const lost = await crashed(yarn);
    yarn.end(lost.id, 'FAILED');
    await using host = await client({ yarn, directory: project, detach: true });
    const run = host.run(again(yarn));
    const second = await nextApplication(yarn, 1);
    yarn.end(second.id, 'SUCCEEDED');
    expect((await run).outcome).toEqual({ status: 'succeeded' });
  });

  it('… and takes up nothing of an earlier firing: a newer one has replaced it', async () => {
    await using yarn = await FakeYarn.start();
    const lost = await crashed(yarn);
    await using host = await client({ yarn, directory: project, detach: true });
    const run = host.run(again(yarn, { jobId: 'load_1493394999', attempt: 1 }));
    const second = await nextApplication(yarn, 1);
    expect(lost.state).toBe('KILLED');
    yarn.end(second.id, 'SUCCEEDED');
    expect((await run).outcome).toEqual({ status: 'succeeded' });
  });

  it('… nor of an attempt whose end has been reported', async () => {
    await using yarn = await FakeYarn.start();
    await using host = await client({ yarn, detach: true });
    await host.script(
      'start-spark.sh',
      sh('"$SPARK_SUBMIT" --conf "spark.yarn.tags=$HIPPO_SPARK_TAGS" && exit "$1"'),
    );
    const first = host.run(submission(yarn, { argv: ['./start-spark.sh', '1'] }));
    yarn.end((await nextApplication(yarn)).id, 'SUCCEEDED');
    expect((await first).outcome.status).toBe('failed');
    const second = host.run(again(yarn, { argv: ['./start-spark.sh', '0'] }));
    yarn.end((await nextApplication(yarn, 1)).id, 'SUCCEEDED');
    expect((await second).outcome).toEqual({ status: 'succeeded' });
  });
});

/** Projects of the type ml-service on a real Kafka and Spark: data land, a model is built, the API answers with it. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, vi } from 'vitest';
import { type TestProject, kcat, test, until } from '../support/project.ts';
import {
  type MlProject,
  type Scored,
  draftsOf,
  fileOf,
  freePort,
  heldOut,
  processesOf,
  scaffoldMl,
  versionsOf,
} from '../support/ml-service.ts';

const PATIENCE = 900_000;
vi.setConfig({ testTimeout: PATIENCE });

const NO_JOB = 'none: { needs: [{ table: no.table }], run: ./job.sh }';
const CLIENT = 'client: { session_timeout: 6s, kill_grace: 1s, http: { port: 0 } }';

interface Fixture {
  project: TestProject;
  ml: MlProject;
  hippo: (...args: string[]) => ReturnType<TestProject['hippo']>;
  start: () => ReturnType<TestProject['startClient']>;
}

async function fixture(
  makeProject: (jobs: string) => Promise<TestProject>,
  example: string,
): Promise<Fixture> {
  const project = await makeProject(NO_JOB);
  const sections = `topics: { prefix: "${project.prefix}" }\n${CLIENT}\n`;
  const ml = await scaffoldMl(join(project.directory, 'ml'), { example, port: await freePort(), sections });
  const hippo = (...args: string[]) => project.hippo(args, { cwd: ml.folder, timeout: PATIENCE });
  expect(await hippo('up', '--no-spark')).toMatchObject({ exitCode: 0 });
  return { project, ml, hippo, start: () => project.startClient(ml.env, ml.folder) };
}

interface Announced {
  version: string;
  promoted: boolean;
  metrics: Record<string, number>;
  serving: { version: string } | null;
  parent: string | null;
}

/** The NEW_MODEL messages so far. */
async function announced(project: TestProject): Promise<Announced[]> {
  const messages = (await kcat(project, 'hippo-model')).map(
    (line) => JSON.parse(line) as Announced & { message: string },
  );
  return messages.filter(({ message }) => message === 'NEW_MODEL');
}

interface Answer {
  status: number;
  version: string | null;
  body: Record<string, unknown>;
}

async function ask({ api }: MlProject, path: string, post?: unknown): Promise<Answer> {
  const options =
    post === undefined
      ? {}
      : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(post) };
  const answer = await fetch(`${api}${path}`, options);
  const body = (await answer.json()) as Record<string, unknown>;
  return { status: answer.status, version: answer.headers.get('hippo-model-version'), body };
}

/** Which version the API serves; null: none, or it does not listen. */
async function served({ api }: MlProject): Promise<string | null> {
  const answer = await fetch(`${api}/readyz`).catch(() => null);
  return /=([^,]+)$/.exec(answer?.headers.get('hippo-models') ?? '')?.[1] ?? null;
}

const serves = (ml: MlProject, version: string) =>
  until(async () => (await served(ml)) === version, `the API serves ${version}`, 60_000);

/** Asks all the time. Each answer must come, and be of one version from its header to its body. */
function keepAsking(ml: MlProject, path: string): () => Promise<Set<string>> {
  const versions = new Set<string>();
  const over = new AbortController();
  const asking = (async () => {
    while (!over.signal.aborted) {
      const { status, version, body } = await ask(ml, path);
      if (status !== 200 || version !== body['model_version'])
        throw new Error(JSON.stringify({ status, version, body }));
      versions.add(String(version));
      await sleep(10);
    }
  })();
  return async () => {
    over.abort();
    await asking;
    return versions;
  };
}

describe('an ml-service project', () => {
  test('iris: builds, serves, keeps the better version, goes back, and survives kill -9 of a build', async ({
    makeProject,
  }) => {
    const { project, ml, hippo, start } = await fixture(makeProject, 'iris');
    const client = start();
    await client.event('owner');
    expect(await hippo('trigger', '--wait')).toMatchObject({ exitCode: 0 });
    const [first] = await announced(project);
    expect(first).toMatchObject({ promoted: true, parent: null, serving: { version: first?.version } });
    const one = first?.version ?? '';
    await serves(ml, one);
    const manifest = JSON.parse(await fileOf(ml, one, 'manifest.json')) as {
      metrics: object;
      training: object;
    };
    expect(manifest).toMatchObject({
      metrics: first?.metrics,
      training: { table: 'flowers.iris', rows: 116 },
    });

    // What the API says is what Spark says, of every class.
    const { rows } = await heldOut(ml, one);
    expect(new Set(rows.map((row) => row.class)).size).toBe(3);
    for (const { features, class: label, probabilities } of rows) {
      const path = `/features/${features.join(',')}`;
      expect(await ask(ml, `${path}/class`)).toMatchObject({
        status: 200,
        version: one,
        body: { class: label },
      });
      const { body } = await ask(ml, `${path}/probs`);
      expectNear(Object.values(body['probabilities'] as Record<string, number>), probabilities, 1e-6);
    }
    const classes = await ask(ml, '/class', { rows: rows.map(({ features }) => features) });
    expect(classes.body).toMatchObject({ predictions: rows.map((row) => row.class), model_version: one });
    // The project's own route.
    const flower = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
    expect((await ask(ml, '/app/verdict', flower)).body).toMatchObject({
      class: 'setosa',
      sure: true,
      model_version: one,
    });

    const stop = keepAsking(ml, '/features/5.1,3.5,1.4,0.2/class');
    // A model that knows nothing: with so much lasso all coefficients are 0.
    const worse = await hippo(
      'model',
      'build',
      'iris',
      '--param',
      'reg_param=10',
      '--param',
      'elastic_net_param=1',
      '--wait',
    );
    const [, second] = await announced(project);
    expect(second, worse.stdout + worse.stderr).toMatchObject({
      promoted: false,
      parent: one,
      serving: { version: one },
    });
    expect(await served(ml)).toBe(one);

    expect(await hippo('model', 'build', 'iris', '--param', 'reg_param=0.001', '--wait')).toMatchObject({
      exitCode: 0,
    });
    const [, , third] = await announced(project);
    const three = third?.version ?? '';
    expect(third).toMatchObject({ promoted: true, parent: one, serving: { version: three } });
    await serves(ml, three);

    expect(await hippo('model', 'rollback', 'iris')).toMatchObject({ exitCode: 0 });
    await serves(ml, one);

    // A build is killed in the middle of its work.
    const before = await versionsOf(ml);
    expect(await hippo('model', 'build', 'iris')).toMatchObject({ exitCode: 0 });
    await until(() => draftsOf(ml).length > 0, 'the build has begun to write', PATIENCE);
    for (const { pid } of processesOf(ml, 'build')) kill(pid);
    await client.event('finished', ({ is_success: isSuccess }) => !isSuccess, PATIENCE);
    expect(await versionsOf(ml)).toEqual(before);
    expect(await served(ml)).toBe(one);
    expect(await announced(project)).toHaveLength(4);
    expect(await stop()).toEqual(new Set([one, three]));

    // A restart does not undo the rollback.
    client.kill('SIGTERM');
    await client.ended;
    start();
    await serves(ml, one);
  });

  test("recommender: recommends what Spark's ALS recommends", async ({ makeProject }) => {
    const { project, ml, hippo, start } = await fixture(makeProject, 'recommender');
    await start().event('owner');
    expect(await hippo('model', 'build', 'movies', '--wait')).toMatchObject({ exitCode: 0 });
    const [first] = await announced(project);
    const version = first?.version ?? '';
    await serves(ml, version);
    const { users } = await heldOut(ml, version);
    expect(users).toHaveLength(30);
    for (const { user, top, top_with_known: withKnown } of users) {
      await expectTop(ml, `/users/${user}/top/10`, top);
      await expectTop(ml, `/users/${user}/top/10?known=true`, withKnown);
    }
    const unknown = await ask(ml, '/users/nobody/top/3');
    expect(unknown).toMatchObject({ status: 200, version, body: { known: false } });
    expect((unknown.body['items'] as Scored[]).map(({ score }) => score)).toEqual([null, null, null]);
    expect((await ask(ml, '/app/users/1/next')).body).toMatchObject({ model_version: version });
  });
});

async function expectTop(ml: MlProject, path: string, wanted: readonly Scored[]): Promise<void> {
  const { body } = await ask(ml, path);
  const items = body['items'] as Scored[];
  expect(
    items.map(({ item }) => item),
    path,
  ).toEqual(wanted.map(({ item }) => item));
  expectNear(
    items.map(({ score }) => score),
    wanted.map(({ score }) => score),
    1e-4,
  );
}

function expectNear(found: readonly number[], wanted: readonly number[], most: number): void {
  expect(found).toHaveLength(wanted.length);
  for (const [index, value] of wanted.entries())
    expect(Math.abs((found[index] ?? NaN) - value)).toBeLessThan(most);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended with the other one.
  }
}

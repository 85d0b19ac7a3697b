import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
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
import { World } from '../torture/world.ts';

interface Serving {
  project: TestProject;
  client: TestClient;
  /** Of its job. */
  pid: number;
}

/** A broker of the test's own, that can be ended and started again. */
const withWorld = test.extend<{ world: World }>({
  // eslint-disable-next-line no-empty-pattern -- vitest reads the names of the fixtures that are used
  world: async ({}, use) => {
    const world = await World.create();
    await use(world);
    await world.close();
  },
});

const go = ({ project }: Serving) => writeFile(join(project.directory, 'go'), '');
const said = ({ client }: Serving, ...names: string[]): string[] =>
  client.events.map(({ event }) => event).filter((event) => names.includes(event));

withWorld(
  'Kafka is away while jobs run: they go on, and each is finished once',
  async ({ world, makeProject }) => {
    const serve = async (section: string, script = UNTIL_GO): Promise<Serving> => {
      const project = await makeProject(MONTHLY, script, `client: ${section}`, world.address);
      const client = project.startClient();
      await client.event('owner');
      await trigger(project, '201704');
      const { pid } = await client.event('submitted');
      return { project, client, pid };
    };
    const [brief, patient, quick, strict] = await Promise.all([
      // For this one the outage is shorter than its session.
      serve('{ session_timeout: 20m, http: { port: 0 } }'),
      serve('{ session_timeout: 6s, kafka_grace: 20m }'),
      serve('{ session_timeout: 6s, kafka_grace: 20m }'),
      serve('{ session_timeout: 6s, kill_grace: 300ms }', '[ "$HIPPO_ATTEMPT" = 1 ] && sleep 300; exit 0'),
    ]);
    const readiness = async (): Promise<number> => (await ready(brief.client)).status;
    expect(await readiness()).toBe(200);

    const back = Promise.withResolvers<undefined>();
    const restarted = world.restartBroker('SIGKILL', back.promise);
    await brief.client.event('disconnected');
    expect(await readiness()).toBe(503);
    // Its job ends where nothing can be told of it.
    await go(quick);
    await until(() => !groupIsAlive(quick.pid), 'the job has ended');
    await strict.client.event(
      'notice',
      ({ text }) => text === 'ending 1 job, for the next owner to run again',
    );
    await until(() => !groupIsAlive(strict.pid), 'after two sessions a job is ended');
    back.resolve(undefined);
    await restarted;
    for (const each of [brief, patient]) expect(groupIsAlive(each.pid)).toBe(true);

    await brief.client.event('connected');
    await until(async () => (await readiness()) === 200, 'it is ready again');
    const owners = () => said(patient, 'owner').length;
    await until(() => owners() === 2, 'it owns again');
    for (const each of [brief, patient]) await go(each);
    for (const each of [brief, patient, quick, strict]) {
      await each.client.event('finished');
      expect(await finishes(each.project)).toMatchObject([{ isSuccess: true, runKey: '201704' }]);
      expect(await kcat(each.project, 'hippo-start')).toHaveLength(1);
    }
    const attempts = [brief, patient, quick, strict].map((each) => said(each, 'submitted').length);
    expect(attempts).toEqual([1, 1, 1, 2]);
    expect(said(brief, 'disconnected', 'connected', 'lost')).toEqual(['disconnected', 'connected']);
    expect(said(patient, 'disconnected', 'connected', 'lost').sort()).toEqual([
      'connected',
      'disconnected',
      'lost',
    ]);
  },
);

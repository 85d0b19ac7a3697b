/** Hippos that need each other's tables: each publishes what its jobs produce, and `--wait` follows the chain to its end. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { parseFrontier, partitionPath, producedBy } from '../../src/messages/index.ts';
import { finishes, kcat, test, type TestProject, trigger } from '../support/project.ts';

const MONTH = '{ yyyymm: "{{ window | date: \'%Y%m\' }}" }';

interface Neighbour {
  /** What its name ends with. */
  name: string;
  needs: readonly string[];
  produces: readonly string[];
  script?: string;
}

/** A job that needs these tables of its month and produces those. */
function jobYaml({ needs, produces }: Pick<Neighbour, 'needs' | 'produces'>): string {
  const listed = (tables: readonly string[]): string =>
    tables.map((table) => `{ table: ${table}, partition: ${MONTH} }`).join(', ');
  return `load:
  every: month
  needs: [${listed(needs)}]
  produces: [${listed(produces)}]
  run: ./job.sh`;
}

/** Starts the client of one more hippo with the same topics. */
async function startNeighbour(
  project: TestProject,
  { name, script = 'exit 0', ...tables }: Neighbour,
): Promise<ReturnType<TestProject['startClient']>> {
  const folder = join(project.directory, name);
  await mkdir(folder);
  const head = `name: ${project.name}-${name}\ntopics: { prefix: "${project.prefix}" }\nclient: { session_timeout: 6s }\n`;
  await writeFile(join(folder, 'hippo.yaml'), `${head}jobs:\n${jobYaml(tables).replaceAll(/^/gm, '  ')}\n`);
  await writeFile(join(folder, 'job.sh'), `#!/usr/bin/env bash\n${script}\n`, { mode: 0o755 });
  return project.startClient({}, folder);
}

interface Waited {
  outcome: string;
  runs: { hippo: string; job: string; outcome: string }[];
}

/** A month of btd.party lands; what has come of it in the end. */
async function waitFor(
  project: TestProject,
  month: string,
): Promise<{ exitCode: number | undefined; wait: Waited }> {
  const { exitCode, stdout } = await trigger(project, month, '--wait', '--json');
  return { exitCode, wait: (JSON.parse(stdout) as { wait: Waited }).wait };
}

const outcomes = (project: TestProject, { runs }: Waited): string[] =>
  runs.map(
    ({ hippo, outcome }) => `${hippo.replace(project.name, '').replace(/^-/, '') || 'first'} ${outcome}`,
  );

/** `dm.a yyyymm=201704 by first` of each event that a job has produced. */
async function produced(project: TestProject): Promise<string[]> {
  return (await kcat(project, 'frontier-adw')).flatMap((line) => {
    const parsed = parseFrontier(line);
    const by = parsed.ok ? producedBy(parsed.message) : undefined;
    if (!parsed.ok || by === undefined) return [];
    const { db, table, partitions } = parsed.message;
    const who = by.hippoName.replace(project.name, '').replace(/^-/, '') || 'first';
    return [`${db}.${table} ${partitions.map(partitionPath).join('')} by ${who}`];
  });
}

describe('hippos that need the tables of each other', () => {
  test.concurrent(
    'three in a chain are followed to the end, and to where the one in the middle fails',
    async ({ makeProject }) => {
      const project = await makeProject(jobYaml({ needs: ['btd.party'], produces: ['dm.a'] }));
      const clients = [
        project.startClient(),
        await startNeighbour(project, {
          name: 'second',
          needs: ['dm.a'],
          produces: ['dm.b'],
          script: '[ "$HIPPO_RUN_KEY" != 201705 ]',
        }),
        await startNeighbour(project, { name: 'third', needs: ['dm.b'], produces: ['dm.c'] }),
      ];
      await Promise.all(clients.map((client) => client.event('owner')));

      const whole = await waitFor(project, '201704');
      expect(outcomes(project, whole.wait)).toEqual([
        'first succeeded',
        'second succeeded',
        'third succeeded',
      ]);
      expect(whole).toMatchObject({ exitCode: 0, wait: { outcome: 'succeeded' } });
      const events = [
        'dm.a yyyymm=201704 by first',
        'dm.b yyyymm=201704 by second',
        'dm.c yyyymm=201704 by third',
      ];
      expect((await produced(project)).sort()).toEqual(events);

      const broken = await waitFor(project, '201705');
      expect(outcomes(project, broken.wait)).toEqual(['first succeeded', 'second failed']);
      expect(broken).toMatchObject({ exitCode: 1, wait: { outcome: 'failed' } });
      expect((await produced(project)).sort()).toEqual([...events, 'dm.a yyyymm=201705 by first'].sort());
      expect(new Set(clients.flatMap(({ events: said }) => said.map(({ event }) => event)))).toContain(
        'produced',
      );
    },
  );

  test.concurrent('a diamond is followed to its end, with one trace', async ({ makeProject }) => {
    const project = await makeProject(jobYaml({ needs: ['btd.party'], produces: ['dm.a'] }));
    const clients = [
      project.startClient(),
      await startNeighbour(project, {
        name: 'left',
        needs: ['dm.a'],
        produces: ['dm.left'],
        script: 'sleep 1',
      }),
      await startNeighbour(project, { name: 'right', needs: ['dm.a'], produces: ['dm.right'] }),
      await startNeighbour(project, { name: 'last', needs: ['dm.left', 'dm.right'], produces: ['dm.last'] }),
    ];
    await Promise.all(clients.map((client) => client.event('owner')));
    const { exitCode, wait } = await waitFor(project, '201704');
    expect(outcomes(project, wait).sort()).toEqual([
      'first succeeded',
      'last succeeded',
      'left succeeded',
      'right succeeded',
    ]);
    expect(exitCode).toBe(0);
    expect((await produced(project)).sort()).toEqual([
      'dm.a yyyymm=201704 by first',
      'dm.last yyyymm=201704 by last',
      'dm.left yyyymm=201704 by left',
      'dm.right yyyymm=201704 by right',
    ]);
    const traces = (await finishes(project)).flatMap(({ receiveMsgs = [] }) =>
      receiveMsgs.map(({ traceparent = '' }) => traceparent.split('-')[1]),
    );
    expect(new Set(traces).size).toBe(1);
  });

  test.concurrent('a circle is refused, with its path and its place', async ({ makeProject }) => {
    const project = await makeProject(jobYaml({ needs: ['btd.party', 'dm.a'], produces: ['dm.a'] }));
    for (const args of [['config'], ['run', '--once'], ['simulate', '/dev/null']]) {
      const { exitCode, stderr } = await project.hippo(args);
      expect({ args, exitCode }).toEqual({ args, exitCode: 2 });
      expect(stderr.replaceAll(/\s+/g, ' ')).toContain('load needs dm.a, which load produces');
      expect(stderr).toMatch(/hippo\.yaml:\d+:\d+/);
    }
  });
});

import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import type { SourceList } from '../../src/landings/list.ts';
import { announced } from '../support/announced.ts';
import { type TestProject, finishes, httpGet, kcat, test, until } from '../support/project.ts';

const SOURCE = `client: { session_timeout: 6s }
sources:
  orders: { table: shop.orders, folder: landing, levels: dt=*, complete: _SUCCESS, every: 200ms }`;

const LOAD = `load:
  every: day
  needs: [{ table: shop.orders, partition: { dt: '{{ window }}' } }]
  run: ./job.sh`;

/** A writer writes a day; without a marker it was killed half-way. */
async function write(project: TestProject, day: string, marker = true): Promise<void> {
  const folder = join(project.directory, 'landing', `dt=${day}`);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'part-0.csv'), 'a,b');
  await rm(join(folder, '_SUCCESS'), { force: true });
  if (marker) await writeFile(join(folder, '_SUCCESS'), '');
}

interface SourceSign {
  sources?: { error: string | null }[];
}

function days(events: readonly string[]): string[] {
  return events.map((event) => event.split(' ')[0] ?? '');
}

describe('a folder source', () => {
  test.concurrent(
    'announces each landing once, over kill -9 and a standby, and starts the jobs that need it',
    async ({ makeProject }) => {
      const project = await makeProject(LOAD, 'exit 0', SOURCE);
      await write(project, '2017-04-26');
      await write(project, '2017-04-27', false);
      const first = project.startClient();
      await first.event('finished', ({ run_key: key }) => key === '2017-04-26');
      await write(project, '2017-04-28');
      first.kill('SIGKILL');
      await first.ended;
      const second = project.startClient();
      await second.event('owner');
      const third = project.startClient();
      await third.event('standby');
      await second.event('finished', ({ run_key: key }) => key === '2017-04-28');
      second.kill('SIGKILL');
      await third.event('owner');
      // The writer that was killed half-way comes back.
      await write(project, '2017-04-27');
      await third.event('finished', ({ run_key: key }) => key === '2017-04-27');
      // It lands again: the run is fired again.
      await write(project, '2017-04-28');
      await third.event('finished', ({ run_key: key }) => key === '2017-04-28');
      const events = await announced(project);
      expect(days(events).toSorted()).toEqual([
        'dt=2017-04-26',
        'dt=2017-04-27',
        'dt=2017-04-28',
        'dt=2017-04-28',
      ]);
      expect(new Set(events).size).toBe(4);
      expect((await finishes(project)).every(({ isSuccess }) => isSuccess)).toBe(true);
      third.kill('SIGTERM');
      expect((await third.ended).exitCode).toBe(0);
    },
  );

  test.concurrent('is listed, scanned, paused and resumed from the command line', async ({ makeProject }) => {
    const project = await makeProject(LOAD, 'exit 0', SOURCE.replace('200ms', '1h'));
    await write(project, '2017-04-27');
    const command = async (args: readonly string[]) => {
      const { exitCode, stdout } = await project.hippo([...args, '--json']);
      return { exitCode, data: JSON.parse(stdout) as unknown };
    };
    const list = ['source', 'list'];
    expect(await command(list)).toMatchObject({
      exitCode: 1,
      data: { clients: 0, sources: [{ known: 0, last_scan: null }] },
    });
    expect((await command(['source', 'scan', 'orders'])).exitCode).toBe(2);
    const dry = ['source', 'scan', 'orders', '--dry-run'];
    expect((await command(dry)).data).toMatchObject({
      would_announce: [{ table: 'shop.orders', partition: 'dt=2017-04-27' }],
      skipped: [],
    });
    expect(await announced(project)).toEqual([]);

    const client = project.startClient();
    await client.event('finished');
    await write(project, '2017-04-28');
    await write(project, '2017-04-29', false);
    expect((await command(dry)).data).toMatchObject({
      source: { known: 1 },
      would_announce: [{ partition: 'dt=2017-04-28' }],
      skipped: [{ reason: 'it has no _SUCCESS', unfinished: true }],
    });
    const scanned = await command(['source', 'scan', 'orders']);
    expect(scanned).toMatchObject({ exitCode: 0, data: { scan: { listed: 2, announced: 1, error: null } } });

    expect((await project.hippo(['job', 'pause', 'orders', '--reason', 'a new disk'])).exitCode).toBe(0);
    await until(async () => {
      const { sources } = (await command(list)).data as SourceList;
      return sources[0]?.paused?.reason === 'a new disk';
    }, 'the source is paused');
    expect((await command(['source', 'scan', 'orders'])).exitCode).toBe(2);
    expect(await command(['doctor', 'sources'])).toMatchObject({
      exitCode: 0,
      data: {
        checks: [
          { findings: [{ status: 'warning', text: expect.stringContaining('a new disk') as unknown }] },
        ],
      },
    });
    await write(project, '2017-04-29');
    expect((await project.hippo(['job', 'resume', 'orders'])).exitCode).toBe(0);
    await client.event('finished', ({ run_key: key }) => key === '2017-04-29');
    expect(days(await announced(project))).toEqual(['dt=2017-04-27', 'dt=2017-04-28', 'dt=2017-04-29']);
    expect((await project.hippo(['job', 'run', 'orders'])).exitCode).toBe(2);
  });

  test.concurrent('that is away is said once, and nothing is forgotten', async ({ makeProject }) => {
    const observed = SOURCE.replace('session', 'health_interval: 1s, http: { port: 0 }, session');
    const project = await makeProject(LOAD, 'exit 0', observed);
    await write(project, '2017-04-28');
    const client = project.startClient();
    await client.event('finished');
    const landing = join(project.directory, 'landing');
    await rename(landing, `${landing}-away`);
    const { text } = await client.event('notice', ({ level }) => level === 'error');
    expect(text).toContain(`the folder ${landing} is away`);
    expect((await project.hippo(['source', 'list'])).exitCode).toBe(1);
    expect((await project.hippo(['doctor', 'sources'])).exitCode).toBe(1);
    const { text: metrics } = await httpGet(client, '/metrics');
    expect(metrics).toMatch(/^hippo_source_away\{source="orders",.*\} 1$/m);
    expect(metrics).toMatch(/^hippo_source_announced_total\{source="orders",.*\} 1$/m);
    await until(async () => {
      const signs = (await kcat(project, 'service-health')).map((line) => JSON.parse(line) as SourceSign);
      return signs.some(({ sources }) => sources?.[0]?.error?.includes('is away') === true);
    }, 'a sign of life says that the source is away');
    await rename(`${landing}-away`, landing);
    await client.event('notice', ({ text: said }) => said.includes('can be read again'));
    await write(project, '2017-04-29');
    await client.event('finished', ({ run_key: key }) => key === '2017-04-29');
    expect(days(await announced(project))).toEqual(['dt=2017-04-28', 'dt=2017-04-29']);
  });

  test.concurrent('with --once is scanned once, and what follows is run', async ({ makeProject }) => {
    const project = await makeProject(LOAD, 'exit 0', SOURCE);
    await write(project, '2017-04-28');
    expect((await project.hippo(['run', '--once'])).exitCode).toBe(0);
    expect(await finishes(project)).toMatchObject([{ isSuccess: true, runKey: '2017-04-28' }]);
    await rm(join(project.directory, 'landing'), { recursive: true });
    const { exitCode, stderr } = await project.hippo(['run', '--once']);
    expect(stderr).toContain('is away');
    expect(exitCode).toBe(3);
  });
});

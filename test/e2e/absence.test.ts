import { expect } from 'vitest';
import { execa } from '../../src/core/exec.ts';
import { MovableClock, findFaketime } from '../torture/faketime.ts';
import { type TestProject, kcat, test, until } from '../support/project.ts';

const FIVE_MINUTES = 300_000;

/** Its windows are short, and over when the test begins: the clients' clock is moved, none is waited for. */
const EXPECTING = `load:
  every: 5m
  needs: [{ table: btd.party, partition: { minute: "{{ window | date: '%Y-%m-%dT%H:%M' }}" } }]
  deadline: 4m
  run: ./job.sh`;

const library = await findFaketime();

interface Published {
  alert_id: string;
  state: string;
  condition: string;
  run_key: string;
}

async function published(project: TestProject): Promise<Published[]> {
  return (await kcat(project, 'hippo-alert')).map((line) => JSON.parse(line) as Published);
}

/** When the next window begins that the client judges, as its state says; undefined before it knows. */
async function nextExpected({ brokers, prefix, name }: TestProject): Promise<number | undefined> {
  const args = ['-b', brokers, '-C', '-t', `${prefix}hippo-state`, '-e', '-q', '-f', '%k %s\\n'];
  const { stdout } = await execa('kcat', [...args, '-X', 'isolation.level=read_committed']);
  const key = `${name}/expected/load `;
  const last = stdout.split('\n').findLast((line) => line.startsWith(key));
  return last === undefined ? undefined : (JSON.parse(last.slice(key.length)) as { from: number }).from;
}

// Where no clock can be moved the windows would take half an hour; test/client/host/absence.test.ts has a clock of its own.
test.skipIf(library === null)(
  'a backlog alerts nothing, a window with nothing alerts once, also after a kill, until it has landed',
  async ({ makeProject }) => {
    const project = await makeProject(EXPECTING, 'exit 0', 'client: { session_timeout: 6s }\nalerts: {}');
    // The last window whose deadline is surely over is -1.
    const zeroth = (Math.floor(Date.now() / FIVE_MINUTES) - 1) * FIVE_MINUTES;
    const startOf = (number: number): number => zeroth + number * FIVE_MINUTES;
    const minuteOf = (number: number): string => new Date(startOf(number)).toISOString().slice(0, 16);
    const keyOf = (number: number): string => `${minuteOf(number)}+5m`;
    const clock = new MovableClock(library ?? '', project.directory);
    const setClock = (to: number): Promise<void> => clock.set(`${Math.round((to - Date.now()) / 1_000)}`);
    const land = async (...windows: readonly number[]): Promise<void> => {
      for (const number of windows) {
        const partition = `minute=${minuteOf(number)}`;
        const args = ['trigger', '--table', 'btd.party', '--partition', partition];
        expect(await project.hippo(args)).toMatchObject({ exitCode: 0 });
      }
    };
    const judgedUpTo = (number: number): Promise<boolean> =>
      until(
        async () => (await nextExpected(project)) === startOf(number),
        `${keyOf(number)} is the next to be judged`,
      );

    await setClock(startOf(-5) - 120_000);
    const first = project.startClient(clock.environment);
    await judgedUpTo(-5);
    first.kill('SIGTERM');
    await first.ended;

    // All deadlines of these are over when the next client reads that they have landed.
    await land(-5, -4, -3);
    await setClock(startOf(-2) + 270_000);
    const second = project.startClient(clock.environment);
    await judgedUpTo(-2);
    expect(await published(project)).toEqual([]);
    second.kill('SIGKILL');
    await second.ended;

    await land(-2, 0, 1, 2, 3);
    await clock.set('+0');
    const third = project.startClient(clock.environment);
    const [raised] = await until(async () => {
      const alerts = await published(project);
      return alerts.length > 0 ? alerts : undefined;
    }, 'the window for which nothing has landed is alerted');
    expect(raised).toMatchObject({ state: 'firing', condition: 'absent', run_key: keyOf(-1) });
    third.kill('SIGKILL');
    await third.ended;

    const fourth = project.startClient(clock.environment);
    await fourth.event('owner');
    await land(-1);
    await fourth.event('finished', ({ run_key: key }) => key === keyOf(-1));
    const listed = await project.hippo(['alerts', 'list']);
    expect(listed.stdout).toBe(`${project.name} has no open alert\n`);
    const all = await published(project);
    expect(all.map(({ state }) => state)).toEqual(['firing', 'resolved']);
    expect(new Set(all.map(({ alert_id: id }) => id)).size).toBe(1);
  },
);

import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect } from 'vitest';
import { processesTagged } from '../../src/client/host/process-group.ts';
import { execa } from '../../src/core/exec.ts';
import { HIPPO, startHippo } from '../support/cli.ts';
import { MONTHLY, type TestProject, finishes, test, trigger, until } from '../support/project.ts';
import { CTRL_C, type Terminal, atTerminal } from '../support/terminal.ts';

/** A job of several processes, one of them in a session of its own. */
const FAMILY = 'setsid sleep 300 & sleep 300 & touch working; sleep 300';
/** The same, and none of them hears SIGTERM. */
const DEAF = `trap '' TERM; ${FAMILY}`;

/** Marks all that a client starts: its guard has no other variable. */
function mark(project: TestProject): { PATH: string } {
  return { PATH: `${process.env['PATH'] ?? ''}:/${project.name}` };
}

function runAtTerminal(project: TestProject): Terminal {
  return atTerminal('run', { cwd: project.directory, env: { ...project.env, ...mark(project) } });
}

/** @param said what the client has said so far: its word of the job may come after the job's own */
async function hasJobAtWork(project: TestProject, said: () => string): Promise<void> {
  await trigger(project, '201704');
  await until(() => /submitted[^]*\.log\n/.test(said()), 'the client tells of it');
  await until(
    () =>
      project.file('working').then(
        () => true,
        () => false,
      ),
    'the job is at work',
  );
}

/** The lines without what differs from time to time. */
function normal(text: string, { name, prefix, brokers }: TestProject): string {
  return (
    text
      // A line that the terminal is too narrow for goes on under itself.
      .replaceAll(/\n {11}/g, ' ')
      .replaceAll(/\d\d:\d\d:\d\d/g, 'HH:MM:SS')
      .replaceAll(/pid \d+/g, 'pid N')
      .replaceAll(/201704\.\S+\.log/g, '201704.ID.log')
      .replaceAll(`${prefix}/${name}`, 'PREFIX/NAME')
      .replaceAll(name, 'NAME')
      .replaceAll(brokers, 'BROKER')
  );
}

const SERVING = `HH:MM:SS ▸ NAME started, pid N, Kafka at BROKER
HH:MM:SS ▸ owner of hippo.PREFIX/NAME: no runs remembered
HH:MM:SS → btd.party yyyymm=201704 → load 201704 (running)
HH:MM:SS ▸ load 201704 submitted, pid N, log .hippo/logs/load/201704.ID.log
`;
const ENDING = 'HH:MM:SS · SIGINT: stopping, ending 1 job (Ctrl-C again: at once)\n';
const STOPPED = 'HH:MM:SS · stopped\n';

describe('Ctrl-C', () => {
  test.concurrent(
    'ends the job with all its processes, and the client with 130; the run is left to the next client',
    async ({ makeProject }) => {
      const project = await makeProject(MONTHLY, FAMILY);
      const client = runAtTerminal(project);
      await until(() => client.text().includes('owner of'), 'it owns');
      await hasJobAtWork(project, () => client.text());
      client.type(CTRL_C);
      expect(await client.ended).toBe(130);
      // A terminal shows the keys.
      expect(normal(client.text(), project)).toBe(`${SERVING}^C${ENDING}${STOPPED}`);
      expect(client.raw()).toContain('\u001b[');
      await until(async () => (await processesTagged(mark(project))).length === 0, 'no process is left');
      expect(
        (await readdir(join(project.directory, '.hippo'))).filter((name) => /^client/.test(name)),
      ).toEqual([]);
      expect(await finishes(project)).toEqual([]);
    },
  );

  test.concurrent(
    'twice: ends at once, without a wait for a job that does not end, and leaves no process',
    async ({ makeProject }) => {
      const project = await makeProject(MONTHLY, DEAF, 'client: { session_timeout: 6s, kill_grace: 10m }');
      const client = runAtTerminal(project);
      await until(() => client.text().includes('owner of'), 'it owns');
      await hasJobAtWork(project, () => client.text());
      client.type(CTRL_C);
      await until(() => client.text().includes('stopping'), 'it is stopping');
      // The grace of ten minutes is longer than this test may take.
      client.type(CTRL_C);
      expect(await client.ended).toBe(130);
      expect(normal(client.text(), project)).toBe(`${SERVING}^C${ENDING}^C`);
      await until(async () => (await processesTagged(mark(project))).length === 0, 'no process is left');
    },
  );

  test.concurrent('of a client that is let wait for the group ends it at once', async ({ makeProject }) => {
    const project = await makeProject(MONTHLY, FAMILY, 'client: { session_timeout: 20m }');
    const frozen = project.startClient();
    await frozen.event('owner');
    frozen.kill('SIGSTOP');
    const client = runAtTerminal(project);
    await until(() => client.text().includes('started'), 'it is joining');
    // The group lets it wait for a session, which is longer than this test may take.
    client.type(CTRL_C);
    expect(await client.ended).toBe(130);
    expect(normal(client.text(), project)).toMatch(
      /^.*\n\^CHH:MM:SS · SIGINT: stopping\nHH:MM:SS · stopped\n$/,
    );
    frozen.kill('SIGCONT');
  });

  test.concurrent(
    'off a terminal: the same lines on stderr, without colours, and nothing on stdout',
    async ({ makeProject }) => {
      const project = await makeProject(MONTHLY, FAMILY);
      const env = { ...project.env, ...mark(project) };
      const client = startHippo(['run'], { cwd: project.directory, env });
      let said = '';
      client.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
      await until(() => said.includes('owner of'), 'it owns');
      await hasJobAtWork(project, () => said);
      client.kill('SIGINT');
      const { exitCode, stdout, stderr } = await client;
      expect({ exitCode, stdout, stderr: normal(stderr, project) }).toEqual({
        exitCode: 130,
        stdout: '',
        stderr: `${SERVING}${ENDING}${STOPPED}`,
      });
      await until(async () => (await processesTagged(mark(project))).length === 0, 'no process is left');
    },
  );
});

describe('SIGHUP', () => {
  test.concurrent('under nohup does not end a client, and SIGTERM does', async ({ makeProject }) => {
    const project = await makeProject(MONTHLY, FAMILY);
    const path = `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`;
    const client = execa('nohup', [HIPPO, 'run'], {
      ...{ cwd: project.directory, env: { ...project.env, PATH: path, NO_COLOR: '1' }, stdin: 'ignore' },
      reject: false,
    });
    let said = '';
    client.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await until(() => said.includes('owner of'), 'it owns');
    client.kill('SIGHUP');
    client.kill('SIGTERM');
    const { exitCode } = await client;
    expect(exitCode).toBe(0);
    // The first signal that it listens to is the one that it names.
    expect(said).toContain('SIGTERM: stopping');
  });
});

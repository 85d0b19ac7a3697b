import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { execa } from '../../../src/core/exec.ts';
import { startGuard } from '../../../src/client/host/guard.ts';
import { endGroup, groupIsAlive } from '../../../src/client/host/process-group.ts';
import { until } from './supervised.ts';

const GUARD = fileURLToPath(new URL('../../../src/client/host/guard.ts', import.meta.url));

/** A client with a guard, and two jobs of which it has seen the end of one; it prints their pids. */
const CLIENT = `
import { spawn } from 'node:child_process';
const { startGuard } = await import(${JSON.stringify(GUARD)});
const guard = startGuard(Number(process.argv[1]));
const job = () => spawn('/bin/sh', ['-c', process.argv[2]], { detached: true, stdio: 'ignore' }).pid;
const [watched, forgotten] = [job(), job()];
guard.watch(watched);
guard.watch(forgotten);
guard.forget(forgotten);
console.log(JSON.stringify([watched, forgotten]));
setInterval(() => {}, 1000);
`;

async function client(grace: number, script: string) {
  const child = execa(process.execPath, ['--input-type=module', '-e', CLIENT, '--', String(grace), script], {
    reject: false,
    cleanup: true,
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const [watched = 0, forgotten = 0] = JSON.parse(String(line)) as number[];
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await endGroup(watched, 0);
    await endGroup(forgotten, 0);
  });
  return { kill: () => child.kill('SIGKILL'), watched, forgotten };
}

it('when the client is killed with SIGKILL, its jobs are ended, and only those', async () => {
  const { kill, watched, forgotten } = await client(1_000, 'exec sleep 1000');
  kill();
  await until(() => !groupIsAlive(watched));
  expect(groupIsAlive(forgotten)).toBe(true);
}, 30_000);

it('what does not heed SIGTERM is killed after the grace', async () => {
  const { kill, watched } = await client(1_000, 'trap "" TERM; while :; do sleep 0.1; done');
  kill();
  await until(() => !groupIsAlive(watched));
}, 30_000);

it('a client that ends in order dismisses its guard, which touches nothing', async () => {
  const { pid } = execa('sleep', ['1000'], { detached: true, cleanup: false, reject: false });
  if (pid === undefined) throw new Error('not started');
  onTestFinished(async () => {
    await endGroup(pid, 0);
  });
  const guard = startGuard(0);
  guard.watch(pid);
  guard.dismiss();
  guard.watch(pid);
  await until(async () => (await guardsOf(process.pid)).length === 0);
  expect(groupIsAlive(pid)).toBe(true);
}, 30_000);

/** The guards of a process, by their pids. */
async function guardsOf(client: number): Promise<number[]> {
  const { stdout } = await execa('ps', ['-o', 'pid=,args=', '--ppid', String(client)], { reject: false });
  return stdout
    .split('\n')
    .filter((line) => line.includes('hippo-guard'))
    .map((line) => Number.parseInt(line, 10));
}

/** @returns the next line, each time that it is called */
function readLines(stream: Readable): () => Promise<string> {
  const lines = createInterface(stream)[Symbol.asyncIterator]();
  return async () => String((await lines.next()).value);
}

it('one that another program kills is replaced, by one that holds the same jobs and the same lease', async () => {
  const child = execa(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { spawn } from 'node:child_process';
      const { startGuard } = await import(${JSON.stringify(GUARD)});
      const guard = startGuard(1000, () => console.log('replaced'));
      const sleep = () => spawn('/bin/sleep', ['1000'], { detached: true, stdio: 'ignore' }).pid;
      const [job, service] = [sleep(), sleep()];
      guard.watch(job);
      guard.watch(service);
      guard.lease(service);
      guard.renew(3_600_000);
      console.log(JSON.stringify([job, service]));
      process.on('SIGUSR2', () => guard.renew(100));
      setInterval(() => {}, 1000);`,
    ],
    { reject: false, cleanup: true, buffer: false },
  );
  const lines = readLines(child.stdout);
  const [job = 0, service = 0] = JSON.parse(await lines()) as number[];
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await Promise.all([endGroup(job, 0), endGroup(service, 0)]);
  });
  const [guard = 0] = await guardsOf(child.pid ?? 0);
  process.kill(guard, 'SIGKILL');
  expect(await lines()).toBe('replaced');
  expect([job, service].map(groupIsAlive)).toEqual([true, true]);

  child.kill('SIGUSR2');
  await until(() => !groupIsAlive(service));
  expect(groupIsAlive(job)).toBe(true);

  child.kill('SIGKILL');
  await until(() => !groupIsAlive(job));
  // Nothing of the first guard is left.
  expect(groupIsAlive(guard)).toBe(false);
}, 30_000);

describe('the lease of services', () => {
  /** A process with a guard; it tells the guard what `script` says and stops answering. */
  async function leased(script: string, service = 'exec sleep 1000') {
    const child = execa(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { spawn } from 'node:child_process';
        const { startGuard } = await import(${JSON.stringify(GUARD)});
        const guard = startGuard(1000);
        const pid = spawn('/bin/sh', ['-c', process.argv[1]], { detached: true, stdio: 'ignore' }).pid;
        guard.watch(pid);
        guard.lease(pid);
        ${script}
        console.log(pid);
        setInterval(() => {}, 1000);`,
        '--',
        service,
      ],
      { reject: false, cleanup: true },
    );
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const pid = Number(String(line));
    onTestFinished(async () => {
      child.kill('SIGCONT');
      child.kill('SIGKILL');
      await endGroup(pid, 0);
    });
    return { pid, child };
  }

  it('ends them although the client is frozen', async () => {
    const { pid, child } = await leased('guard.renew(500);');
    child.kill('SIGSTOP');
    await until(() => !groupIsAlive(pid));
  }, 30_000);

  it('kills what does not heed SIGTERM', async () => {
    const { pid } = await leased('guard.renew(100);', 'trap "" TERM; while :; do sleep 0.1; done');
    await until(() => !groupIsAlive(pid));
  }, 30_000);

  it('lets them be as long as it is renewed', async () => {
    const { pid, child } = await leased(`
      guard.renew(700);
      let renewals = 0;
      const timer = setInterval(() => {
        guard.renew(700);
        if ((renewals += 1) === 20) { clearInterval(timer); console.log('renewed'); }
      }, 100);`);
    await once(child.stdout, 'data');
    expect(groupIsAlive(pid)).toBe(true);
    await until(() => !groupIsAlive(pid));
  }, 30_000);
});

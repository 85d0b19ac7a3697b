import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { execa } from '../../../src/core/exec.ts';
import { endGroup, groupIsAlive, processesTagged, startOf } from '../../../src/client/host/process-group.ts';
import { until } from './supervised.ts';

/** Starts a shell in a group of its own. */
function group(script: string, env: Record<string, string> = {}) {
  const child = execa('/bin/sh', ['-c', script], { detached: true, env, reject: false, stdin: 'ignore' });
  const { pid } = child;
  if (pid === undefined) throw new Error('not started');
  return { child, pid };
}

describe('a process group', () => {
  it('is alive as long as one of its processes is, the leader or not', async () => {
    const { child, pid } = group('sleep 1000 >&- 2>&- & exit 0');
    await child;
    expect(groupIsAlive(pid)).toBe(true);
    expect(await endGroup(pid, 5_000)).toBe(true);
    expect(groupIsAlive(pid)).toBe(false);
  });

  it('is not alive by its zombies', async () => {
    // A leader of a group of its own, whose parent never takes notice of its end.
    const { pid } = group('setsid true & exec sleep 1000');
    const zombie = async (): Promise<number> => {
      const { stdout } = await execa('ps', ['-o', 'pid=,stat=', '--ppid', String(pid)], { reject: false });
      return Number(/^ *(\d+) Z/.exec(stdout)?.[1] ?? 0);
    };
    await until(async () => (await zombie()) > 0);
    const leader = await zombie();
    expect(process.kill(-leader, 0)).toBe(true);
    expect(groupIsAlive(leader)).toBe(false);
    await endGroup(pid, 1_000);
  });

  it('ends by SIGKILL where SIGTERM is not heeded', async () => {
    const { pid } = group('trap "" TERM; echo ready; while :; do sleep 0.05; done');
    await sleep(100);
    expect(await endGroup(pid, 100)).toBe(true);
    expect(groupIsAlive(pid)).toBe(false);
  });

  it('that is not there has ended', async () => {
    const { child, pid } = group('exit 0');
    await child;
    expect(await endGroup(pid, 1_000)).toBe(true);
  });
});

describe('processesTagged', () => {
  it('finds a process by what it was started with, in whatever group and session', async () => {
    const tag = `tag-${process.pid}-${Date.now()}`;
    const { pid } = group('setsid sh -c "exec sleep 1000" & exec sleep 1000', { HIPPO_TEST_TAG: tag });
    const tagged = () => processesTagged({ HIPPO_TEST_TAG: tag, HOME: process.env['HOME'] ?? '' });
    // Between its fork and setsid the first is in the group of the second.
    await until(async () => new Set((await tagged()).map((one) => one.group)).size === 2);
    const found = await tagged();
    expect(found).toHaveLength(2);
    expect(await processesTagged({ HIPPO_TEST_TAG: tag.slice(0, -1) })).toEqual([]);
    for (const one of found) await endGroup(one.group, 1_000);
    expect(groupIsAlive(pid)).toBe(false);
  });
});

it('a start tells a process from a later one with its pid', () => {
  expect(startOf(process.pid)).toMatch(/^\d+$/);
  expect(startOf(process.pid)).toBe(startOf(process.pid));
  expect(startOf(2 ** 22 + 1)).toBeNull();
});

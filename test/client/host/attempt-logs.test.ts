import { chmod, chown, mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { attemptLogPath } from '../../../src/client/host/attempt-log.ts';
import { AttemptLogs, type LogLimits } from '../../../src/client/host/attempt-logs.ts';
import { attemptIdOf } from '../../../src/client/machine/submission.ts';

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 10, 28, 12);
const IDENTITY = 'uat-/etl';

interface Folder {
  directory: string;
  /** Writes a log that was written to last `age` ago. */
  log(name: string, size: number, age: number): Promise<void>;
  names(): Promise<string[]>;
  /** Sweeps, forgets, and resolves when that is done. @returns the warnings */
  keep(limits: Partial<LogLimits>, more?: Given): Promise<string[]>;
}

/** For root nothing is read-only. */
const NOBODY = 65_534;

/** As a user that may not write to folders of others. */
async function asNobody(work: () => Promise<void>): Promise<void> {
  const user = process.geteuid?.();
  if (user === 0) process.seteuid?.(NOBODY);
  try {
    await work();
  } finally {
    if (user === 0) process.seteuid?.(0);
  }
}

interface Given {
  running?: readonly string[];
  watched?: readonly string[];
  forget?: readonly { job: string; key: string }[];
  /** [default: 1] */
  sweeps?: number;
}

async function folder(): Promise<Folder> {
  const directory = await mkdtemp(join(tmpdir(), 'hippo-logs-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const logs = join(directory, '.hippo', 'logs');
  const warnings: string[] = [];
  return {
    directory,
    async log(name, size, age) {
      const path = join(logs, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, 'x'.repeat(size));
      await utimes(path, new Date(NOW - age), new Date(NOW - age));
    },
    names: async () => (await readdir(logs, { recursive: true })).filter((name) => name.includes('/')).sort(),
    async keep(limits, { running = [], watched = [], forget = [], sweeps = 1 } = {}) {
      const kept = new AttemptLogs({
        directory,
        identity: IDENTITY,
        limits: { attempt_size: 1_000, keep: 24 * HOUR, max_size: 10_000, ...limits },
        files: {
          list: () => running.map((attemptId) => ({ attemptId, owner: '', pid: 1, startedAt: null })),
        },
        now: () => NOW,
        warn: (text) => warnings.push(text),
      });
      const open = watched.map((name) => kept.watch(join(logs, name), () => undefined));
      for (let sweep = 0; sweep < sweeps; sweep += 1) kept.start();
      kept.forget(forget);
      await kept.idle();
      for (const log of open) log.release();
      await kept.close();
      return warnings.splice(0);
    },
  };
}

describe('the logs of a project', () => {
  it('are removed when they are older than logs.keep', async () => {
    const project = await folder();
    await project.log('load/a.load-1-1-x.log', 1, 25 * HOUR);
    await project.log('load/b.load-1-1-y.log', 1, 23 * HOUR);
    await project.log('gone/c.gone-1-1-z.log', 1, 25 * HOUR);
    await project.keep({});
    expect(await project.names()).toEqual(['load/b.load-1-1-y.log']);
  });

  it('lose the oldest where they are larger than logs.max_size together, down to nine tenths of it', async () => {
    const project = await folder();
    for (let age = 1; age <= 12; age += 1)
      await project.log(`load/k${age}.load-1-1-x.log`, 1_000, age * HOUR);
    await project.keep({});
    expect(await project.names()).toEqual(
      Array.from({ length: 9 }, (_, index) => `load/k${index + 1}.load-1-1-x.log`).sort(),
    );
    await project.log('load/k10.load-1-1-x.log', 1_000, 10 * HOUR);
    await project.keep({});
    expect(await project.names()).toHaveLength(10);
  });

  it('are kept while their attempt runs, here or in another client, and when they were just written to', async () => {
    const project = await folder();
    await project.log('load/a.load-1-1-ours.log', 9_000, 25 * HOUR);
    await project.log('load/b.load-1-1-theirs.log', 9_000, 25 * HOUR);
    await project.log('load/c.load-1-1-ended.log', 9_000, 2 * HOUR);
    await project.log('load/d.load-1-1-new.log', 9_000, 1_000);
    await project.keep({}, { running: ['load-1-1-theirs'], watched: ['load/a.load-1-1-ours.log'] });
    expect(await project.names()).toEqual([
      'load/a.load-1-1-ours.log',
      'load/b.load-1-1-theirs.log',
      'load/d.load-1-1-new.log',
    ]);
  });

  it('are removed although one of them cannot be, which is told once', async () => {
    const project = await folder();
    await project.log('locked/a.locked-1-1-x.log', 1, 30 * HOUR);
    await project.log('load/b.load-1-1-y.log', 1, 25 * HOUR);
    const logs = join(project.directory, '.hippo', 'logs');
    await chmod(join(logs, 'locked'), 0o555);
    if (process.geteuid?.() === 0)
      for (const owned of [project.directory, join(logs, 'load')]) await chown(owned, NOBODY, NOBODY);
    const path = join(logs, 'locked', 'a.locked-1-1-x.log');
    await asNobody(async () => {
      const warnings = await project.keep({}, { sweeps: 2 });
      expect(warnings).toEqual([expect.stringMatching(/a\.locked-1-1-x\.log cannot be removed: EACCES/)]);
      expect(warnings[0]).toContain(path);
    });
    expect(await project.names()).toEqual(['locked/a.locked-1-1-x.log']);
  });

  it('of services are left to the services', async () => {
    const project = await folder();
    for (const name of ['api/1234.log', 'api/1234.log.1']) await project.log(name, 20_000, 25 * HOUR);
    await project.keep({});
    expect(await project.names()).toEqual(['api/1234.log', 'api/1234.log.1']);
  });

  it('are removed with their runs, and those of other runs and other hippos stay', async () => {
    const project = await folder();
    const logOf = (identity: string, key: string, attempt: number): string => {
      const attemptId = attemptIdOf(identity, { job: 'load', key }, 'load_1493394946', attempt);
      return attemptLogPath('', { job: 'load', key, attemptId }).slice('.hippo/logs/'.length);
    };
    const long = `k=${'x'.repeat(300)}`;
    const forgotten = [logOf(IDENTITY, 'dt=1', 1), logOf(IDENTITY, 'dt=1', 2), logOf(IDENTITY, long, 1)];
    const others = [
      logOf('/etl', 'dt=1', 1),
      logOf(IDENTITY, 'dt=1.5', 1),
      logOf(IDENTITY, `${long}y`, 1),
      logOf(IDENTITY, 'dt=2', 1),
    ];
    for (const name of [...forgotten, ...others]) await project.log(name, 1, HOUR);
    const running = logOf(IDENTITY, 'dt=1', 3);
    await project.log(running, 1, HOUR);
    const forget = ['dt=1', long].map((key) => ({ job: 'load', key }));
    await project.keep({}, { forget, watched: [running] });
    expect(await project.names()).toEqual([...others, running].sort());
  });

  it('are looked at again when those that ended are too large together', async () => {
    const project = await folder();
    await project.log('load/a.load-1-1-a.log', 900, 2 * HOUR);
    const logs = new AttemptLogs({
      directory: project.directory,
      identity: IDENTITY,
      limits: { attempt_size: 1_000, keep: 24 * HOUR, max_size: 1_500 },
      files: { list: () => [] },
      now: () => NOW,
      warn: () => undefined,
    });
    logs.start();
    const path = attemptLogPath(project.directory, { job: 'load', key: 'b', attemptId: 'load-1-1-b' });
    const open = logs.watch(path, () => undefined);
    await project.log('load/b.load-1-1-b.log', 900, 0);
    open.release();
    await vi.waitFor(async () => expect(await project.names()).toEqual(['load/b.load-1-1-b.log']));
    await logs.close();
  });
});

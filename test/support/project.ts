import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test as base } from 'vitest';
import type { ClientEvent } from '../../src/client/host/client-event.ts';
import { execa } from '../../src/core/exec.ts';
import { newId } from '../../src/core/ids.ts';
import { type JobFinish, parseFinish } from '../../src/messages/index.ts';
import { makeFolder } from './folder.ts';
import { testBrokers } from './brokers.ts';
import { type CliOptions, hippo, startHippo } from './cli.ts';

/** A hippo's project of the test's own, with topics of its own on the tests' broker. */
export interface TestProject {
  directory: string;
  name: string;
  /** Before each of its topics' names. */
  prefix: string;
  brokers: string;
  env: Record<string, string>;
  /** Runs the built CLI in it. */
  hippo(args: readonly string[], options?: CliOptions): ReturnType<typeof hippo>;
  /** Starts its client, in this folder or a copy of it; it is ended when the test is over. */
  startClient(env?: Record<string, string>, folder?: string): TestClient;
  file(path: string): Promise<string>;
}

export interface TestClient {
  pid: number;
  /** What it has said so far. */
  events: ClientEvent[];
  /** Resolves with the first event that has been or will be said of this kind, and fits. */
  event<K extends ClientEvent['event']>(
    kind: K,
    fits?: (event: Extract<ClientEvent, { event: K }>) => boolean,
    patience?: number,
  ): Promise<Extract<ClientEvent, { event: K }>>;
  kill(signal: NodeJS.Signals): void;
  /** Resolves when it has ended. */
  ended: Promise<{ exitCode: number | undefined; signal: string | undefined; stderr: string }>;
}

/** A job that runs once a month, when that month of btd.party has landed. */
export const MONTHLY = `load:
  every: month
  needs: [{ table: btd.party, partition: { yyyymm: "{{ window | date: '%Y%m' }}" } }]
  run: ./job.sh`;

/** A script of a job that ends when the project has the file `go`. */
export const UNTIL_GO = 'until test -e go; do sleep 0.1; done';

/** How long something that must happen may take, on a machine that is many times slower too, milliseconds. */
const PATIENCE = 120_000;

/**
 * @param jobs the section `jobs` of hippo.yaml, as YAML
 * @param script what ./job.sh does
 * @param more further sections of hippo.yaml
 * @param broker another one than the tests' own
 */
type MakeProject = (jobs: string, script?: string, more?: string, broker?: string) => Promise<TestProject>;

/** A test that can make projects; what it made and started is gone when it is over. */
export const test = base.extend<{ makeProject: MakeProject }>({
  // eslint-disable-next-line no-empty-pattern -- vitest reads the names of the fixtures that are used
  makeProject: async ({}, use) => {
    const cleanups: (() => Promise<unknown>)[] = [];
    await use(async (jobs, script = 'exit 0', more = 'client: { session_timeout: 6s }', broker) =>
      makeProject(jobs, script, more, broker ?? (await testBrokers()).join(','), (cleanup) =>
        cleanups.push(cleanup),
      ),
    );
    for (const cleanup of cleanups.reverse()) await cleanup();
  },
});

async function makeProject(
  jobs: string,
  script: string,
  more: string,
  brokers: string,
  atEnd: (cleanup: () => Promise<unknown>) => void,
): Promise<TestProject> {
  const directory = await makeFolder('project');
  atEnd(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }));
  const id = newId().slice(0, 8);
  const [name, prefix] = [`h-${id}`, `${id}-`];
  await writeFile(
    join(directory, 'hippo.yaml'),
    `name: ${name}\ntopics: { prefix: "${prefix}" }\n${more}\njobs:\n${jobs.replaceAll(/^/gm, '  ')}\n`,
  );
  await writeFile(join(directory, 'job.sh'), `#!/usr/bin/env bash\n${script}\n`);
  await chmod(join(directory, 'job.sh'), 0o755);
  const env = { HIPPO_BROKERS: brokers, HIPPO_CONFIG: '', HIPPO_PROFILE: '' };
  const run: TestProject['hippo'] = (args, options = {}) =>
    hippo(args, { cwd: directory, ...options, env: { ...env, ...options.env } });
  const up = await run(['up', '--no-spark', '--json']);
  if (up.exitCode !== 0) throw new Error(`hippo up failed:\n${up.stdout}${up.stderr}`);
  return {
    directory,
    name,
    prefix,
    brokers,
    env,
    hippo: run,
    startClient(more = {}, folder = directory) {
      const client = startClient(folder, { ...env, ...more });
      atEnd(() => endClient(client));
      return client;
    },
    file: (path) => readFile(join(directory, path), 'utf8'),
  };
}

/** In order, and where that takes too long by force. */
export async function endClient(client: TestClient): Promise<void> {
  client.kill('SIGTERM');
  const late = setTimeout(() => client.kill('SIGKILL'), 30_000);
  await client.ended;
  clearTimeout(late);
}

/** Starts the client of any project; the caller ends it. */
export function startClient(cwd: string, env: Record<string, string>): TestClient {
  const child = startHippo(['run', '--json'], { cwd, env });
  const events: ClientEvent[] = [];
  let changed = Promise.withResolvers<undefined>();
  const change = (): void => {
    changed.resolve(undefined);
    changed = Promise.withResolvers();
  };
  const reading = (async () => {
    for await (const line of child) {
      events.push(JSON.parse(line) as ClientEvent);
      change();
    }
  })().catch(() => undefined);
  let hasEnded = false;
  const ended = child.then(async ({ exitCode, signal, stderr }) => {
    await reading;
    hasEnded = true;
    change();
    return { exitCode, signal, stderr };
  });
  return {
    pid: child.pid ?? 0,
    events,
    ended,
    kill: (signal) => void child.kill(signal),
    async event(kind, fits = () => true, patience = PATIENCE) {
      const deadline = Date.now() + patience;
      let seen = 0;
      for (;;) {
        for (; seen < events.length; seen += 1) {
          const event = events[seen];
          if (event?.event === kind && fits(event as never)) return event as never;
        }
        const left = deadline - Date.now();
        if (left <= 0 || hasEnded) {
          throw new Error(
            `the client did not say "${kind}"; it said:\n${events.map((each) => JSON.stringify(each)).join('\n')}`,
          );
        }
        await Promise.race([changed.promise, sleep(left, undefined, { ref: false })]);
      }
    },
  };
}

/** What the client's HTTP server answers. */
export async function httpGet(client: TestClient, path: string): Promise<{ status: number; text: string }> {
  const { http } = await client.event('started');
  const response = await fetch(`http://${http ?? ''}${path}`);
  return { status: response.status, text: await response.text() };
}

/** Whether the client serves, as `/readyz` tells a load balancer. */
export async function ready(
  client: TestClient,
): Promise<{ status: number; role: unknown; connected: unknown }> {
  const { status, text } = await httpGet(client, '/readyz');
  const { role, connected } = JSON.parse(text) as { role: unknown; connected: unknown };
  return { status, role, connected };
}

/** What a consumer that is not ours reads, of committed records: a line each. */
export async function kcat({ brokers, prefix }: TestProject, topic: string): Promise<string[]> {
  const args = ['-b', brokers, '-C', '-t', `${prefix}${topic}`, '-e', '-q'];
  const { stdout } = await execa('kcat', [...args, '-X', 'isolation.level=read_committed']);
  return stdout === '' ? [] : stdout.split('\n');
}

/** The finish messages of all runs of the project. */
export async function finishes(project: TestProject): Promise<JobFinish[]> {
  return (await kcat(project, 'hippo-finish')).map((line) => {
    const parsed = parseFinish(line);
    if (!parsed.ok) throw new Error(`${parsed.rejection.reason}: ${line}`);
    return parsed.message;
  });
}

/** A month of btd.party lands. */
export const trigger = (project: TestProject, month: string, ...more: string[]) =>
  project.hippo(['trigger', '--table', 'btd.party', '--partition', `yyyymm=${month}`, ...more]);

/** Waits until something is so. */
export async function until<T>(
  look: () => T | Promise<T>,
  what: string,
  patience = PATIENCE,
): Promise<NonNullable<T>> {
  const deadline = Date.now() + patience;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== null && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`did not happen: ${what}`);
    await sleep(50);
  }
}

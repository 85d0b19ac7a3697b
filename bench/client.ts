import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa } from '../src/core/exec.ts';
import type { Kafka } from '../src/kafka/port.ts';
import { type Measure, type Stage, type Suite, median } from './harness.ts';
import { kafkaAt } from './kafka.ts';

const SPAWNS = 300;
const WINDOWS = 1_000;
const EVENTS_SINCE = 100_000;
const RECOVERIES = 3;
/** How long a client is left alone before its memory is read, milliseconds. */
const REST = 5_000;

/** The client: how fast it reacts, what it costs while nothing happens, how fast it is back. */
export const client: Suite = {
  name: 'client',
  async measures(stage: Stage): Promise<Measure[]> {
    const kafka = await kafkaAt(stage.brokers);
    try {
      return [...(await reaction(stage, kafka)), ...(await recovery(stage, kafka))];
    } finally {
      await kafka.close();
    }
  },
};

/** What both start: it says when it runs, and for whom. */
const JOB = '#!/bin/sh\ndate +%s%N > "started-$1.draft" && mv "started-$1.draft" "started-$1"\n';

/** From the append of the last event that a run needs to its process, and memory at rest. */
async function reaction(stage: Stage, kafka: Kafka): Promise<Measure[]> {
  const project = await makeProject(stage, 'reaction', 'args: ["{{ key }}"]\n    concurrency: 8');
  const producer = await kafka.producer();
  const hippo = startClient(stage, project);
  await hippo.owns;
  stage.say(`${SPAWNS} runs that lack one event each`);
  const days = Array.from({ length: SPAWNS }, (_, index) => day(index));
  for (const key of days)
    await producer.append({ topic: project.topic, key: null, value: event('party', key, 1) });
  await producer.flush();
  await until(() => hippo.inputs === SPAWNS);

  const plain = join(stage.folder, 'plain');
  await mkdir(plain);
  await writeJob(plain);
  const kcat = spawn(
    'bash',
    [
      '-c',
      `kcat -C -u -q -b ${stage.brokers} -t ${project.plainTopic} -o end -f '%k\\n' | while read -r key; do ./job.sh "$key"; done`,
    ],
    { cwd: plain, stdio: 'ignore', detached: true },
  );
  try {
    await awake(producer, project.plainTopic, plain);
    const [ours, theirs]: [number[], number[]] = [[], []];
    stage.say('the event that is lacking, by turns with kcat');
    for (const key of days) {
      ours.push(await timed(producer, project.topic, null, event('branch', key, 1), project.folder, key));
      theirs.push(await timed(producer, project.plainTopic, key, event('branch', key, 1), plain, key));
    }
    await sleep(REST);
    const atRest = residentMemory(hippo.pid);
    const kafkajs = await kafkajsAtRest(stage, project.topic);
    return [
      {
        what: `append of the last event that a run needs, to its process: median of ${SPAWNS}`,
        ours: millis(quantile(ours, 0.5)),
        peer: `kcat -C, and a shell that starts a process for each: ${millis(quantile(theirs, 0.5))}`,
      },
      {
        what: 'the same, 99th percentile',
        ours: millis(quantile(ours, 0.99)),
        peer: `the same: ${millis(quantile(theirs, 0.99))}`,
      },
      {
        what: 'resident memory of a client at rest',
        ours: megabytes(atRest),
        peer: `a kafkajs consumer: ${megabytes(kafkajs)}`,
      },
    ];
  } finally {
    if (kcat.pid !== undefined) process.kill(-kcat.pid, 'SIGKILL');
    await hippo.stop();
    await producer.close();
  }
}

/** A client that starts where many windows are open and much has come since. */
async function recovery(stage: Stage, kafka: Kafka): Promise<Measure[]> {
  const took: number[] = [];
  const read: number[] = [];
  for (let round = 1; round <= RECOVERIES; round += 1) {
    const project = await makeProject(stage, `recovery-${round}`, 'retries: { attempts: 0 }');
    const producer = await kafka.producer();
    for (let index = 0; index < WINDOWS; index += 1)
      await producer.append({ topic: project.topic, key: null, value: event('party', day(index), 1) });
    await producer.flush();
    await runOnce(stage, project);
    for (let index = 0; index < EVENTS_SINCE; index += 1) {
      // Each other one lands again in a window that waits; no job needs the rest.
      const table = index % 2 === 0 ? 'party' : `other_${index % 100}`;
      await producer.append({
        topic: project.topic,
        key: null,
        value: event(table, day((index / 2) % WINDOWS), 2 + index),
      });
    }
    await producer.flush();
    await producer.close();
    stage.say(`recovery, round ${round}`);
    took.push(await runOnce(stage, project));
    const began = performance.now();
    const kcat = ['-C', '-e', '-q', '-b', stage.brokers, '-t', project.topic, '-o', 'beginning'];
    await execa('kcat', kcat, { stdin: 'ignore', stdout: 'ignore' });
    read.push((performance.now() - began) / 1000);
  }
  return [
    {
      what: `start of a client with ${thousands(WINDOWS)} open windows and ${thousands(EVENTS_SINCE)} events since, to all of them taken in`,
      ours: `${median(took).toFixed(2)} s`,
      peer: `kcat -C, which only reads them: ${median(read).toFixed(2)} s`,
    },
  ];
}

interface Project {
  folder: string;
  topic: string;
  /** Of no hippo: for suites that only read. */
  plainTopic: string;
}

async function makeProject(stage: Stage, name: string, more: string): Promise<Project> {
  const folder = join(stage.folder, name);
  await mkdir(folder);
  await writeFile(
    join(folder, 'hippo.yaml'),
    `name: ${name}
topics: { prefix: ${name}- }
client: { start_from: beginning }
jobs:
  load:
    every: day
    needs:
      - { table: btd.party, partition: { dt: "{{ window }}" } }
      - { table: btd.branch, partition: { dt: "{{ window }}" } }
    run: ./job.sh
    ${more}
`,
  );
  await writeJob(folder);
  await execa(stage.hippo[0] ?? '', [...stage.hippo.slice(1), 'up', '--no-spark'], options(stage, folder));
  const plainTopic = `${name}-plain`;
  const kafka = await kafkaAt(stage.brokers);
  await kafka.createTopics([{ topic: plainTopic, partitions: 1, replicationFactor: 1, config: {} }]);
  await kafka.close();
  return { folder, topic: `${name}-frontier-adw`, plainTopic };
}

async function writeJob(folder: string): Promise<void> {
  await writeFile(join(folder, 'job.sh'), JOB);
  await chmod(join(folder, 'job.sh'), 0o755);
}

function options(stage: Stage, cwd: string): { cwd: string; env: Stage['env'] } {
  return { cwd, env: stage.env };
}

interface RunningClient {
  pid: number;
  owns: Promise<unknown>;
  /** How many events it has taken in. */
  readonly inputs: number;
  stop(): Promise<void>;
}

function startClient(stage: Stage, project: Project): RunningClient {
  const { cwd, env } = options(stage, project.folder);
  // As a user starts it: the script chooses how Node uses memory.
  const child = spawn(stage.hippo.at(-1) ?? '', ['run', '--json'], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(child, 'exit');
  const owns = Promise.withResolvers<undefined>();
  let inputs = 0;
  createInterface(child.stdout).on('line', (line) => {
    const { event: kind } = JSON.parse(line) as { event: string };
    if (kind === 'owner') owns.resolve(undefined);
    if (kind === 'input') inputs += 1;
  });
  void ended.then(() => owns.reject(new Error('the client ended before it owned its hippo')));
  return {
    pid: child.pid ?? 0,
    owns: owns.promise,
    get inputs() {
      return inputs;
    },
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** @returns seconds until all that has come was taken in */
async function runOnce(stage: Stage, project: Project): Promise<number> {
  const began = performance.now();
  const [program = '', ...args] = stage.hippo;
  await execa(program, [...args, 'run', '--once', '--json'], {
    ...options(stage, project.folder),
    stdout: 'ignore',
  });
  return (performance.now() - began) / 1000;
}

type Producer = Awaited<ReturnType<Kafka['producer']>>;

/** @returns milliseconds from before the append to the start of the process */
async function timed(
  producer: Producer,
  topic: string,
  key: string | null,
  value: Buffer,
  folder: string,
  name: string,
): Promise<number> {
  const began = performance.timeOrigin + performance.now();
  await producer.send([{ topic, key, value }]);
  const started = join(folder, `started-${name}`);
  const text = await until(() => readFile(started, 'utf8').catch(() => null));
  return Number(BigInt(text.trim()) / 1_000n) / 1_000 - began;
}

/** kcat says nothing of when it has come to the end, from where it follows. */
async function awake(producer: Producer, topic: string, folder: string): Promise<void> {
  await until(async () => {
    await producer.send([{ topic, key: 'awake', value: Buffer.from('{}') }]);
    return readFile(join(folder, 'started-awake'), 'utf8').catch(() => null);
  });
}

async function kafkajsAtRest(stage: Stage, topic: string): Promise<number> {
  const script = `
    import { Kafka } from 'kafkajs';
    const consumer = new Kafka({ brokers: [${JSON.stringify(stage.brokers)}], logLevel: 0 }).consumer({ groupId: 'bench' });
    await consumer.connect();
    await consumer.subscribe({ topics: [${JSON.stringify(topic)}], fromBeginning: true });
    await consumer.run({ eachMessage: async () => {} });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    stdio: 'ignore',
  });
  await sleep(2 * REST);
  const memory = residentMemory(child.pid ?? 0);
  child.kill('SIGKILL');
  return memory;
}

/** MB; only on Linux. */
function residentMemory(pid: number): number {
  try {
    return (
      Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN) /
      1024
    );
  } catch {
    return Number.NaN;
  }
}

async function until<T>(look: () => Promise<T> | T): Promise<NonNullable<T>> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const found = await look();
    if (found !== null && found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error('it did not happen in a minute');
    await sleep(2);
  }
}

function event(table: string, dt: string, execDate: number): Buffer {
  return Buffer.from(
    JSON.stringify({
      table,
      db: 'btd',
      partition: [{ name: 'dt', value: dt }],
      method: 'partition',
      exec_date: String(1_493_394_946 + execDate),
    }),
  );
}

/** The n-th day of 2017 and on. */
function day(n: number): string {
  return new Date(Date.UTC(2017, 0, 1 + Math.floor(n))).toISOString().slice(0, 10);
}

function quantile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function millis(value: number): string {
  return `${Math.round(value)} ms`;
}

function megabytes(value: number): string {
  return Number.isNaN(value) ? '–' : `${Math.round(value)} MB`;
}

function thousands(value: number): string {
  return value.toLocaleString('en');
}

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from '../src/core/exec.ts';
import type { Json } from '../src/core/json.ts';
import { partitionForKey } from '../src/kafka/partitioner.ts';
import type { Kafka } from '../src/kafka/port.ts';
import { type RunState, formatStateKey } from '../src/state/index.ts';
import { type Measure, type Stage, type Suite, median } from './harness.ts';
import { kafkaAt } from './kafka.ts';
import { type Costs, costOf, costsText } from './processes.ts';

/** How many hippos share the state topic. The first says what the start of a client costs by itself. */
const FLEETS = [1, 1_000, 10_000];
/** A check of hippo doctor ends after 15 s: of more hippos than these the whole topic is not read. */
const LARGEST_READ_WHOLE = 1_000;
const RECORDS = 500;
const ROUNDS = 3;
/** Longer than reading the topic takes. */
const WAIT = '30s';
/** As `hippo up` makes the state topic. */
const PARTITIONS = 4;
const HOUR = 3_600_000;

/** Many hippos on one Kafka: what each costs all others, which read the same state topic. */
export const fleet: Suite = {
  name: 'fleet',
  async measures(stage: Stage): Promise<Measure[]> {
    const measures: Measure[] = [];
    const kafka = await kafkaAt(stage.brokers);
    try {
      for (const size of FLEETS) measures.push(...(await measure(stage, kafka, size)));
    } finally {
      await kafka.close();
    }
    return measures;
  },
};

async function measure(stage: Stage, kafka: Kafka, size: number): Promise<Measure[]> {
  const many = size.toLocaleString('en');
  const what = `${many} × ${RECORDS} records`;
  const own = nameOf(Math.floor(size / 2));
  const prefix = `fleet-${size}-`;
  const folder = join(stage.folder, `fleet-${size}`);
  const running = { cwd: folder, env: stage.env };
  await mkdir(folder);
  await writeFile(
    join(folder, 'hippo.yaml'),
    `name: ${own}
topics: { prefix: ${prefix} }
jobs: { load: { every: hour, needs: [{ table: btd.party }], run: "true" } }
`,
  );
  const [program = '', ...words] = stage.hippo;
  await execa(program, [...words, 'up', '--no-spark'], running);
  // Its positions are those of a client.
  await execa(program, [...words, 'run', '--once'], running);
  stage.say(`writing ${what}`);
  await writeStates(kafka, `${prefix}hippo-state`, size, own);

  const partition = String(partitionForKey(own, PARTITIONS));
  const kcat = ['kcat', '-C', '-e', '-q', '-b', stage.brokers, '-t', `${prefix}hippo-state`];
  const one = [...kcat, '-p', partition, '-o', 'beginning'];
  const all = [...kcat, '-o', 'beginning'];
  const isOwner = (line: string): boolean => (JSON.parse(line) as { event: string }).event === 'owner';
  const contenders: Record<string, () => Promise<Costs>> = {
    takeover: () => costOf([...stage.hippo, 'run', '--json'], { ...running, until: isOwner }),
    onePartition: () => costOf(one, running),
  };
  const ask = (...asked: string[]): Promise<Costs> =>
    costOf([...stage.hippo, ...asked, '--json'], { ...running, allowed: [0, 1, 4] });
  // No client runs, so nothing comes of the event before the time is up.
  const event = ['trigger', '--table', 'btd.other', '--partition', 'dt=1', '--wait', '--timeout', WAIT];
  if (size <= LARGEST_READ_WHOLE)
    Object.assign(contenders, {
      doctor: () => ask('doctor', 'state'),
      tractor: () => ask('tractor'),
      wait: () => ask(...event),
      topic: () => costOf(all, running),
    });
  const costs = await byTurns(contenders, (name, round, cost) =>
    stage.say(`${what}: ${name}, round ${round}: ${costsText(cost)}`),
  );
  const row = (asked: string, ours: string, [read, part]: [string, string]): Measure[] => {
    const [cost, peer] = [costs.get(ours), costs.get(read)];
    if (cost === undefined || peer === undefined) return [];
    return [
      { what: `${what}: ${asked}`, ours: costsText(cost), peer: `kcat -C of ${part}: ${costsText(peer)}` },
    ];
  };
  return [
    ...row('start of a client, to its ownership', 'takeover', ['onePartition', 'its partition']),
    ...row("hippo doctor state, which wants one hippo's", 'doctor', ['topic', 'the topic']),
    ...row('hippo tractor, which wants those of all', 'tractor', ['topic', 'the topic']),
    ...row(`hippo trigger --wait --timeout ${WAIT}, which follows all`, 'wait', ['topic', 'the topic']),
  ];
}

/** Each once a round, so that a busy machine is busy for all. @returns the medians, by name */
async function byTurns(
  contenders: Readonly<Record<string, () => Promise<Costs>>>,
  say: (name: string, round: number, costs: Costs) => void,
): Promise<Map<string, Costs>> {
  const found = new Map<string, Costs[]>();
  for (let round = 1; round <= ROUNDS; round += 1) {
    for (const [name, contend] of Object.entries(contenders)) {
      const costs = await contend();
      say(name, round, costs);
      found.set(name, [...(found.get(name) ?? []), costs]);
    }
  }
  return new Map([...found].map(([name, costs]) => [name, medianOf(costs)]));
}

function medianOf(costs: readonly Costs[]): Costs {
  const of = (part: keyof Costs): number => median(costs.map((each) => each[part]));
  return { seconds: of('seconds'), cpu: of('cpu'), memory: of('memory') };
}

/** @param own a hippo that has an owner and positions already */
async function writeStates(kafka: Kafka, topic: string, size: number, own: string): Promise<void> {
  const producer = await kafka.producer();
  const now = Date.now();
  try {
    for (let index = 0; index < size; index += 1) {
      const hippo = nameOf(index);
      const partition = partitionForKey(hippo, PARTITIONS);
      const records = [...runsOf(hippo, now), ...(hippo === own ? [] : othersOf(hippo, now))];
      for (const [key, value] of records)
        await producer.append({
          topic,
          partition,
          key: Buffer.from(key),
          value: Buffer.from(JSON.stringify(value)),
        });
    }
    await producer.flush();
  } finally {
    await producer.close();
  }
}

/** All have names of one length: the worst for who tells them apart. */
function nameOf(index: number): string {
  return `hippo-${String(index).padStart(5, '0')}`;
}

/** Runs that have succeeded, of one hour each. */
function* runsOf(hippo: string, now: number): Generator<[key: string, value: Json]> {
  for (let index = 0; index < RECORDS - 2; index += 1) {
    const at = now - index * HOUR;
    const key = new Date(at).toISOString().slice(0, 13);
    const second = Math.floor(at / 1000);
    const from = { topic: 'frontier-adw', partition: index % 4, offset: String(index) };
    const input = { ...from, need: 'btd.party', version: second, at, values: {} };
    const run: RunState = {
      job: 'load',
      key,
      status: 'succeeded',
      jobId: `load_${second}`,
      attempt: 1,
      failures: 0,
      attemptId: `load-${second}-1-0123456789abcdef`,
      inputs: { 'btd.party': input },
      relanded: {},
      firstInputAt: at,
      startedAt: at,
      attemptAt: null,
      finishedAt: at + 60_000,
      notBefore: null,
      deadlineMissed: false,
    };
    yield [formatStateKey({ kind: 'run', hippo, job: 'load', key }), run as unknown as Json];
  }
}

function* othersOf(hippo: string, now: number): Generator<[key: string, value: Json]> {
  const since = new Date(now).toISOString();
  const owner = { client: hippo, token: hippo, host: 'bench', pid: 1, since, jobs: { load: 'hour' } };
  yield [formatStateKey({ kind: 'owner', hippo }), owner];
  yield [formatStateKey({ kind: 'offsets', hippo }), {}];
}

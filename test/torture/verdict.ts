/** What must hold when a round is over. Each violation is a sentence. */
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { processesTagged } from '../../src/client/host/process-group.ts';
import { groupName, identityOf } from '../../src/config/groups.ts';
import { dlqName } from '../../src/config/topics.ts';
import type { KafkaRecord } from '../../src/kafka/port.ts';
import {
  type JobFinish,
  type JobStart,
  type Parsed,
  type Alert,
  parseMessage,
  parseFinish,
  parseStart,
} from '../../src/messages/index.ts';
import { judgeAlerts } from './alerts.ts';
import type { Keeper } from './keeper.ts';
import type { Landings } from './landings.ts';
import { judgeOutputs } from './outputs.ts';
import type { Reports } from './reports.ts';
import type { Expectation, Workload } from './workload.ts';
import type { Topics, World } from './world.ts';

export interface Verdict {
  violations: string[];
  runs: number;
  finishes: number;
  attempts: number;
  deadLetters: number;
  /** How often a partition landed that a source watches, and how many events there are of that. */
  landings: number;
  events: number;
  /** How many processes the owner's service had, and how many events are published that it announced. */
  services: number;
  announced: number;
  /** How many reports over HTTP were answered, and how many events there are of them. */
  reports: number;
  reported: number;
  /** How many events are published of outputs of jobs. */
  produced: number;
  /** How many alerts were raised, of which conditions, and how many of them ended; how often the receiver has taken one of these. */
  alerts: string[];
  alertsOver: number;
  alertsTaken: number;
}

/** A round that is over. */
export interface Case {
  world: World;
  topics: Topics;
  directory: string;
  workload: Workload;
  landings: Landings | null;
  reports: Reports | null;
  keeper: Keeper | null;
  /** Each client runs on a machine of its own: a frozen one keeps its jobs beside the next owner's, which runs them again. */
  areApart: boolean;
  /** Where each delivery of a bad message went: `<topic> <partition> <offset>`. */
  bad: readonly string[];
  /** Where the newest landing of the run went that is about it, and copies of it. */
  newestAt: ReadonlySet<string>;
  /** The ids that `hippo alerts list` shows, where the hippo has alerts. */
  openAlerts: readonly string[];
  /** How many clients were started. */
  clients: number;
  /** A client was frozen while another one took over. */
  wasFrozen: boolean;
}

export async function judge({
  world,
  topics,
  directory,
  workload,
  landings,
  reports,
  keeper,
  areApart,
  bad,
  newestAt,
  ...ended
}: Case): Promise<Verdict> {
  const { hippo, expected } = workload;
  const identity = identityOf(topics.config, hippo);
  const violations: string[] = [];
  // Where partitions were added, those of one run are in two: the ids of a job's firings rise.
  const finishes = (await messagesOf(world, topics.of('finish')))
    .flatMap((value) => mine(hippo, parseFinish(value)))
    .sort((a, b) => secondOf(a) - secondOf(b));
  const starts = (await messagesOf(world, topics.of('start'))).flatMap((value) =>
    mine(hippo, parseStart(value)),
  );
  const attempts = await journal(directory);

  const byRun = Map.groupBy(finishes, ({ jobName, runKey }) => `${jobName} ${runKey ?? ''}`);
  for (const [run, expectation] of expected) {
    const problem = PROBLEMS[expectation](byRun.get(run) ?? [], newestAt);
    if (problem !== null) violations.push(`${run}: ${problem}`);
    const begun = attempts.filter(({ what, run: of }) => what === 'start' && of === run).length;
    if (begun > 0 === (expectation === 'marked')) violations.push(`${run}: ${begun} attempts were made`);
  }
  for (const run of byRun.keys())
    if (!expected.has(run)) violations.push(`${run}: no event asked for this run`);

  violations.push(...unpaired(starts, finishes, expected));
  for (const { what, run } of attempts)
    if (what === 'overlap' && !areApart) violations.push(`${run}: two attempts overlapped`);

  const dead = await deadLetters(world, topics, hippo);
  // A topic that is made again has its coordinates a second time.
  const places = [...Map.groupBy(bad, (place) => place)];
  for (const [place, { length }] of places) {
    const count = dead.filter((from) => from === place).length;
    if (count !== length)
      violations.push(`of ${length} bad messages at ${place} ${count} are in the dead-letter topic`);
  }
  if (dead.length !== bad.length)
    violations.push(`${dead.length} dead letters of ${bad.length} bad messages`);

  const events = await world.read(topics.of('frontier'));
  const announced = landings?.judge(events);
  const reported = reports?.judge(events);
  const kept = await keeper?.judge(events);
  const alerts = (await messagesOf(world, topics.of('alert'))).flatMap((value) =>
    mine(hippo, parseMessage('alert', value)),
  );
  const outputs = workload.keepsEvents ? judgeOutputs(hippo, events, finishes) : undefined;
  violations.push(
    ...(announced?.violations ?? []),
    ...(reported?.violations ?? []),
    ...(kept?.violations ?? []),
    ...(outputs?.violations ?? []),
    ...alertProblems({ workload, alerts, finishes, ...ended }),
    ...(await leftovers(world, directory, identity)),
    ...(await unsettled(world, topics, hippo)),
  );
  return {
    violations,
    runs: expected.size,
    finishes: finishes.length,
    attempts: attempts.filter(({ what }) => what === 'start').length,
    deadLetters: dead.length,
    landings: landings?.count ?? 0,
    events: announced?.events ?? 0,
    reports: reports?.count ?? 0,
    reported: reported?.events ?? 0,
    services: kept?.processes ?? 0,
    announced: kept?.events ?? 0,
    produced: outputs?.events ?? 0,
    alerts: alerts.filter(({ state }) => state === 'firing').map(({ condition }) => condition),
    alertsOver: alerts.filter(({ state }) => state === 'resolved').length,
    alertsTaken: workload.alarms?.taken.length ?? 0,
  };
}

function alertProblems({
  workload: { alarms },
  alerts,
  finishes,
  openAlerts,
  clients,
  wasFrozen,
}: Pick<Case, 'workload' | 'openAlerts' | 'clients' | 'wasFrozen'> & {
  alerts: readonly Alert[];
  finishes: readonly JobFinish[];
}): string[] {
  if (alarms === null)
    return alerts.map(({ alertId }) => `${alertId} is published without alerts in hippo.yaml`);
  return judgeAlerts({
    ...{ alerts, finishes, clients, wasFrozen },
    absent: new Set(alarms.runs('late')),
    mayBeAbsent: new Set(alarms.runs('any time')),
    paused: alarms.paused,
    open: new Set(openAlerts),
    taken: alarms.taken,
  });
}

const PROBLEMS: Record<
  Expectation,
  (finishes: readonly JobFinish[], newestAt: ReadonlySet<string>) => string | null
> = {
  'succeeded once': (finishes) => unless(finishes.length === 1 && finishes[0]?.isSuccess === true, finishes),
  'succeeded at last': (finishes) => unless(finishes.at(-1)?.isSuccess === true, finishes),
  marked: (finishes) =>
    unless(
      finishes.length === 1 && finishes[0]?.isSuccess === true && 'marked_by' in finishes[0].extra,
      finishes,
    ),
  'failed once': (finishes) => unless(finishes.length === 1 && finishes[0]?.isSuccess === false, finishes),
  'succeeded with the newest': (finishes, newestAt) => {
    const inputs = finishes.at(-1)?.receiveMsgs ?? [];
    const isNewest = inputs.some(({ topic, partition, offset }) =>
      newestAt.has(`${topic} ${partition} ${offset}`),
    );
    return unless(finishes.every(({ isSuccess }) => isSuccess) && finishes.length <= 3 && isNewest, finishes);
  },
};

function unless(fine: boolean, finishes: readonly JobFinish[]): string | null {
  if (fine) return null;
  const told = finishes.map(({ jobId, isSuccess }) => `${jobId} ${isSuccess ? 'succeeded' : 'failed'}`);
  return told.length === 0 ? 'no finish' : `finishes: ${told.join(', ')}`;
}

/** Each firing has one start and one finish, of the same id. */
function unpaired(
  starts: readonly JobStart[],
  finishes: readonly JobFinish[],
  expected: Workload['expected'],
): string[] {
  const began = starts.map(({ jobId }) => jobId);
  const ended = finishes
    .filter(({ jobName, runKey }) => expected.get(`${jobName} ${runKey ?? ''}`) !== 'marked')
    .map(({ jobId }) => jobId);
  return [
    ...[...new Set(began)]
      .filter((id) => !ended.includes(id))
      .map((id) => `${id} started and did not finish`),
    ...[...new Set(ended)]
      .filter((id) => !began.includes(id))
      .map((id) => `${id} finished and did not start`),
    ...repeated(began).map((id) => `${id} started twice`),
    ...repeated(ended).map((id) => `${id} finished twice`),
  ];
}

/** Of its job's id, `<job>_<epoch s>`. */
function secondOf({ jobId }: JobFinish): number {
  return Number(jobId.slice(jobId.lastIndexOf('_') + 1));
}

function repeated(ids: readonly string[]): string[] {
  return ids.filter((id, index) => ids.indexOf(id) !== index);
}

/** Those of one run in the order in which they were written: they are in one partition. */
async function messagesOf(world: World, topic: string): Promise<Buffer[]> {
  const records = await world.read(topic);
  return records
    .sort((a, b) => a.partition - b.partition || Number(a.offset - b.offset))
    .map(({ value }) => value ?? Buffer.alloc(0));
}

function mine<T extends { hippoName: string }>(hippo: string, parsed: Parsed<T>): T[] {
  return parsed.ok && parsed.message.hippoName === hippo ? [parsed.message] : [];
}

async function deadLetters(world: World, topics: Topics, hippo: string): Promise<string[]> {
  const records = await world.read(dlqName(topics.of('frontier')));
  const header = (record: KafkaRecord, name: string): string =>
    record.headers[`dlq.${name}`]?.toString() ?? '';
  return records
    .filter((record) => header(record, 'hippo') === hippo && record.key?.toString() === hippo)
    .map((record) => ['topic', 'partition', 'offset'].map((name) => header(record, name)).join(' '));
}

interface Noted {
  what: string;
  run: string;
}

async function journal(directory: string): Promise<Noted[]> {
  const text = await readFile(join(directory, 'journal'), 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const words = line.split(' ');
      return { what: words[0] ?? '', run: words.slice(1, -1).join(' ') };
    });
}

/** Nothing is left of a hippo that has been stopped. */
async function leftovers(world: World, directory: string, identity: string): Promise<string[]> {
  const processes = await processesTagged({ HIPPO_OWNER: `${world.clusterId}/${identity}` });
  const files = (await readdir(join(directory, '.hippo'), { recursive: true })).filter((name) =>
    /^(attempts\/|results\/[^/]+\/)|^client.*\.(json|draft)$/.test(name),
  );
  return [
    ...processes.map(
      ({ pid, environment }) => `process ${pid} of ${environment['HIPPO_ATTEMPT_ID'] ?? '?'} is left`,
    ),
    ...files.map((name) => `.hippo/${name} is left`),
  ];
}

/** All runs have ended, and the group's offsets say that everything has been taken in. */
async function unsettled(world: World, topics: Topics, hippo: string): Promise<string[]> {
  const state = new Map<string, string>();
  for (const { key, value } of await world.read(topics.of('state'))) {
    if (key?.toString().startsWith(`${hippo}/run/`) === true && value !== null)
      state.set(key.toString(), (JSON.parse(value.toString()) as { status: string }).status);
  }
  const open = [...state].filter(([, status]) => status === 'ready' || status === 'running');
  const inputs = (['frontier', 'finish', 'schedule'] as const).map((role) => topics.of(role));
  const committed = await world.kafka.committed(groupName(identityOf(topics.config, hippo)), inputs);
  const written = await Promise.all(
    inputs.map(async (topic) => (await world.kafka.offsets(topic)).map((range) => ({ topic, ...range }))),
  );
  const behind = written
    .flat()
    .filter(
      ({ topic, partition, low, high }) =>
        low < high && !committed.some((place) => place.topic === topic && place.partition === partition),
    );
  return [
    ...open.map(([key, status]) => `the state topic says that ${key} is ${status}`),
    ...behind.map(({ topic, partition }) => `no offset is committed for ${topic}[${partition}]`),
  ];
}

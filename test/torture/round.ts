/** One round of the crash test: a hippo's clients are ended again and again while messages come; then it must be as if nothing had been. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { processesTagged } from '../../src/client/host/process-group.ts';
import type { AlertList } from '../../src/alerts/list.ts';
import { groupName, identityOf } from '../../src/config/groups.ts';
import type { TopicRole } from '../../src/config/schema.ts';
import { pollStart } from '../../src/core/deadline.ts';
import type { KafkaRecord, OffsetRange, OutgoingRecord, TopicPartitionOffset } from '../../src/kafka/port.ts';
import { type Alert, parseFinish, parseMessage } from '../../src/messages/index.ts';
import { listPositions } from '../../src/state/index.ts';
import { type StateEntry, readState, recordOfEntry } from '../../src/state/reader.ts';
import { hippoJson } from '../support/cli.ts';
import { Alarms } from './alarms.ts';
import { Client, type Death } from './client.ts';
import { type Change, Operator } from './changes.ts';
import { MovableClock } from './faketime.ts';
import { Keeper } from './keeper.ts';
import { Landings } from './landings.ts';
import { lostCommits } from './lost-commits.ts';
import { textOf, topicOf } from './partition-log.ts';
import {
  type Disturbance,
  type Extras,
  type PlannedChange,
  type Scenario,
  changesOf,
  hasAlertsOf,
  keepsEvents,
  scenarioOf,
} from './scenario.ts';
import { Reports } from './reports.ts';
import { type Case, type Verdict, judge } from './verdict.ts';
import { type Message, type Workload, workloadOf, writeProject } from './workload.ts';
import { SECTIONS, type Topics, type World } from './world.ts';

export interface Round extends Verdict {
  seed: number;
  scenario: Scenario;
  /** How clients ended: `at <boundary>`, `SIGKILL`, `SIGTERM`, `SIGSTOP, then SIGTERM`. */
  deaths: string[];
  deliveries: number;
  /** From each death to the next owner, milliseconds. */
  takeovers: number[];
  took: number;
  /** null: there is a verdict. */
  givenUp: GivenUp | null;
  /** Where its files were kept: only if something was wrong. */
  kept: string | null;
}

/** A round that says nothing of hippo, and why. */
export interface GivenUp {
  reason: keyof typeof GIVING_UP;
  /** What shows it. */
  details: readonly string[];
}

export const GIVING_UP = {
  state: 'the state topic was made again while a client took over, before it had the state in memory',
  markers: 'Kafka lost a commit (KAFKA-20734)',
} as const;

/** A client that does not come to own in this time is ended all the same, milliseconds. */
const OWN_PATIENCE = 10_000;
/** A wait ends where the clients have told nothing for so long while the broker was there; and at the latest after `MOST_PATIENCE`. */
const QUIET_PATIENCE = 60_000;
const MOST_PATIENCE = 600_000;

export async function runRound(world: World, seed: number, extras: Extras): Promise<Round> {
  const begun = performance.now();
  const hippo = `h${seed}`;
  // What is done to shared topics is done to all rounds.
  const changes = changesOf(seed, extras);
  const prefix = changes.length > 0 ? `r${seed}.` : '';
  const topics = await world.topics(prefix);
  const alarms = hasAlertsOf(seed, changes)
    ? await Alarms.make(hippo, topics, seed, world.faketime !== null)
    : null;
  const workload = workloadOf(hippo, topics, keepsEvents(changes), alarms);
  const scenario = scenarioOf(
    seed,
    workload.messages.map(({ once }) => !once),
    extras,
  );
  const directory = join(world.folder, hippo);
  await mkdir(directory);
  const landings = scenario.hasSource ? new Landings(directory, hippo, seed) : null;
  const reports = scenario.hasReports ? await Reports.make(hippo, seed) : null;
  const keeper = scenario.services === 'none' ? null : new Keeper(directory, hippo);
  await writeProject(directory, workload, {
    ...SECTIONS,
    topics: { prefix },
    sources: { ...landings?.sources, ...reports?.sources },
    ...(keeper === null ? {} : { services: keeper.services }),
    ...(alarms === null ? {} : { alerts: alarms.alerts }),
  });
  await landings?.begin();
  await keeper?.begin();
  await mkdir(join(directory, '.hippo'), { recursive: true });
  const torture = new Torture({ world, topics, directory, workload, scenario, landings, reports, keeper });
  let givenUp: GivenUp | null = null;
  const verdict = await torture
    .run()
    .then(() => {
      const areApart = scenario.services === 'machines';
      const parts = { world, topics, directory, workload, landings, reports, keeper, areApart };
      return world.use(() => judge({ ...parts, ...torture.ended }));
    })
    .catch((error: unknown): Verdict => {
      if (error instanceof StateLost) givenUp = { reason: 'state', details: [error.message] };
      const violations = error instanceof StateLost ? [] : [`the round broke off: ${inspect(error)}`];
      return { ...NOTHING, violations };
    })
    .finally(async () => {
      torture.killAll();
      await alarms?.close();
    });
  const violations = [...torture.violations, ...verdict.violations];
  const isFine = violations.length === 0;
  if (isFine) await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  else {
    const lost = await torture.keepEvidence().catch((error: unknown) => {
      violations.push(`what the broker has could not be kept: ${inspect(error)}`);
      return [];
    });
    // What is found follows from it, or may: the hippo's state and its messages do not belong together any more.
    if (lost.length > 0) givenUp = { reason: 'markers', details: [...lost, ...violations.splice(0)] };
  }
  return {
    ...verdict,
    givenUp,
    violations,
    seed,
    scenario,
    deaths: torture.deaths,
    deliveries: scenario.order.length,
    takeovers: torture.takeovers,
    took: performance.now() - begun,
    kept: isFine ? null : directory,
  };
}

/** A client ended because the hippo's state is lost, which it did not have in memory. */
class StateLost extends Error {}

/** The client says that it cannot go on without the state: see `requireFirstStart`. */
function hasLostState({ code, words }: Death): boolean {
  return code === 2 && /state of \S+ is lost/.test(words);
}

/** Of each partition of the frontier topic, how many events are removed before they are read. */
const UNREAD = 5;

/** How many records a partition gets that is made again, by how many it had. */
const lengthAfter = {
  shorter: (before: number) => Math.floor(before / 2),
  equal: (before: number) => before,
  longer: (before: number) => before + 5,
} as const;

/** Why a wait was given up. */
const GAVE_UP = {
  silent: `no client has told anything for ${QUIET_PATIENCE / 1_000} s`,
  late: `not within ${MOST_PATIENCE / 60_000} minutes`,
} as const;

interface TortureParts {
  world: World;
  topics: Topics;
  directory: string;
  workload: Workload;
  scenario: Scenario;
  landings: Landings | null;
  reports: Reports | null;
  keeper: Keeper | null;
}

const NOTHING = {
  ...{ runs: 0, finishes: 0, attempts: 0, deadLetters: 0, landings: 0, events: 0 },
  ...{ services: 0, announced: 0, reports: 0, reported: 0, produced: 0 },
  ...{ alerts: [], alertsOver: 0, alertsTaken: 0 },
};

class Torture {
  readonly deaths: string[] = [];
  readonly violations: string[] = [];
  readonly takeovers: number[] = [];
  /** Where the bad messages went. */
  readonly bad: string[] = [];
  /** Where the newest landing of the run went that is about it, and copies of it: `<topic> <partition> <offset>`. */
  readonly newestAt = new Set<string>();
  readonly #world: World;
  readonly #topics: Topics;
  readonly #directory: string;
  readonly #workload: Workload;
  readonly #scenario: Scenario;
  readonly #operator: Operator;
  readonly #landings: Landings | null;
  readonly #reports: Reports | null;
  readonly #keeper: Keeper | null;
  readonly #clock: MovableClock | null;
  /** What has been delivered so far and may come again. */
  readonly #repeatable: Message[] = [];
  /** Records were removed that no client had read. */
  #hasLost = false;
  #delivered = 0;
  #diedAt: number | null = null;
  readonly #lingering: Promise<void>[] = [];
  readonly #clients: Client[] = [];
  /** What `hippo alerts list` shows in the end. */
  #openAlerts: readonly string[] = [];
  #wasFrozen = false;

  constructor({ world, topics, directory, workload, scenario, landings, reports, keeper }: TortureParts) {
    this.#landings = landings;
    this.#reports = reports;
    this.#keeper = keeper;
    this.#world = world;
    this.#topics = topics;
    this.#directory = directory;
    this.#workload = workload;
    this.#scenario = scenario;
    this.#operator = new Operator(world.kafka, topics.config);
    const movesClock = scenario.changes.some(({ change: { kind } }) => kind === 'clock moved');
    this.#clock = movesClock && world.faketime !== null ? new MovableClock(world.faketime, directory) : null;
  }

  async run(): Promise<void> {
    await this.#clock?.set('+0');
    const { alarms } = this.#workload;
    if (alarms?.hasWindows === true) await this.#beginEarlier(alarms);
    const written = new AbortController();
    const writing = Promise.all([this.#landings?.goOn(written.signal), this.#reports?.goOn(written.signal)]);
    // Its failure is the round's, when it is waited for.
    writing.catch(() => undefined);
    try {
      for (const [index, planned] of this.#scenario.changes.entries()) await this.#change(planned, index);
      await this.#disturb();
    } finally {
      written.abort();
      await writing;
    }
    if (alarms !== null) await this.#settleAlerts(alarms);
    if (this.#keeper !== null || this.#reports !== null) await this.#announcesAll();
    await this.#world.use(() => this.#finish());
    if (this.#hasLost) this.#mustTellOfLoss();
    if (alarms !== null) this.#openAlerts = await this.#listAlerts();
  }

  /** What the verdict is about, besides what Kafka says. */
  get ended(): Pick<Case, 'bad' | 'newestAt' | 'openAlerts' | 'clients' | 'wasFrozen'> {
    return {
      bad: this.bad,
      newestAt: this.newestAt,
      openAlerts: this.#openAlerts,
      clients: this.#clients.length,
      wasFrozen: this.#wasFrozen,
    };
  }

  /** A client owns the hippo some windows ago, and is ended. What is then read of the windows is a backlog. */
  async #beginEarlier(alarms: Alarms): Promise<void> {
    const { faketime } = this.#world;
    if (faketime === null) return;
    const clock = new MovableClock(faketime, this.#directory);
    await clock.set(alarms.firstClock);
    await this.#sendAll([alarms.pause]);
    const client = this.#start(null, [], clock.environment);
    await this.#lives(client, 'the first windows are not expected', async () => {
      const known = new Set<string>();
      await this.#readState(({ key }) => {
        if (key.kind === 'expected' || key.kind === 'paused') known.add(`${key.kind} ${key.job}`);
      });
      return [`expected ${alarms.expecting}`, ...[...alarms.paused].map((job) => `paused ${job}`)].every(
        (each) => known.has(each),
      );
    });
    client.kill('SIGTERM');
    await this.#mustEnd(client, 'SIGTERM');
    await this.#sendAll(alarms.landings('early'));
  }

  /**
   * What must be alerted is alerted, by a client that ends in the middle of it and the next one; then all of it comes to an end,
   * and is told.
   */
  async #settleAlerts(alarms: Alarms): Promise<void> {
    alarms.heal();
    const raised = [
      ...alarms.runs('late').map((run) => `absent ${run}`),
      ...alarms.mended.slice(-1).map((run) => `failed ${run}`),
      ...[...alarms.paused].map((job) => `paused ${job} `),
    ];
    const first = this.#start(this.#scenario.disturbances[0]);
    const client = await this.#lives(first, 'what must be alerted is not', async () => {
      const alerts = await this.#alerts();
      const finished = await this.#lastFinishes();
      return raised.every((what) => alerts.has(what)) && alarms.mended.every((run) => finished.has(run));
    });
    const failed = [...(await this.#lastFinishes())].filter(([, isSuccess]) => !isSuccess);
    await this.#sendAll(await alarms.settle(this.#directory, new Set(failed.map(([run]) => run))));
    const last = await this.#lives(client, 'what was alerted is not over, or not told', async () => {
      const alerts = await this.#alerts();
      const finished = await this.#lastFinishes();
      return (
        raised.every((what) => alerts.get(what)?.state === 'resolved') &&
        [...alarms.runs(), ...alarms.mended].every((run) => finished.get(run) === true) &&
        [...alerts.values()].every(({ alertId, state }) =>
          alarms.taken.some((taken) => taken.id === alertId && taken.state === state),
        )
      );
    });
    last.kill('SIGTERM');
    await this.#mustEnd(last, 'SIGTERM');
  }

  /** The last message of each alert, by `<condition> <subject> <run key>`. */
  async #alerts(): Promise<Map<string, Alert>> {
    const alerts = new Map<string, Alert>();
    for (const { value } of await this.#read('alert')) {
      const parsed = value === null ? undefined : parseMessage('alert', value);
      if (parsed?.ok !== true || parsed.message.hippoName !== this.#workload.hippo) continue;
      const { condition, subject, runKey = '' } = parsed.message;
      alerts.set(`${condition} ${subject} ${runKey}`, parsed.message);
    }
    return alerts;
  }

  /** Of each run whether its last finish is a success. */
  async #lastFinishes(): Promise<Map<string, boolean>> {
    const last = new Map<string, boolean>();
    for (const { value } of await this.#read('finish')) {
      const parsed = value === null ? undefined : parseFinish(value);
      if (parsed?.ok !== true || parsed.message.hippoName !== this.#workload.hippo) continue;
      const { jobName, runKey = '', isSuccess } = parsed.message;
      last.set(`${jobName} ${runKey}`, isSuccess);
    }
    return last;
  }

  /** Those of one key in the order in which they were written. */
  async #read(role: TopicRole): Promise<KafkaRecord[]> {
    const records = await this.#world.use(() => this.#world.read(this.#topics.of(role)));
    return records.sort((a, b) => a.partition - b.partition || Number(a.offset - b.offset));
  }

  async #listAlerts(): Promise<string[]> {
    const { json } = await this.#world.use(() =>
      hippoJson(['alerts', 'list'], {
        cwd: this.#directory,
        env: { HIPPO_BROKERS: this.#world.address, HIPPO_CONFIG: '', HIPPO_PROFILE: '' },
      }),
    );
    return (json as AlertList).alerts.map(({ id }) => id);
  }

  async #sendAll(records: readonly OutgoingRecord[]): Promise<void> {
    for (const record of records) await this.#world.use(() => this.#send(record));
  }

  /** How many messages are delivered when so many of the changes and disturbances are over. A change takes three shares. */
  #share(changes: number, disturbances: number): number {
    const { order, ...all } = this.#scenario;
    const shares = 3 * all.changes.length + all.disturbances.length + 1;
    return Math.ceil((order.length * (3 * changes + disturbances)) / shares);
  }

  /** A client takes in what there is; then something changes, while it runs or after its end; then it is ended. */
  async #change({ change, isRunning, after }: PlannedChange, index: number): Promise<void> {
    await this.#deliver(this.#share(index + 0.5, 0));
    const client = await this.#takesInAll();
    if (!isRunning) {
      client.kill('SIGKILL');
      await this.#mustEnd(client, 'SIGKILL');
    }
    const before = await this.#world.use(() => this.#operator.lengths());
    await this.#apply(change, isRunning ? client : null);
    await this.#deliver(this.#share(index + 1, 0));
    if (change.kind === 'topic made again') await this.#fillUp(before.map(lengthAfter[change.length]));
    if (isRunning) await this.#end(client, { fault: null, signal: 'SIGKILL', after }, null);
  }

  async #apply(change: Change, client: Client | null): Promise<void> {
    const operator = this.#operator;
    switch (change.kind) {
      case 'partitions added':
        return this.#world.use(() => operator.addPartitions(change.role));
      case 'topic made again':
        return this.#world.use(() => operator.makeAgain('frontier'));
      case 'state made again':
        await this.#world.use(() => operator.makeAgain('state'));
        return this.#mustWriteAgain(client);
      case 'records removed': {
        if (change.were === 'read') return this.#world.use(() => operator.removeRecords());
        client?.kill('SIGSTOP');
        const lengths = await this.#world.use(() => operator.lengths());
        await this.#repeat(lengths.map(() => UNREAD));
        await this.#world.use(() => operator.removeRecords());
        client?.kill('SIGCONT');
        this.#hasLost = true;
        return;
      }
      case 'limits lowered':
        return this.#world.use(() => operator.lowerLimits());
      case 'clock moved':
        await this.#clock?.set(change.by);
    }
  }

  /** Until it has, a client that ends takes the state with it. */
  async #mustWriteAgain(client: Client | null): Promise<void> {
    const isWritten = (): boolean =>
      client?.events.some((each) => each.event === 'notice' && each.text.includes('has written it again')) ===
      true;
    await this.#wait(() => isWritten() || client?.isDead !== false);
    const death = client?.isDead === true ? await client.death : null;
    if (isWritten()) return;
    if (client?.holdsState === false && death !== null && hasLostState(death))
      throw new StateLost(death.words);
    this.violations.push('the state was not written again after its topic was made again');
  }

  /** @param lengths how many records each partition is to have */
  async #fillUp(lengths: readonly number[]): Promise<void> {
    const present = await this.#world.use(() => this.#operator.lengths());
    await this.#repeat(lengths.map((length, partition) => length - (present[partition] ?? 0)));
  }

  /** Sends messages again that have been taken in: nothing follows from them. @param counts of each partition */
  async #repeat(counts: readonly number[]): Promise<void> {
    const topic = this.#topics.of('frontier');
    const known = this.#repeatable.filter(({ record }) => record.topic === topic);
    for (const [partition, count] of counts.entries()) {
      for (let number = 0; number < count && known.length > 0; number += 1) {
        const { record } = known[number % known.length] as Message;
        const sent = await this.#world.use(() => this.#world.send({ ...record, partition }));
        if (this.#isNewest(record)) this.newestAt.add(`${sent.topic} ${sent.partition} ${sent.offset}`);
      }
    }
  }

  #isNewest({ value }: OutgoingRecord): boolean {
    const text = String(value);
    return text.includes('"fresh"') && text.includes(String(this.#workload.newest));
  }

  /** Starts a client, and another one where it ends; returns it when its state tells that it has read all events. */
  async #takesInAll(): Promise<Client> {
    // Sources and services go on publishing.
    const ends = await this.#world.use(() => this.#world.kafka.offsets(this.#topics.of('frontier')));
    const client = await this.#lives(this.#start(null), 'a client has not read all events', () =>
      this.#world.use(() => this.#hasTakenIn(ends)),
    );
    await client.owns(OWN_PATIENCE);
    this.#noteTakeover(client);
    return client;
  }

  /** Waits until something is so, and starts another client where one ends. @param else_ a violation, where it does not come */
  async #lives(first: Client, else_: string, isSo: () => Promise<boolean>): Promise<Client> {
    let client = first;
    const outcome = await this.#wait(async () => {
      if (await isSo()) return true;
      if (client.isDead) {
        this.#bury(await client.death, client.crashesAt === null ? 'by itself' : `at ${client.crashesAt}`);
        await this.#world.ready();
        client = this.#start(null);
      }
      return false;
    });
    if (outcome !== 'ready') this.violations.push(`${else_}: ${GAVE_UP[outcome]}`);
    return client;
  }

  /**
   * Waits until something is so. How long that takes depends on the machine, on what else it does, and on the broker, which other
   * rounds end, too. So a wait goes on as long as there are signs of life.
   *
   * @param clients whose events are these signs
   * @returns `silent` when there was no sign for {@link QUIET_PATIENCE}, `late` after {@link MOST_PATIENCE}
   */
  #wait(
    isSo: () => boolean | Promise<boolean>,
    clients: readonly Client[] = this.#clients,
  ): ReturnType<typeof pollStart> {
    let away = 0;
    const sign = (): number => {
      // Nothing can be expected then, and its start has a patience of its own.
      if (this.#world.isBrokerAway) away += 1;
      const told = clients.reduce((sum, { signs }) => sum + 1 + signs, 0);
      return told + this.#world.brokerChanges + away;
    };
    return pollStart(isSo, { every: 100, millis: MOST_PATIENCE, quiet: QUIET_PATIENCE, sign });
  }

  async #hasTakenIn(ranges: readonly OffsetRange[]): Promise<boolean> {
    const topic = this.#topics.of('frontier');
    let read: TopicPartitionOffset[] = [];
    await this.#readState((entry) => {
      if (entry.key.kind !== 'offsets') return;
      const record = recordOfEntry(entry);
      if (record?.kind === 'offsets') read = listPositions(record.positions);
    });
    const next = new Map(
      read.filter((place) => place.topic === topic).map((place) => [place.partition, place.offset]),
    );
    return ranges.every(({ partition, low, high }) => low === high || (next.get(partition) ?? 0n) >= high);
  }

  #readState(onEntry: (entry: StateEntry) => void): Promise<void> {
    const { hippo } = this.#workload;
    const topic = this.#topics.of('state');
    return this.#world.use(() => readState(this.#world.kafka, topic, onEntry, hippo));
  }

  #mustTellOfLoss(): void {
    const topic = this.#topics.of('frontier');
    const hasTold = this.#clients.some(({ events }) =>
      events.some((event) => event.event === 'gap' && event.topic === topic),
    );
    if (!hasTold)
      this.violations.push('events were removed before they were read, and no client has said so');
  }

  async #disturb(): Promise<void> {
    const { disturbances, standby, broker, order, changes } = this.#scenario;
    const { alarms } = this.#workload;
    let client = this.#start(disturbances[0]);
    const broken: Promise<void>[] = [];
    for (const [index, disturbance] of disturbances.entries()) {
      if (broker?.during === index) {
        const restart = this.#world.restartBroker(broker.how, broker.away);
        // Its failure is the round's, at its end.
        restart.catch(() => undefined);
        broken.push(restart);
      }
      if (alarms !== null && index === Math.floor(disturbances.length / 2))
        await this.#sendAll(await alarms.mend(this.#directory));
      const next = disturbances[index + 1];
      const delivery = this.#deliver(this.#share(changes.length, index + 1));
      await client.owns(OWN_PATIENCE);
      this.#noteTakeover(client);
      await this.#world.ready();
      const successor = standby && next !== undefined ? this.#start(next) : null;
      await this.#end(client, disturbance, successor);
      await delivery;
      await this.#world.ready();
      client = successor ?? this.#start(next ?? null);
    }
    await this.#deliver(order.length);
    await Promise.all(broken);
    client.kill('SIGKILL');
    await client.death;
    await Promise.all(this.#lingering);
  }

  #start(
    disturbance: Disturbance | null | undefined,
    args: readonly string[] = [],
    clock = this.#clock?.environment,
  ): Client {
    const fault = disturbance?.fault ?? null;
    const env = {
      HIPPO_BROKERS: this.#world.address,
      HIPPO_CRASH_AT: fault === null ? '' : `${fault.boundary}:${fault.nth}`,
      ...clock,
    };
    const isApart = this.#scenario.services === 'machines';
    const client = new Client(this.#directory, args, env, { isApart, crashesAt: fault?.boundary ?? null });
    this.#clients.push(client);
    return client;
  }

  /** What all clients have said, each line with the number of its client. */
  get said(): string {
    return this.#clients
      .flatMap(({ events }, client) => events.map((event) => ({ client, ...event })))
      .sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
      .map((event) => `${JSON.stringify(event)}\n`)
      .join('');
  }

  /**
   * Writes what the clients have said and what the broker has on its disk to the round's folder.
   *
   * @returns the commits that Kafka has lost, in words
   */
  async keepEvidence(): Promise<string[]> {
    await writeFile(join(this.#directory, 'clients.jsonl'), this.said);
    const into = join(this.#directory, 'partitions');
    await mkdir(into, { recursive: true });
    const id = groupName(identityOf(this.#topics.config, this.#workload.hippo));
    return this.#world.use(async () => {
      const partitions = await this.#world.partitions(this.#topics);
      for (const [name, bytes] of partitions)
        await writeFile(join(into, `${name}.txt`), textOf(bytes, topicOf(name)));
      return lostCommits(await this.#world.markersLeftOut(id), id, partitions);
    });
  }

  /** For a round that was broken off. */
  killAll(): void {
    for (const client of this.#clients) if (!client.isDead) client.kill('SIGKILL');
  }

  #noteTakeover(client: Client): void {
    const owner = client.events.find(({ event }) => event === 'owner');
    // A client whose clock was moved cannot tell when it came to own.
    if (owner === undefined || this.#diedAt === null || this.#clock !== null) return;
    this.takeovers.push(Date.parse(owner.at) - this.#diedAt);
    this.#diedAt = null;
  }

  async #end(client: Client, { fault, signal, after }: Disturbance, successor: Client | null): Promise<void> {
    const early = await client.died(after);
    this.#diedAt = Date.now();
    if (early !== null) {
      this.#bury(early, fault === null ? 'by itself' : `at ${fault.boundary}`);
    } else if (signal === 'SIGSTOP' && successor !== null) {
      this.#wasFrozen = true;
      client.kill('SIGSTOP');
      await successor.owns(OWN_PATIENCE);
      this.#lingering.push(this.#awake(client));
    } else {
      const sure = signal === 'SIGSTOP' ? 'SIGKILL' : signal;
      client.kill(sure);
      await this.#mustEnd(client, sure);
      if (sure === 'SIGTERM' && successor === null) await this.#mustLeaveNothing();
    }
  }

  /** A stopped client that goes on after another has taken over: it may do nothing but stand by, and end when told to. */
  async #awake(client: Client): Promise<void> {
    client.kill('SIGCONT');
    await sleep(1_500);
    client.kill('SIGTERM');
    await this.#mustEnd(client, 'SIGSTOP, SIGCONT, SIGTERM');
  }

  async #mustEnd(client: Client, how: string): Promise<void> {
    const outcome = await this.#wait(() => client.isDead, [client]);
    if (outcome !== 'ready') {
      this.violations.push(`a client did not end after ${how}: ${GAVE_UP[outcome]}`);
      client.kill('SIGKILL');
    }
    this.#bury(await client.death, how);
  }

  async #mustLeaveNothing(): Promise<void> {
    const owner = `${this.#world.clusterId}/${identityOf(this.#topics.config, this.#workload.hippo)}`;
    for (const { pid } of await processesTagged({ HIPPO_OWNER: owner }))
      this.violations.push(`process ${pid} survived the end of its client by SIGTERM`);
  }

  #bury({ code, signal, words }: Death, how: string): void {
    const wasExpected = signal === 'SIGKILL' ? how !== 'by itself' : code === 0 && how.includes('SIGTERM');
    this.deaths.push(wasExpected ? how : `exit code ${code ?? signal ?? 'unknown'}`);
    // A client that starts while the broker is away reports that and ends; a supervisor starts it again.
    const isAway = code === 3 && words.includes('cannot be reached') && this.#world.brokerDeaths > 0;
    if (!wasExpected && !isAway)
      this.violations.push(
        `a client ended with ${code ?? signal ?? 'nothing'}, ${how}: ${words.slice(-2_000)}`,
      );
  }

  async #deliver(until: number): Promise<void> {
    const { order, gaps } = this.#scenario;
    for (; this.#delivered < until; this.#delivered += 1) {
      await sleep(gaps[this.#delivered] ?? 0);
      const message = this.#workload.messages[order[this.#delivered] ?? 0];
      if (message === undefined) continue;
      const { topic, partition, offset } = await this.#world.use(() => this.#send(message.record));
      if (!message.once && !this.#workload.bad.includes(String(message.record.value)))
        this.#repeatable.push(message);
      const place = `${topic} ${partition} ${offset}`;
      const value = String(message.record.value);
      if (this.#workload.bad.includes(value)) this.bad.push(place);
      if (this.#isNewest(message.record)) this.newestAt.add(place);
    }
  }

  /** Where partitions come and go, each gets its share. */
  async #send(record: OutgoingRecord): Promise<TopicPartitionOffset> {
    if (this.#scenario.changes.length === 0) return this.#world.send(record);
    const { length } = await this.#world.kafka.offsets(record.topic);
    return this.#world.send({ ...record, partition: this.#delivered % length });
  }

  /** A client, undisturbed, publishes what its service announces and what is reported to it; then it is ended in order. */
  async #announcesAll(): Promise<void> {
    const [keeper, reports] = [this.#keeper, this.#reports];
    const client = this.#start(null);
    const read = (): Promise<KafkaRecord[]> =>
      this.#world.use(() => this.#world.read(this.#topics.of('frontier')));
    const made = (await keeper?.made())?.length ?? 0;
    await client.owns(OWN_PATIENCE);
    const calledOff = new AbortController();
    let areReported = reports === null;
    const reporting = reports?.finish(calledOff.signal).then(() => (areReported = true));
    const isDone = async (): Promise<boolean> =>
      client.isDead || (areReported && (keeper === null || keeper.announced(await read()).size >= made));
    // What is not announced then, the judge finds.
    await this.#wait(isDone);
    calledOff.abort();
    await reporting;
    client.kill('SIGTERM');
    await this.#mustEnd(client, 'SIGTERM');
    // What it made in its last moments a further process would announce: there is none.
    await keeper?.settle(await read());
  }

  /** A last client, undisturbed, does what is left; a further one finds nothing to do. */
  async #finish(): Promise<void> {
    for (const time of ['first', 'second'] as const) {
      const client = this.#start(null, ['--once']);
      const outcome = await this.#wait(() => client.isDead, [client]);
      if (outcome !== 'ready') {
        client.kill('SIGKILL');
        await client.death;
        this.violations.push(
          `hippo run --once did not end, ${GAVE_UP[outcome]}: ${client.events.map((each) => JSON.stringify(each)).join('\n')}`,
        );
        return;
      }
      const death = await client.death;
      if (death.code !== 0 && death.code !== 1) {
        this.violations.push(
          `hippo run --once ended with ${death.code ?? death.signal ?? ''}: ${death.words}`,
        );
      }
      const runs = client.events.filter(({ event }) => event === 'submitted');
      if (time === 'second' && runs.length > 0)
        this.violations.push(`the second hippo run --once still had ${runs.length} to run`);
    }
  }
}

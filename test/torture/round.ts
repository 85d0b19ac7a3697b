/** One round of the crash test: a hippo's clients are ended again and again while messages come; then it must be as if nothing had been. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { processesTagged } from '../../src/client/host/process-group.ts';
import { Client, type Death } from './client.ts';
import { type Disturbance, type Scenario, scenarioOf } from './scenario.ts';
import { type Verdict, judge } from './verdict.ts';
import { type Workload, workloadOf, writeProject } from './workload.ts';
import { SECTIONS, type World } from './world.ts';

export interface Round extends Verdict {
  seed: number;
  scenario: Scenario;
  /** How clients ended: `at <boundary>`, `SIGKILL`, `SIGTERM`, `SIGSTOP, then SIGTERM`. */
  deaths: string[];
  deliveries: number;
  /** From each death to the next owner, milliseconds. */
  takeovers: number[];
  took: number;
  /** Where its files were kept: only if something was wrong. */
  kept: string | null;
}

/** A client that does not come to own in this time is ended all the same, milliseconds. */
const OWN_PATIENCE = 10_000;
const END_PATIENCE = 60_000;
const FINAL_PATIENCE = 180_000;

export async function runRound(world: World, seed: number, withBroker: boolean): Promise<Round> {
  const begun = performance.now();
  const hippo = `h${seed}`;
  const workload = workloadOf(hippo, {
    frontier: world.topic('frontier'),
    finish: world.topic('finish'),
    schedule: world.topic('schedule'),
  });
  const scenario = scenarioOf(
    seed,
    workload.messages.map(({ once }) => !once),
    withBroker,
  );
  const directory = join(world.folder, hippo);
  await mkdir(directory);
  await writeProject(directory, workload, SECTIONS);
  const torture = new Torture(world, directory, workload, scenario);
  const verdict = await torture
    .run()
    .then(() => world.use(() => judge(world, directory, workload, torture.bad, torture.newestAt)))
    .catch((error: unknown): Verdict => ({
      ...NOTHING,
      violations: [`the round broke off: ${inspect(error)}`],
    }))
    .finally(() => torture.killAll());
  const violations = [...torture.violations, ...verdict.violations];
  const isFine = violations.length === 0;
  if (isFine) await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  else await writeFile(join(directory, 'clients.jsonl'), torture.said);
  return {
    ...verdict,
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

const NOTHING = { runs: 0, finishes: 0, attempts: 0, deadLetters: 0 };

class Torture {
  readonly deaths: string[] = [];
  readonly violations: string[] = [];
  readonly takeovers: number[] = [];
  /** Where the bad messages went. */
  readonly bad: string[] = [];
  newestAt = '';
  readonly #world: World;
  readonly #directory: string;
  readonly #workload: Workload;
  readonly #scenario: Scenario;
  #delivered = 0;
  #diedAt: number | null = null;
  readonly #lingering: Promise<void>[] = [];
  readonly #clients: Client[] = [];

  constructor(world: World, directory: string, workload: Workload, scenario: Scenario) {
    this.#world = world;
    this.#directory = directory;
    this.#workload = workload;
    this.#scenario = scenario;
  }

  async run(): Promise<void> {
    const { disturbances, standby, broker, order } = this.#scenario;
    let client = this.#start(disturbances[0]);
    const broken: Promise<void>[] = [];
    for (const [index, disturbance] of disturbances.entries()) {
      if (broker?.during === index) {
        const restart = this.#world.restartBroker(broker.how, broker.away);
        // Its failure is the round's, at its end.
        restart.catch(() => undefined);
        broken.push(restart);
      }
      const next = disturbances[index + 1];
      const share = Math.ceil((order.length * (index + 1)) / (disturbances.length + 1));
      const delivery = this.#deliver(share);
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
    await this.#world.use(() => this.#finish());
  }

  #start(disturbance: Disturbance | null | undefined, args: readonly string[] = []): Client {
    const fault = disturbance?.fault ?? null;
    const client = new Client(this.#directory, args, {
      HIPPO_BROKERS: this.#world.address,
      HIPPO_CRASH_AT: fault === null ? '' : `${fault.boundary}:${fault.nth}`,
    });
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

  /** For a round that was broken off. */
  killAll(): void {
    for (const client of this.#clients) if (!client.isDead) client.kill('SIGKILL');
  }

  #noteTakeover(client: Client): void {
    const owner = client.events.find(({ event }) => event === 'owner');
    if (owner === undefined || this.#diedAt === null) return;
    this.takeovers.push(Date.parse(owner.at) - this.#diedAt);
    this.#diedAt = null;
  }

  async #end(client: Client, { fault, signal, after }: Disturbance, successor: Client | null): Promise<void> {
    const early = await client.died(after);
    this.#diedAt = Date.now();
    if (early !== null) {
      this.#bury(early, fault === null ? 'by itself' : `at ${fault.boundary}`);
    } else if (signal === 'SIGSTOP' && successor !== null) {
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
    const death = await client.died(END_PATIENCE);
    if (death === null) {
      this.violations.push(`a client did not end within ${END_PATIENCE} ms of ${how}`);
      client.kill('SIGKILL');
    }
    this.#bury(death ?? (await client.death), how);
  }

  async #mustLeaveNothing(): Promise<void> {
    const owner = `${this.#world.clusterId}/${this.#workload.hippo}`;
    for (const { pid } of await processesTagged({ HIPPO_OWNER: owner }))
      this.violations.push(`process ${pid} survived the end of its client by SIGTERM`);
  }

  #bury({ code, signal, words }: Death, how: string): void {
    const wasExpected = signal === 'SIGKILL' ? how !== 'by itself' : code === 0 && how.includes('SIGTERM');
    this.deaths.push(wasExpected ? how : `exit code ${code ?? signal ?? 'unknown'}`);
    // Whoever starts while the broker is away says so and ends: a supervisor starts it again.
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
      const { topic, partition, offset } = await this.#world.use(() => this.#world.send(message.record));
      const place = `${topic} ${partition} ${offset}`;
      const value = String(message.record.value);
      if (this.#workload.bad.includes(value)) this.bad.push(place);
      if (value.includes('"fresh"') && value.includes(String(this.#workload.newest)) && this.newestAt === '')
        this.newestAt = place;
    }
  }

  /** A last client, undisturbed, does what is left; a further one finds nothing to do. */
  async #finish(): Promise<void> {
    for (const time of ['first', 'second'] as const) {
      const client = this.#start(null, ['--once']);
      const death = await client.died(FINAL_PATIENCE);
      if (death === null) {
        this.violations.push(
          `hippo run --once did not end: ${client.events.map((each) => JSON.stringify(each)).join('\n')}`,
        );
        client.kill('SIGKILL');
        await client.death;
        return;
      }
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

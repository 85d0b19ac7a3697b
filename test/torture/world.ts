/** What all rounds share: a broker that can be ended and started again, its topics, and a connection to it. */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGunzip, createGzip } from 'node:zlib';
import getPort, { clearLockedPorts, portNumbers } from 'get-port';
import { type Config, type TopicRole, parseConfig } from '../../src/config/schema.ts';
import { topicName } from '../../src/config/topics.ts';
import { UserError } from '../../src/core/errors.ts';
import { connectKafka } from '../../src/kafka/connect.ts';
import type { Kafka, KafkaRecord, OutgoingRecord, TopicPartitionOffset } from '../../src/kafka/port.ts';
import { topicSpecs } from '../../src/kafka/topics.ts';
import { type RunningBroker, startBroker } from '../../src/stack/broker.ts';
import { isAlive } from '../../src/core/environment/index.ts';
import { watchdog } from '../support/watchdog.ts';
import { findFaketime } from './faketime.ts';
import { type LeftOut, leftOutIn } from './lost-commits.ts';
import { readPartitions } from './partition-log.ts';

/** Sections of hippo.yaml that every hippo here has. A short session: each death is waited out. */
export const SECTIONS = {
  client: { session_timeout: '2s', health_interval: '5s', kill_grace: '300ms' },
} as const;

/** With it there is the alert topic, which only some hippos here use. */
const WITH_ALERTS = { ...SECTIONS, alerts: {} };
const config = parseConfig(WITH_ALERTS);

const PATIENCE = 60_000;

/** The topics that one round uses. */
export interface Topics {
  config: Config;
  of(role: TopicRole): string;
}

interface WorldParts {
  folder: string;
  broker: RunningBroker;
  kafka: Kafka;
  clusterId: string;
  faketime: string | null;
  /** Calls the watchdog off. */
  callOff: () => void;
}

export class World {
  /** `host:port` */
  readonly address: string;
  readonly folder: string;
  readonly kafka: Kafka;
  readonly clusterId: string;
  /** The library that moves a client's clock; null where there is none. */
  readonly faketime: string | null;
  /** How often the broker was ended. */
  brokerDeaths = 0;
  #brokerStarts = 1;
  readonly #dataDirectory: string;
  readonly #logFile: string;
  #pid: number;
  readonly #port: number;
  readonly #callOff: () => void;
  #users = 0;
  #away: Promise<void> | null = null;
  #isClosed = false;
  readonly #closed = Promise.withResolvers<undefined>();

  /** @param withClock whether clients' clocks are to be moved */
  static async create(withClock = false): Promise<World> {
    const folder = await mkdtemp(join(tmpdir(), 'hippo-torture-'));
    const callOff = watchdog(folder);
    // Below the ports that the kernel gives to connections, and not where the next world looks first: no other program
    // takes it while the
    // broker is away.
    const port = portNumbers(20_000 + Math.floor(Math.random() * 9_000), 29_999);
    const broker = await start(folder, await getPort({ host: '127.0.0.1', port }));
    const kafka = await connectKafka({ brokers: broker.brokers, settings: config.kafka });
    await kafka.createTopics(topicSpecs(config));
    const { clusterId } = await kafka.cluster();
    const faketime = withClock ? await findFaketime() : null;
    return new World({ folder, broker, kafka, clusterId, faketime, callOff });
  }

  private constructor({ folder, broker, kafka, clusterId, faketime, callOff }: WorldParts) {
    this.folder = folder;
    this.address = broker.brokers[0] ?? '';
    this.kafka = kafka;
    this.clusterId = clusterId;
    this.faketime = faketime;
    this.#dataDirectory = broker.dataDirectory;
    this.#logFile = broker.logFile;
    this.#pid = broker.pid;
    this.#port = broker.port;
    this.#callOff = callOff;
  }

  /**
   * The topics of the hippos of a prefix. They exist when this resolves.
   *
   * @param prefix empty: the topics that most hippos here share
   */
  async topics(prefix = ''): Promise<Topics> {
    const own = prefix === '' ? config : parseConfig({ ...WITH_ALERTS, topics: { prefix } });
    if (prefix !== '') await this.use(() => this.kafka.createTopics(topicSpecs(own)));
    return { config: own, of: (role) => topicName(own, role) };
  }

  /**
   * Ends the broker, and starts it again when `back` resolves, or after so many milliseconds. A second call meanwhile waits
   * for the same restart.
   */
  async restartBroker(how: 'SIGTERM' | 'SIGKILL', back: number | Promise<unknown>): Promise<void> {
    this.#away ??= this.#restart(how, back).finally(() => (this.#away = null));
    await this.#away;
  }

  async #restart(how: 'SIGTERM' | 'SIGKILL', back: number | Promise<unknown>): Promise<void> {
    while (this.#users > 0) await sleep(20);
    process.kill(this.#pid, how);
    while (await isAlive(this.#pid)) await sleep(20);
    this.brokerDeaths += 1;
    // The start that follows would keep the log of this one broker only.
    await pipeline(
      createReadStream(this.#logFile),
      createGzip(),
      createWriteStream(`${this.#logFile}.${this.brokerDeaths}.gz`),
    );
    await Promise.race([typeof back === 'number' ? sleep(back) : back, this.#closed.promise]);
    if (this.#isClosed) return;
    this.#pid = (await start(this.folder, this.#port)).pid;
    this.#brokerStarts += 1;
  }

  get isBrokerAway(): boolean {
    return this.#away !== null;
  }

  /** Rises each time the broker is ended or started. */
  get brokerChanges(): number {
    return this.brokerDeaths + this.#brokerStarts;
  }

  /** What the broker has on its disk of the topics, and of transactions. */
  partitions({ config: own }: Topics): Promise<Map<string, Buffer>> {
    const topics = topicSpecs(own).map(({ topic }) => topic);
    return readPartitions(this.#dataDirectory, topics);
  }

  /** What the brokers have logged of markers of this transactional id that they left out. */
  async markersLeftOut(transactionalId: string): Promise<LeftOut[]> {
    const folder = join(this.folder, 'kafka');
    const logs = (await readdir(folder)).filter((name) => /^broker\.log(\.\d+\.gz)?$/.test(name));
    const found: LeftOut[] = [];
    for (const name of logs) {
      const file = createReadStream(join(folder, name));
      const input = name.endsWith('.gz') ? file.pipe(createGunzip()) : file;
      for await (const line of createInterface({ input })) {
        const leftOut = leftOutIn(line, transactionalId);
        if (leftOut !== undefined) found.push(leftOut);
      }
    }
    return found;
  }

  /** Does what needs the broker; waits for it where it is away, and keeps it there. */
  async use<T>(work: () => Promise<T>): Promise<T> {
    // Not by ready(): between its end and the next line another step could end the broker again.
    while (this.#away !== null) await this.#away;
    this.#users += 1;
    try {
      return await work();
    } finally {
      this.#users -= 1;
    }
  }

  /** Waits until the broker is there, if it is away. */
  async ready(): Promise<void> {
    while (this.#away !== null) await this.#away;
  }

  async send(record: OutgoingRecord): Promise<TopicPartitionOffset> {
    const producer = await this.kafka.producer();
    const [place] = await producer.send([record]);
    return place as TopicPartitionOffset;
  }

  /**
   * The committed records of a topic: all that are there by now. Another hippo's transaction that is open, since its client was
   * ended in the middle of it, holds them back until its next owner, or Kafka, has ended it.
   */
  async read(topic: string): Promise<KafkaRecord[]> {
    const ranges = await this.kafka.offsets(topic);
    const reader = await this.kafka.reader({
      from: ranges.map(({ partition, low }) => ({ topic, partition, offset: low })),
      until: ranges.map(({ partition, high }) => ({ topic, partition, offset: high })),
      maxWait: 50,
      patience: PATIENCE,
    });
    const records: KafkaRecord[] = [];
    for await (const batch of reader) records.push(...batch.records);
    return records;
  }

  /** Ends the broker for good. @param keep leave the files, to look for what went wrong */
  async close(keep = false): Promise<void> {
    this.#isClosed = true;
    this.#closed.resolve(undefined);
    await this.#away?.catch(() => undefined);
    await this.kafka.close();
    this.#callOff();
    if (await isAlive(this.#pid)) process.kill(this.#pid, 'SIGKILL');
    while (await isAlive(this.#pid)) await sleep(20);
    if (!keep) await rm(this.folder, { recursive: true, force: true });
  }
}

/** A client that looks for the broker while it is away may have got its port for its own end of the connection, for a moment. */
async function start(folder: string, port: number): ReturnType<typeof startBroker> {
  const deadline = performance.now() + PATIENCE;
  for (;;) {
    // get-port gives no port twice within some seconds; we want the same one again.
    clearLockedPorts();
    try {
      return await startBroker({
        directory: join(folder, 'kafka'),
        port,
        properties: { 'group.min.session.timeout.ms': '500' },
      });
    } catch (error) {
      if (!(error instanceof UserError) || performance.now() > deadline) throw error;
      await sleep(200);
    }
  }
}

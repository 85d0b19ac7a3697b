import { Retry, pause, within } from '../core/deadline.ts';
import type { HippoError } from '../core/errors.ts';
import {
  type Doing,
  type Unreachability,
  connectionReason,
  errorType,
  isConnectionError,
  isRetriable,
  isUnresolved,
  translate,
  unknownTopic,
  unreachable,
  unspokenWish,
} from './errors.ts';
import { type CoordinatorError, UnreachableError } from './failures.ts';
import { failLacking } from './lacking.ts';
import { onGroup, onTopic, onTransactionalId } from './rights.ts';
import {
  type Api,
  Broker,
  type ConnectionSettings,
  type ErrorName,
  FindCoordinator,
  ListOffsets,
  Metadata,
  type MetadataResponse,
  ProtocolError,
  closedError,
  debug,
  errorNamed,
  errorOf,
} from './wire/index.ts';

/** Between the first tries of two brokers of the list: the first one that answers is used. */
const STAGGER_MS = 250;

/** What a broker coordinates for its clients. */
export type CoordinatorKind = 'group' | 'transaction';

/** @returns why the brokers have no coordinator of this kind; undefined where that is not known */
export type ExplainCoordinator = (
  cluster: Cluster,
  kind: CoordinatorKind,
) => Promise<CoordinatorError | undefined>;

/** Errors after which another broker may be the coordinator. */
const COORDINATOR_GONE = new Set<ErrorName | undefined>([
  'COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR',
  'TRANSACTION_COORDINATOR_FENCED',
]);

/**
 * The brokers of one cluster: who leads what, and one connection to each that is needed.
 *
 * Guarantees: a broker that cannot be reached costs at most the connect timeout; what it throws is already translated
 * when it comes from {@link Cluster.attempt}, and kafkajs's own elsewhere.
 */
export class Cluster {
  readonly settings: ConnectionSettings;
  readonly #explain: ExplainCoordinator;
  #nodes = new Map<number, Broker>();
  /** Addresses that brokers advertise, and the broker that answered with them. */
  readonly #advertised = new Map<string, string>();
  /** How many brokers the cluster has had at most; 0: not known. */
  #size = 0;
  #seed: Broker | undefined;
  #leaders = new Map<string, Map<number, number>>();
  readonly #topicIds = new Map<string, string>();
  /** Node ids, by kind and key. */
  #coordinators = new Map<string, number>();
  #controller: number | undefined;
  #reconnecting: Promise<void> | undefined;
  #closed = false;

  /** @param explain asked when there has been no coordinator for a while; left out: not known */
  constructor(settings: ConnectionSettings, explain: ExplainCoordinator = () => Promise.resolve(undefined)) {
    this.settings = settings;
    this.#explain = explain;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  get brokers(): readonly string[] {
    return this.settings.brokers;
  }

  /**
   * Checks that a broker answers and accepts our credentials.
   *
   * @param signal gives up when it is aborted
   * @throws ServiceError within the connect timeout, naming each broker that was tried and why it failed
   * @throws the signal's reason
   */
  async connect(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#closed) throw closedError();
    const reasons = new Map<string, Unreachability>();
    const late = (): never => {
      for (const address of this.brokers)
        if (!reasons.has(address)) reasons.set(address, { reason: 'no answer' });
      throw unreachable({ brokers: this.brokers }, reasons);
    };
    const tried: Broker[] = [];
    const settled = new AbortController();
    const attempts = this.brokers.map(async (address, index) => {
      if (index > 0) await pause(index * STAGGER_MS, settled.signal);
      settled.signal.throwIfAborted();
      const broker = new Broker(address, this.settings);
      tried.push(broker);
      let answered = false;
      try {
        await broker.connect();
        answered = true;
        await this.#enter(broker);
        return broker;
      } catch (error) {
        const { tls } = this.settings;
        const contact = { tls: tls !== null, certificate: tls?.cert !== undefined, answered };
        reasons.set(address, unspokenWish(error, contact) ?? { reason: connectionReason(error) });
        throw error;
      }
    });
    try {
      this.#seed = await within(Promise.any(attempts), {
        millis: this.settings.connectTimeout,
        late,
        signal,
      });
    } catch (error) {
      if (!(error instanceof AggregateError)) throw error;
      throw this.#firstOf(error.errors, reasons);
    } finally {
      settled.abort();
      for (const broker of tried) if (broker !== this.#seed || this.isClosed) broker.close();
    }
    if (this.isClosed) throw closedError();
  }

  /** An error about credentials or certificates is more useful than one about a broker that is down. */
  #firstOf(errors: unknown[], reasons: Map<string, Unreachability>): Error {
    const telling = errors.find((error) => !isConnectionError(error));
    return telling === undefined
      ? unreachable({ brokers: this.brokers }, reasons, errors[0])
      : translate(telling, { brokers: this.brokers });
  }

  /**
   * An open connection does not prove that the broker accepts it: a broker that requires credentials closes it at the
   * first request.
   */
  async #enter(broker: Broker): Promise<void> {
    if (this.settings.sasl !== null) return;
    await this.send(broker, ListOffsets, { replicaId: -1, isolationLevel: 0, topics: [] });
  }

  /** Sends one request to one broker. Drops the connections to the broker if the request fails. */
  async send<Request, Response extends object>(
    broker: Broker,
    api: Api<Request, Response>,
    request: Request,
  ): Promise<Response> {
    if (this.#closed) throw closedError();
    try {
      return await broker.send(api, request);
    } catch (error) {
      if (isConnectionError(error)) this.forget(broker);
      throw error;
    }
  }

  /** Any broker that can be reached. */
  async any(): Promise<Broker> {
    const connected = [...this.#nodes.values(), ...(this.#seed === undefined ? [] : [this.#seed])].find(
      (broker) => broker.isConnected,
    );
    if (connected !== undefined) return connected;
    const late = (): never => {
      throw new Error('no answer');
    };
    for (const broker of this.#nodes.values()) {
      try {
        await within(this.reach(broker), { millis: this.settings.connectTimeout, late });
        return broker;
      } catch (error) {
        debug('a broker does not answer', { broker: broker.address, error: String(error) });
      }
    }
    this.#reconnecting ??= this.#reconnect().finally(() => (this.#reconnecting = undefined));
    await this.#reconnecting;
    return this.#seed as unknown as Broker;
  }

  /** Callers that ask at the same time share one request. */
  async #reconnect(): Promise<void> {
    if (this.#seed !== undefined) this.forget(this.#seed);
    await this.connect();
  }

  /** @param topics null: all of them; none: only the brokers */
  async metadata(topics: readonly string[] | null): Promise<MetadataResponse> {
    const broker = await this.any();
    const answer = await this.send(broker, Metadata, { topics });
    this.#learn(answer, broker.address);
    return answer;
  }

  /** The partitions of a topic, in order; asks the cluster the first time. */
  async partitions(topic: string): Promise<number[]> {
    const known = this.#leaders.get(topic) ?? (await this.refresh([topic])).get(topic);
    return [...(known ?? new Map<number, number>()).keys()].sort((a, b) => a - b);
  }

  /**
   * Asks for the leaders of the topics again. It returns the answer itself, because other callers may change the cached
   * leaders meanwhile.
   *
   * @returns topic → partition → node id of its leader, -1 where it has none
   * @throws UserError for a topic that does not exist
   */
  async refresh(topics: readonly string[]): Promise<ReadonlyMap<string, ReadonlyMap<number, number>>> {
    const { topicMetadata } = await this.metadata(topics);
    for (const { topic, topicErrorCode } of topicMetadata) {
      if (errorNamed(topicErrorCode) === 'UNKNOWN_TOPIC_OR_PARTITION')
        throw unknownTopic(topic, this.brokers, { cause: errorOf(topicErrorCode) });
      if (errorNamed(topicErrorCode) !== 'LEADER_NOT_AVAILABLE')
        failLacking(topicErrorCode, onTopic('Describe', topic));
    }
    return leadersOf(topicMetadata);
  }

  /** The broker that leads a partition. */
  async leader(topic: string, partition: number): Promise<Broker> {
    let leader = this.#leaders.get(topic)?.get(partition);
    if (leader === undefined || leader < 0) leader = (await this.refresh([topic])).get(topic)?.get(partition);
    if (leader === undefined) {
      const cause = new ProtocolError('UNKNOWN_TOPIC_OR_PARTITION');
      throw unknownTopic(topic, this.brokers, { partition, cause });
    }
    if (leader < 0) throw new ProtocolError('LEADER_NOT_AVAILABLE');
    return this.node(leader);
  }

  /** The id that a topic had when it was last asked about. */
  topicId(topic: string): string | undefined {
    return this.#topicIds.get(topic);
  }

  /** Forgets the leaders of these topics, so the next use asks for them again. */
  forgetLeaders(topics: Iterable<string>): void {
    for (const topic of topics) this.#leaders.delete(topic);
  }

  async node(nodeId: number): Promise<Broker> {
    const known = this.#nodes.get(nodeId);
    if (known !== undefined) return known;
    await this.metadata([...this.#leaders.keys()].slice(0, 1));
    const broker = this.#nodes.get(nodeId);
    if (broker === undefined) throw new ProtocolError('BROKER_NOT_AVAILABLE');
    return broker;
  }

  nodes(): Broker[] {
    return [...this.#nodes.values()];
  }

  /** The broker that creates and deletes topics. With KRaft any broker forwards the request. */
  async controller(): Promise<Broker> {
    if (this.#controller === undefined) await this.metadata(null);
    return this.#controller === undefined || this.#controller < 0 ? this.any() : this.node(this.#controller);
  }

  /**
   * Does `work` with the broker that coordinates a group or a transactional id; it is asked for again where that has
   * moved.
   */
  async atCoordinator<T>(
    kind: CoordinatorKind,
    key: string,
    work: (broker: Broker) => Promise<T>,
  ): Promise<T> {
    try {
      return await work(await this.#coordinator(kind, key));
    } catch (error) {
      if (COORDINATOR_GONE.has(errorType(error))) this.#coordinators.delete(`${kind} ${key}`);
      throw error;
    }
  }

  async #coordinator(kind: CoordinatorKind, key: string): Promise<Broker> {
    const name = `${kind} ${key}`;
    const known = this.#coordinators.get(name);
    if (known !== undefined) return this.node(known);
    if (this.#size === 0) await this.metadata([]);
    const asked = await this.any();
    const answer = await this.send(asked, FindCoordinator, {
      groupId: key,
      coordinatorType: kind === 'group' ? 0 : 1,
    });
    failLacking(answer.errorCode, onGroup('Describe', key), onTransactionalId('Describe', key));
    const { nodeId, host, port } = answer.coordinator;
    this.#coordinators.set(name, nodeId);
    return this.#adopt(nodeId, `${host}:${port}`, asked.address);
  }

  /**
   * Does `work` again while what it throws is worth another try: for the connect timeout when no broker can be reached; for
   * the request timeout when they answer "not now", or when one of several is down. If they have no coordinator for the
   * connect timeout, and a setting of theirs is the reason, it throws a {@link CoordinatorError}.
   *
   * @throws HippoError what {@link translate} makes of the last failure
   */
  async attempt<T>(doing: Omit<Doing, 'brokers'>, work: () => Promise<T>): Promise<T> {
    const retry = new Retry({ first: 50, most: 500 });
    const started = Date.now();
    let unreachableSince: number | undefined;
    let wasLookedAt = false;
    /** Says more than a later one that there was no answer in time. */
    let unresolved: unknown;
    for (;;) {
      try {
        return await work();
      } catch (error) {
        const lost = isConnectionError(error);
        if (lost && isUnresolved(error)) unresolved = error;
        if (lost) unreachableSince ??= Date.now();
        else unreachableSince = unresolved = undefined;
        if (errorType(error) === 'NOT_CONTROLLER') this.#controller = undefined;
        const patient =
          unreachableSince === undefined
            ? isRetriable(error) &&
              Date.now() - started < this.settings.requestTimeout &&
              !(errorType(error) === 'UNKNOWN_TOPIC_OR_PARTITION' && isPlaced(error, doing))
            : Date.now() - unreachableSince < this.#patienceWith(error);
        if (!wasLookedAt && isSlow(error, Date.now() - started, this.settings)) {
          wasLookedAt = true;
          const unmet = await this.#explain(this, doing.group === undefined ? 'transaction' : 'group');
          if (unmet !== undefined) throw unmet;
        }
        if (!patient || this.#closed) throw this.translate(lost ? (unresolved ?? error) : error, doing);
        debug('trying again', { error: String(error) });
        await retry.pause();
      }
    }
  }

  /**
   * How long a lost connection is tried again, milliseconds. The others need about ten seconds to notice that one of them is
   * down; then they name another leader or coordinator.
   */
  #patienceWith(error: unknown): number {
    const { connectTimeout, requestTimeout } = this.settings;
    const isOneOfSeveral = this.#size > 1 && !(error instanceof UnreachableError) && !isUnresolved(error);
    return isOneOfSeveral ? Math.max(connectTimeout, requestTimeout) : connectTimeout;
  }

  /** See {@link translate}. */
  translate(error: unknown, doing: Omit<Doing, 'brokers'> = {}): HippoError {
    return translate(error, {
      brokers: this.brokers,
      principal: this.settings.principal,
      advertised: this.#advertised,
      ...doing,
    });
  }

  /** Drops a connection that has failed; the next use opens another one. */
  forget(broker: Broker): void {
    if (this.#seed === broker) this.#seed = undefined;
    for (const [nodeId, node] of this.#nodes) if (node === broker) this.#nodes.delete(nodeId);
    this.#leaders.clear();
    this.#coordinators.clear();
    this.#controller = undefined;
    broker.close();
  }

  close(): Promise<void> {
    this.#closed = true;
    for (const broker of new Set([
      ...this.#nodes.values(),
      ...(this.#seed === undefined ? [] : [this.#seed]),
    ]))
      broker.close();
    this.#nodes.clear();
    this.#seed = undefined;
    return Promise.resolve();
  }

  #learn({ brokers, controllerId, topicMetadata }: MetadataResponse, by: string): void {
    this.#controller = controllerId;
    this.#size = Math.max(this.#size, brokers.length);
    for (const { nodeId, host, port } of brokers) this.#adopt(nodeId, `${host}:${port}`, by);
    const leaders = leadersOf(topicMetadata);
    for (const { topic, topicId, partitionMetadata } of topicMetadata) {
      const ofTopic = leaders.get(topic);
      // A topic that does not exist has no partitions; it may be created later.
      if (ofTopic === undefined || partitionMetadata.length === 0) {
        this.#leaders.delete(topic);
        this.#topicIds.delete(topic);
      } else {
        this.#leaders.set(topic, ofTopic);
        this.#topicIds.set(topic, topicId);
      }
    }
  }

  /** @param by the broker that answered with this address */
  #adopt(nodeId: number, address: string, by: string): Broker {
    if (address !== by) this.#advertised.set(address, by);
    const known = this.#nodes.get(nodeId);
    if (known?.address === address) return known;
    known?.close();
    const broker = this.#seed?.address === address ? this.#seed : new Broker(address, this.settings);
    this.#nodes.set(nodeId, broker);
    return broker;
  }

  /** Opens a connection to the broker, if there is none. Drops those that there are if it cannot be reached. */
  async reach(broker: Broker): Promise<void> {
    if (this.#closed) throw closedError();
    try {
      await broker.connect();
    } catch (error) {
      if (isConnectionError(error)) this.forget(broker);
      throw error;
    }
  }
}

/** Whether it is known which topic the error is about. */
function isPlaced(error: unknown, { topic }: Omit<Doing, 'brokers'>): boolean {
  return topic !== undefined || (error instanceof ProtocolError && error.place !== undefined);
}

/** Kafka creates its own topics when they are first needed, which takes a moment. */
function isSlow(error: unknown, millis: number, { connectTimeout }: ConnectionSettings): boolean {
  return errorType(error) === 'COORDINATOR_NOT_AVAILABLE' && millis >= connectTimeout;
}

function leadersOf(topics: MetadataResponse['topicMetadata']): Map<string, Map<number, number>> {
  return new Map(
    topics.map(({ topic, partitionMetadata }) => [
      topic,
      new Map(partitionMetadata.map(({ partitionId, leader }) => [partitionId, leader])),
    ]),
  );
}

import { randomUUID } from 'node:crypto';
import { absentTopic, isUnknownTopic } from '../../kafka/errors.ts';
import {
  AbsentError,
  DeniedError,
  FencedError,
  RecordTooLargeError,
  LeaderlessError,
  RefusedError,
} from '../../kafka/failures.ts';
import type {
  Kafka,
  Membership,
  OffsetRange,
  Reader,
  RecordBatch,
  TopicPartitionOffset,
  TransactionalProducer,
  Trouble,
} from '../../kafka/port.ts';
import { isAborted } from '../../core/abort.ts';
import { type HippoError, ServiceError, messageOf } from '../../core/errors.ts';
import type { Millis, SteadyClock } from '../../core/clock.ts';
import { listed } from '../../core/listed.ts';
import {
  COMMON_INPUTS,
  type InputRole,
  dlqName,
  inputRoles,
  messageNeedRoles,
  topicName,
  usedRoles,
} from '../../config/topics.ts';
import type { Config } from '../../config/schema.ts';
import {
  type AlertDelivery,
  type Definition,
  type DeniedRight,
  type MachineState,
  type ServiceTold,
  type ToldEvent,
  awaitsInputs,
  emptyState,
  hasWork,
  listOpenRuns,
  listRuns,
  nextWake,
  recordsOf,
  restore,
} from '../machine/index.ts';
import { Aside } from './aside.ts';
import type { AttemptLogs } from './attempt-logs.ts';
import { CatchUp, type Since } from './catch-up.ts';
import { type ClientLog, gapEvent } from './client-event.ts';
import { type Connection, refusal } from './connection.ts';
import { faultPoint } from './fault.ts';
import type { HookOutcome } from '../hooks.ts';
import type { HookRunner } from './hook-runner.ts';
import { Limits, describeExcess, requiredRecord } from './limits.ts';
import { type Arrival, Mailbox, type ToldFinding, announcerOf } from './mailbox.ts';
import {
  type Positions,
  type StateValue,
  describeStateKey,
  listPositions,
  sinceOf,
  withPosition,
  withSince,
} from '../../state/index.ts';
import { startPositions } from './positions.ts';
import { InputProgress } from './progress.ts';
import { requireFirstStart, stateWrittenAnew } from './lost-state.ts';
import { type Claimant, type FoundState, type StoredState, StateTopic } from './state-topic.ts';
import { type AttemptExit, type Supervisor, hookRun } from './supervisor.ts';
import type { Services } from './services/services.ts';
import type { WatchedSource } from './sources.ts';
import { Turn, eventKey, messageKey } from './turn.ts';
import { Unwritable, type UnwritablePlace } from './unwritable.ts';
import { Watchers } from './watchers.ts';
import type { Backoff } from '../../core/backoff.ts';
import { Retry } from '../../core/deadline.ts';

const TICK = 1_000;
/** Positions that moved over messages of no interest are written this often at most. */
const LAZY_POSITIONS = 1_000;
/** How often new partitions of the input topics are looked for, milliseconds: an event in one waits no longer than that. */
const PARTITIONS_CHECK = 5_000;
/** If a look at all open runs takes longer than `millis`, the owner spends at most one part in `share` of its time on it. */
const LONG_LOOK = { millis: 2, share: 20 };
/** What a new hippo remembers. */
const EMPTY: StoredState = { records: new Map(), positions: new Map(), previous: null };
/** How often it is tried whether dead letters, or alerts, may be written again, milliseconds. */
const WRITE_RETRY = 60_000;
/** How long the owner waits before it tries again to commit offsets, milliseconds. */
const COMMIT_RETRY = 1_000;
const RETRY: Backoff = { first: 250, most: 5_000 };

/** The owner has to take over anew: there is more to be read than before, or a topic takes less. */
class StartAgain extends ServiceError {}

export interface OwnerOptions {
  kafka: Kafka;
  config: Config;
  hippo: string;
  group: string;
  definition: Definition;
  sources: readonly WatchedSource[];
  membership: Pick<Membership, 'commit' | 'confirm'>;
  supervisor: Supervisor;
  logs: Pick<AttemptLogs, 'forget'>;
  hooks: HookRunner;
  clock: SteadyClock;
  log: ClientLog;
  connection: Connection;
  services: Pick<Services, 'own' | 'desire'>;
  /** Told of the state after each turn, as services are: its alerts are to be delivered. */
  alerts: {
    desire(state: MachineState): void;
    /** Some are on their way: with `once` the owner waits for that. */
    isBusy(): boolean;
  };
  /** Stop when the inputs are read to their present ends and nothing is running or ready to run. */
  once: boolean;
}

/** The facts about an owner that health and metrics report. */
export interface OwnerView {
  state: MachineState;
  positions: Positions;
  /** topic → partition → end. */
  ends: Positions;
}

/**
 * Owns a hippo: reads what comes in, steps the machine, writes what follows in one transaction, and only then starts and
 * stops jobs. One loop, one queue: no two steps overlap, and nothing waits for a job.
 */
export class Owner {
  readonly #options: OwnerOptions;
  readonly #mailbox = new Mailbox();
  /** Exits that no transaction has recorded yet. */
  readonly #unrecorded = new Map<string, AttemptExit>();
  #state: MachineState;
  readonly #progress = new InputProgress();
  #writtenAt = 0;
  #committing: Promise<void> | null = null;
  #isLooking = false;
  #commitAfter = 0;
  #producer: TransactionalProducer | null = null;
  #reader: Reader | null = null;
  #kinds: ReadonlyMap<string, InputRole>;
  /** Names this process in the record `<hippo>/owner`. */
  readonly #client = randomUUID();
  #stateTopic: StateTopic | null = null;
  #stateTopicId = '';
  /** `$HIPPO_EPOCH` of services: greater than that of every owner before. */
  #epoch = '0';
  /** Another client has owned the hippo since this one did, and no turn has been written since. */
  #isBroken = false;
  /** This client has the hippo's state in memory, and the group has not taken ownership away since. */
  #holdsState = false;
  /** The records that the machine leaves alone: {@link MachineState.strays}. */
  #strays: ReadonlyMap<string, StateValue> = new Map();
  readonly #aside: Aside;
  /** The topic of which a partition had no leader when a turn was to be written to it, until one is written. */
  #waitsFor: string | null = null;
  /** The partitions without a leader that the owner does without. */
  readonly #unwritable: Unwritable;
  /** Input partitions that are not read on before reading starts again: their next record cannot be taken in. */
  readonly #notReadOn = new Set<string>();
  readonly #watchers: Watchers;
  /** Topics that could not be read, in whole or in part, when reading started. */
  readonly #notStarted = new Set<string>();
  /** Why alerts cannot be published, and when to try again (performance.now()). */
  #withoutAlerts: { error: DeniedError | AbsentError; retryAt: number } | null = null;
  /** It was said that alerts cannot be published, and not that they are again. */
  #hasToldOfAlerts = false;
  /** Input topics whose dead letters cannot be written, why, and when to try again (performance.now()). */
  readonly #withoutLetters = new Map<string, { error: DeniedError | AbsentError; retryAt: number }>();
  /** The rights that the machine was told to be denied, as JSON; null: it was told nothing since the last takeover. */
  #toldRights: string | null = null;
  readonly #limits: Limits;
  #failedFinishes = 0;
  readonly #catchUp: CatchUp;
  /** What was said of landings that are not announced. */
  readonly #unannounced = new Set<string>();

  constructor(options: OwnerOptions) {
    this.#options = options;
    this.#state = emptyState();
    this.#aside = new Aside(options.log);
    this.#unwritable = new Unwritable(options.log);
    this.#watchers = new Watchers({
      sources: options.sources,
      mailbox: this.#mailbox,
      state: () => this.#state,
      log: options.log,
      once: options.once,
    });
    this.#limits = new Limits(options.kafka);
    this.#catchUp = new CatchUp({
      now: () => options.clock.now(),
      hasScanned: (since) => this.#hasScanned(since),
      endsOf: () => this.#endsOfInputs(),
      hasRead: ({ topic, partition, offset }) =>
        (this.#progress.taken.get(topic)?.get(partition) ?? -1n) >= offset,
    });
    const { config } = options;
    this.#kinds = new Map(inputRoles(config).map((role) => [topicName(config, role), role]));
  }

  get view(): OwnerView {
    return { state: this.#state, positions: this.#progress.taken, ends: this.#progress.ends };
  }

  /** Finishes with `is_success: false` since this client started. */
  get failedFinishes(): number {
    return this.#failedFinishes;
  }

  /** Takes the end of a job in; called by the supervisor. */
  exited(exit: AttemptExit): void {
    this.#unrecorded.set(exit.submission.attemptId, exit);
    this.#mailbox.exited(exit);
  }

  /**
   * Takes in what a service announces.
   *
   * @returns a promise that resolves when it is published, and rejects when it is not for now
   */
  async announced(service: string, events: readonly ToldEvent[]): Promise<void> {
    await this.#mailbox.found({ type: 'events-told', service, events });
  }

  /**
   * Takes in what receivers have taken of the alerts.
   *
   * @returns a promise that resolves when it is remembered, and rejects when it is not for now
   */
  async delivered(deliveries: readonly AlertDelivery[]): Promise<void> {
    await this.#mailbox.found({ type: 'alerts-delivered', deliveries });
  }

  /**
   * Takes in how a service of this client is.
   *
   * @returns a promise that resolves when it is remembered, and rejects when it is not for now
   */
  async toldOfService(told: ServiceTold): Promise<void> {
    await this.#mailbox.found({ type: 'service-told', ...told });
  }

  /**
   * Owns until the signal is aborted, or with `once` until all is done. While Kafka is away it tries again; jobs go on.
   *
   * @throws UserError when the hippo's state is lost: see {@link requireFirstStart}
   * @throws UserError when a topic does not take what every hippo must write
   * @throws FencedError when another client writes as this hippo, and the group does not know of it
   * @throws DeniedError when the hippo may not read or write its state or write its messages; with `once`, when all is done,
   *   also what kept it from reading an input
   */
  async own(signal: AbortSignal): Promise<void> {
    const { connection } = this.#options;
    const ticking = setInterval(() => this.#mailbox.tick(), TICK);
    const retry = new Retry(RETRY);
    this.#holdsState = false;
    try {
      while (!signal.aborted) {
        try {
          await this.#takeOver(signal);
          // The state could be written; that says nothing of the partition that has no leader.
          if (this.#waitsFor === null) connection.connected('owner');
          retry.reset();
          if (!isAborted(signal)) this.#options.services.own(this.#epoch, this.#state);
          await this.#serve(signal);
          const left = this.#left;
          if (this.#options.once && !isAborted(signal) && left !== undefined) {
            await this.release();
            throw left;
          }
          return;
        } catch (thrown) {
          await this.release();
          const error = this.#ofTooLarge(this.#ofDeletedTopic(thrown));
          if (error === this.#left) throw error;
          if (isAborted(signal) && (error === signal.reason || error instanceof ServiceError)) return;
          if (!(error instanceof ServiceError)) throw error;
          // Re-initialising the producer fences any other writer, so it is done only while this client owns the group. Being
          // fenced alone does not prove a new owner: brokers that come back after a long time abort a hung transaction and
          // fence its producer.
          const isOurs = await this.#options.membership.confirm();
          if (isAborted(signal)) return;
          if (!isOurs && error instanceof FencedError) throw error;
          if (error instanceof StartAgain || this.#setLettersAside(error) || this.#setAlertsAside(error))
            continue;
          if (error instanceof LeaderlessError && (await this.#goesOnWithout())) continue;
          if (error instanceof RefusedError || error instanceof LeaderlessError) {
            if (this.#options.once || error instanceof DeniedError) throw error;
            if (error instanceof LeaderlessError) this.#waitsFor = error.place?.topic ?? null;
            connection.refused(refusal(error));
          } else {
            connection.disconnected('owner', error.why ?? error.message);
          }
          await retry.pause(signal);
        }
      }
    } finally {
      clearInterval(ticking);
      await this.#watchers.close();
      connection.connected('owner');
    }
  }

  /** With `once`: why something is left undone when all else is done. */
  get #left(): HippoError | undefined {
    return this.#aside.error ?? this.#watchers.error ?? this.#unwritable.error ?? this.#withoutAlerts?.error;
  }

  /**
   * After {@link own} has ended: writes what has happened meanwhile, if Kafka can be reached, and closes its producer
   * and reader.
   */
  async close(): Promise<void> {
    if (this.#producer !== null && this.#stateTopic !== null) {
      const turn = this.#turn(this.#stateTopic);
      for (const exit of this.#mailbox.takeExits()) turn.exited(exit, this.#options.clock.now());
      try {
        if (turn.hasEffects || this.#progress.differsFromWritten(turn.positions)) await this.#write(turn);
        // What this turn would have started is left to the next owner: it finds it recorded as running.
        for (const event of turn.events) this.#options.log(event);
        await this.#committing;
        await this.#commitGroup();
      } catch (error) {
        this.#options.log({
          event: 'notice',
          level: 'warning',
          text: `the last positions could not be written: ${messageOf(error)}`,
        });
      }
    }
    await this.release();
  }

  async #takeOver(signal: AbortSignal): Promise<void> {
    const { kafka, config, hippo, definition, supervisor, clock, log, group } = this.#options;
    this.#mailbox.forgetReading();
    this.#producer = await kafka.transactionalProducer(group);
    faultPoint('after-fencing');
    const stateName = topicName(config, 'state');
    const [info] = await kafka.topics([stateName]);
    if (info === undefined) throw absentTopic(stateName, kafka.brokers);
    this.#stateTopicId = info.topicId;
    await this.#limits.refresh(this.#written);
    const stateTopic = StateTopic.of(kafka, stateName, hippo, info.partitions.length);
    const found = await stateTopic.find(this.#producer, {
      signal,
      onWait: (text) => log({ event: 'notice', level: 'warning', text }),
    });
    const stored = await this.#storedStateOf(found, stateTopic, this.#producer);
    // This client's jobs may continue only if no other client has owned the hippo since: it would have run them again. Where a
    // takeover fails after its claim, the next one finds this client as the previous owner; that does not make up for it.
    if (stored.previous !== this.#client) {
      this.#isBroken = true;
      this.#holdsState = false;
    }
    const unbroken = !this.#isBroken;
    this.#epoch = laterEpoch(this.#producer.fencingToken, this.#epoch, stored.epoch);
    await stateTopic.claim(this.#producer, this.#claimant());
    this.#stateTopic = stateTopic;
    this.#state = restore(definition, stored.records);
    const strays = new Set(this.#state.strays);
    this.#strays = new Map([...stored.records].filter(([key]) => strays.has(key)));
    this.#progress.restore(stored.positions);
    // The positions of a first start are written at once, because the ends of the topics move.
    this.#writtenAt = -Infinity;
    faultPoint('after-restore');
    if (!unbroken) {
      await supervisor.stop();
      this.#unrecorded.clear();
      this.#mailbox.takeExits();
    }
    const orphans = await supervisor.endOrphans();
    const alive = unbroken ? this.#aliveAttempts() : new Map<string, Millis>();
    const runs = [...listRuns(this.#state)];
    const again = runs.filter((run) => run.status === 'running' && !alive.has(run.attemptId ?? ''));
    // Times of another owner, or of an earlier process, are the wall clock's: no jump stands between them and us.
    if (!unbroken) clock.follow(clock.jump);
    const turn = this.#turn(stateTopic);
    turn.step({
      type: 'ownership-gained',
      at: clock.now(),
      alive,
      withheld: new Set(this.#withheld.keys()),
      alertsWithheld: this.#areAlertsWithheld,
    });
    this.#mailbox.takeExits();
    for (const exit of this.#unrecorded.values()) this.#mailbox.exited(exit);
    await this.#startReading(turn);
    signal.throwIfAborted();
    // Told when the positions are written: what is published after that is read, also where a first start begins at the end.
    turn.events.unshift({ event: 'owner', group, runs: runs.length, again: again.length, orphans });
    await this.#finish(turn);
    this.#toldRights = null;
    this.#isBroken = false;
    this.#holdsState = true;
  }

  /**
   * What the state topic has, or is given. While the group has let no other client own the hippo, no other client can have written
   * what this client does not know: so where the topic has lost the state, the memory is the state.
   *
   * @throws UserError when the state is lost
   */
  async #storedStateOf(
    found: FoundState,
    stateTopic: StateTopic,
    producer: TransactionalProducer,
  ): Promise<StoredState> {
    const { kafka, config, hippo, group, definition, log } = this.#options;
    if (found.kind === 'whole') return found.stored;
    if (!this.#holdsState) {
      await requireFirstStart(found, { kafka, config, hippo, group });
      return EMPTY;
    }
    const stored = await stateTopic.writeAnew(producer, this.#claimant(), found, {
      records: [...this.#strays, ...recordsOf(definition, this.#state)].filter(([key, value]) =>
        this.#canWrite(stateTopic, key, value),
      ),
      positions: this.#progress.taken,
    });
    log(stateWrittenAnew(topicName(config, 'state'), stored.records.size));
    return stored;
  }

  /** Whether the state topic takes the record; a topic that was made again may take less than before. */
  #canWrite(stateTopic: StateTopic, key: string, value: StateValue): boolean {
    const excess = this.#limits.excess(stateTopic.record(key, value));
    if (excess === undefined) return true;
    const text = `${describeStateKey(key)} is forgotten: ${describeExcess(excess, 'its record')}`;
    this.#options.log({ event: 'notice', level: 'error', text });
    return false;
  }

  #claimant(): Claimant {
    const { jobs: own, sources, services } = this.#options.definition;
    const jobs = [...own.values()];
    return {
      client: this.#client,
      epoch: this.#epoch,
      jobs: Object.fromEntries([
        ...jobs.map(({ name, unit }) => [name, unit ?? 'event'] as const),
        // They share the names of jobs, and can be paused as jobs are.
        ...[...sources.keys()].map((name) => [name, 'source'] as const),
        ...[...services.keys()].map((name) => [name, 'service'] as const),
      ]),
    };
  }

  /** All topics were there when the client started. One that is gone may come back, and the jobs go on meanwhile. */
  #ofDeletedTopic(thrown: unknown): unknown {
    const topic = isUnknownTopic(thrown) ? thrown.place?.topic : undefined;
    return topic === undefined ? thrown : absentTopic(topic, this.#options.kafka.brokers);
  }

  /**
   * After a refusal the topic's limit is known, and the next takeover makes smaller what is too large. A record that is refused
   * although the limit was known cannot be made smaller.
   */
  #ofTooLarge(thrown: unknown): unknown {
    if (!(thrown instanceof RecordTooLargeError)) return thrown;
    const { kafka, log } = this.#options;
    if (!this.#limits.learn(thrown)) return requiredRecord(thrown, kafka.brokers);
    const text = `${describeExcess(thrown, 'a record')}; the client tries again with smaller records`;
    log({ event: 'notice', level: 'warning', text });
    return new StartAgain(text, { cause: thrown });
  }

  /** The topics that records of any size are written to. */
  get #written(): string[] {
    return [topicName(this.#options.config, 'state'), ...this.#published];
  }

  /** A dead letter that cannot be written keeps its topic from being read on: it would be lost. @returns whether it is that */
  #setLettersAside(error: unknown): boolean {
    if (!(error instanceof DeniedError || error instanceof AbsentError)) return false;
    const topic = [...this.#kinds.keys()].find((input) => dlqName(input) === error.topic);
    if (topic === undefined) return false;
    this.#withoutLetters.set(topic, { error, retryAt: performance.now() + WRITE_RETRY });
    this.#aside.add(topic, error, null);
    return true;
  }

  /** Runs do not wait for alerts: their states remember what is not published. @returns whether the error is of the alert topic */
  #setAlertsAside(error: unknown): boolean {
    if (!(error instanceof DeniedError || error instanceof AbsentError)) return false;
    // A denial of a group or a transactional id has no topic, either.
    if (this.#alertTopic === undefined || error.topic !== this.#alertTopic) return false;
    this.#withoutAlerts = { error, retryAt: performance.now() + WRITE_RETRY };
    if (this.#hasToldOfAlerts) return true;
    this.#hasToldOfAlerts = true;
    const remedy = error.next[0] === undefined ? '' : ` Remedy: ${error.next[0]}`;
    const text = `${error.message}. ${error.why ?? ''} Alerts are published when it can be written to; everything else goes on.${remedy}`;
    this.#options.log({ event: 'notice', level: 'error', text });
    return true;
  }

  /** undefined: this hippo has no alerts. */
  get #alertTopic(): string | undefined {
    const { config } = this.#options;
    return usedRoles(config).includes('alert') ? topicName(config, 'alert') : undefined;
  }

  get #areAlertsWithheld(): boolean {
    return (
      this.#withoutAlerts !== null || this.#unwritable.topics.some((topic) => topic === this.#alertTopic)
    );
  }

  /** The topics that messages and dead letters are published to. */
  get #published(): string[] {
    const { config } = this.#options;
    const own = (['start', 'finish', 'frontier'] as const).map((role) => topicName(config, role));
    if (this.#alertTopic !== undefined) own.push(this.#alertTopic);
    if (this.#options.definition.models.size > 0) own.push(topicName(config, 'model'));
    return [...own, ...[...this.#kinds.keys()].map(dlqName)];
  }

  /**
   * The jobs whose messages go to partitions without a leader, each with the first such partition: start and finish messages,
   * and the events of its outputs and NEW_MODEL, which are written together with the finish message.
   */
  get #withheld(): Map<string, UnwritablePlace> {
    const { config, hippo, definition } = this.#options;
    const found = new Map<string, UnwritablePlace>();
    for (const { name, outputs } of definition.jobs.values()) {
      const key = messageKey({ hippoName: hippo, jobName: name });
      const place = this.#unwritable.placeOf([
        ...(['start', 'finish'] as const).map((role) => ({
          topic: topicName(config, role),
          key,
          value: null,
        })),
        ...outputs.map((output) => ({
          topic: topicName(config, 'frontier'),
          key: eventKey(output),
          value: null,
        })),
        ...[definition.builders.get(name) ?? []].flat().map((model) => ({
          topic: topicName(config, 'model'),
          key: model,
          value: null,
        })),
      ]);
      if (place !== undefined) found.set(name, place);
    }
    return found;
  }

  /**
   * After a write that a partition without a leader has kept from being done. What goes to such partitions waits from now on,
   * and nothing else does.
   *
   * @returns false where the owner can do nothing without it: it is the state's, or it has a leader again
   */
  async #goesOnWithout(): Promise<boolean> {
    const { kafka, clock } = this.#options;
    const infos = await kafka.topics(this.#published).catch(() => []);
    if (this.#unwritable.learn(infos, kafka.brokers, clock.now()).length === 0) return false;
    for (const [place, jobs] of Map.groupBy(this.#withheld, ([, place]) => place)) {
      const names = listed(jobs.map(([job]) => job));
      this.#unwritable.tell(
        place,
        `no run of ${names} starts, and none that ends is recorded as ended, because their messages go there`,
      );
    }
    const place = this.#unwritable.placeIn(this.#alertTopic);
    if (place !== undefined) this.#unwritable.tell(place, 'no alert is published');
    return true;
  }

  async #startReading(turn: Turn): Promise<void> {
    const { kafka, config, clock, log } = this.#options;
    const now = clock.now() + clock.jump;
    const from = [];
    const begun = [];
    this.#aside.restart();
    this.#catchUp.forget();
    this.#notReadOn.clear();
    this.#notStarted.clear();
    turn.positions = this.#withoutFormer(turn.positions);
    // Of a topic that this user may not see, the id is not known.
    const { found: infos } = await kafka.lookUp([...this.#kinds.keys()]);
    for (const topic of this.#kinds.keys()) {
      const letters = this.#withoutLetters.get(topic);
      if (letters !== undefined) {
        this.#aside.add(topic, letters.error, null);
        continue;
      }
      const topicId = infos.find((info) => info.topic === topic)?.topicId;
      const ranges = await this.#rangesOf(topic);
      const since = sinceOf(turn.positions, { topic, topicId });
      const written = since === undefined ? undefined : await this.#writtenSince(topic, since);
      const start = startPositions(
        { topic, topicId, startsAtEnd: !this.#isCommon(topic), written },
        ranges,
        turn.positions,
        config.client.start_from,
      );
      from.push(...start.from);
      for (const { partition, stable } of ranges) {
        this.#progress.setStartingEnd({ topic, topicId, partition, offset: stable });
      }
      for (const jump of start.jumps) log(gapEvent(jump, jump));
      const isPartial = this.#notStarted.has(topic);
      begun.push({ topic, topicId, since: isPartial ? (start.beginsAtEnd ? now : since) : undefined });
    }
    for (const position of from) turn.positions = withPosition(turn.positions, position);
    for (const { since, ...topic } of begun) turn.positions = withSince(turn.positions, topic, since);
    this.#reader = await kafka.reader({
      from,
      onTrouble: (trouble) => this.#troubled(trouble),
      awaitTopics: true,
    });
    void this.#pump(this.#reader);
  }

  /** Whether every hippo reads it. */
  #isCommon(topic: string): boolean {
    return COMMON_INPUTS.some((role) => role === this.#kinds.get(topic));
  }

  /**
   * Positions in topics that no need names any more: a need that names one later counts from then on, not from where this client
   * has stopped to read it.
   */
  #withoutFormer(positions: Positions): Positions {
    const { config } = this.#options;
    const former = messageNeedRoles(config)
      .map((role) => topicName(config, role))
      .filter((topic) => !this.#kinds.has(topic));
    return new Map([...positions].filter(([topic]) => !former.includes(topic)));
  }

  /** Of an input topic. What cannot be read for now is told, and left out. */
  #rangesOf(topic: string): Promise<OffsetRange[]> {
    return this.#readable(topic, (onTrouble) => this.#options.kafka.offsets(topic, onTrouble));
  }

  /** Partition → the first offset at or after a time. What cannot be read for now is told, and left out. */
  async #writtenSince(topic: string, since: Millis): Promise<Map<number, bigint>> {
    const found = await this.#readable(topic, (onTrouble) =>
      this.#options.kafka.offsetsAt(topic, since, onTrouble),
    );
    return new Map(found.map(({ partition, offset }) => [partition, offset]));
  }

  async #readable<T>(
    topic: string,
    ask: (onTrouble: (trouble: Trouble) => void) => Promise<T[]>,
  ): Promise<T[]> {
    const { kafka } = this.#options;
    try {
      return await ask((trouble) => {
        this.#notStarted.add(topic);
        this.#aside.told(trouble);
      });
    } catch (error) {
      if (!isUnknownTopic(error)) throw error;
      this.#notStarted.add(topic);
      this.#aside.add(topic, absentTopic(topic, kafka.brokers), null);
      return [];
    }
  }

  #troubled(trouble: Trouble): void {
    this.#aside.told(trouble);
    // With `once`, what cannot be read may have been all that was left to do.
    this.#mailbox.tick();
  }

  async #pump(reader: Reader): Promise<void> {
    try {
      for await (const batch of reader) {
        if (reader !== this.#reader) return;
        await this.#mailbox.arrived(batch);
      }
    } catch (error) {
      if (reader === this.#reader) this.#mailbox.fail(error);
    }
  }

  async #serve(signal: AbortSignal): Promise<void> {
    let checkAt = performance.now() + PARTITIONS_CHECK;
    // With `once` the requests that wait are read first: they may pause a source, or resume it.
    let watches = false;
    for (;;) {
      if (!watches && (!this.#options.once || this.#hasReachedGoals)) {
        watches = true;
        this.#watchers.start();
      }
      if (this.#options.once && this.#isDone()) return;
      await this.#mailbox.ready(signal);
      if (signal.aborted) return;
      await this.#oneTurn();
      if (performance.now() > checkAt) {
        checkAt = performance.now() + PARTITIONS_CHECK;
        if (!this.#isLooking) void this.#lookAtTopics();
      }
    }
  }

  async #oneTurn(): Promise<void> {
    const { clock } = this.#options;
    if (this.#stateTopic === null) return;
    const turn = this.#turn(this.#stateTopic);
    const by = clock.jump;
    const now = clock.now() + by;
    if (by !== 0) turn.step({ type: 'clock-jumped', at: now, by });
    for (const exit of this.#mailbox.takeExits()) {
      // It stays in `#unrecorded`, and comes again when the owner takes over again.
      const place = turn.exited(exit, now);
      if (place !== undefined) this.#tellOfExit(exit, place);
    }
    this.#readAdded(turn);
    const rights = this.#tellRights(turn, now);
    this.#judgeAbsence(turn, now);
    const told = this.#stepFindings(turn, now);
    const ticked = this.#mailbox.takeTick();
    if (ticked && (nextWake(this.#state) ?? Infinity) <= now) turn.step({ type: 'tick', at: now });
    for (
      let arrival = this.#mailbox.takeArrival();
      arrival !== undefined;
      arrival = this.#mailbox.takeArrival()
    ) {
      this.#noteEnd(arrival.batch);
      this.#arrive(turn, arrival, now);
      if (turn.isFull) break;
    }
    try {
      await this.#finish(turn);
    } catch (error) {
      this.#watchers.stop();
      for (const { written } of told) written.reject(new ServiceError('it could not be written'));
      throw error;
    }
    this.#toldRights = rights;
    for (const { written } of told) written.resolve(undefined);
    // Only now: a turn that could not be written has changed nothing, and the next one sees the jump again.
    clock.follow(by);
  }

  /** Tells the machine which rights are denied, when that has changed. @returns what it knows when the turn is written */
  #tellRights(turn: Turn, at: Millis): string | null {
    if (this.#options.definition.alerts === undefined) return null;
    const told = this.#rights;
    const text = JSON.stringify(told);
    if (text !== this.#toldRights) turn.step({ type: 'rights-denied', at, ...told });
    return text;
  }

  /** Until reading has settled, more may be denied. */
  get #rights(): { rights: DeniedRight[]; isComplete: boolean } {
    const ofAlerts = this.#withoutAlerts?.error;
    const denials = [...this.#aside.denials, ...(ofAlerts instanceof DeniedError ? [ofAlerts] : [])];
    const rights = denials.flatMap(({ topic, message, next }) =>
      topic === undefined ? [] : [{ topic, text: message, next }],
    );
    return { rights, isComplete: this.#aside.isSettled };
  }

  /**
   * Tells the machine when the inputs have been read up to a time. It is asked for when a window's deadline has passed: only then it
   * can be known that nothing had landed.
   */
  #judgeAbsence(turn: Turn, now: Millis): void {
    if (!awaitsInputs(this.#options.definition, turn.state, now)) return;
    const upTo = this.#catchUp.look();
    if (upTo !== undefined) turn.step({ type: 'caught-up', at: now, upTo: Math.min(upTo, now) });
  }

  /** Whether what had landed for this hippo's own sources by then has been announced; what is still being written has not landed. */
  #hasScanned({ at, moment }: Since): boolean {
    if (!this.#watchers.haveScannedSince(moment)) return false;
    return this.#state.sources.every(({ unsettled }) => unsettled.every(({ since }) => since > at));
  }

  /** Where all inputs end now. Rejects while one of them cannot be read: what has landed there is not known. */
  async #endsOfInputs(): Promise<TopicPartitionOffset[]> {
    const { kafka, once } = this.#options;
    if (this.#aside.error !== undefined || this.#notReadOn.size > 0)
      throw new ServiceError('an input cannot be read');
    const ends = [...this.#kinds.keys()].map(async (topic) => {
      const ranges = await kafka.offsets(topic, ({ error }) => {
        if (error !== null) throw error;
      });
      // Behind an open transaction may be what has landed in time. With `once` other programs' transactions are not waited for.
      return ranges.map(({ partition, high, stable }) => ({
        topic,
        partition,
        offset: once ? stable : high,
      }));
    });
    return (await Promise.all(ends)).flat();
  }

  /** Records of one partition are taken in in their order, so behind one that cannot be taken in the others wait, too. */
  #arrive(turn: Turn, arrival: Arrival, at: Millis): void {
    const { topic, partition } = arrival.batch;
    const id = `${topic}/${partition}`;
    if (this.#notReadOn.has(id)) return;
    const place = turn.arrive(arrival, at);
    if (place === undefined) return;
    this.#notReadOn.add(id);
    const offset = arrival.record?.offset ?? arrival.batch.next;
    const what = place.topic === dlqName(topic) ? 'its dead letter' : 'a message that follows from it';
    this.#unwritable.tell(
      place,
      `${topic}[${partition}] is not read on from offset ${offset}, because ${what} goes there`,
    );
    // With `once`, that may have been all that was left to do.
    this.#mailbox.tick();
  }

  #tellOfExit({ submission: { job, key }, outcome }: AttemptExit, place: UnwritablePlace): void {
    const isEvent = place.topic === topicName(this.#options.config, 'frontier');
    const what = isEvent ? 'an event of its outputs' : 'its finish message';
    this.#unwritable.tell(
      place,
      `the end of ${job} ${key} (${outcome.status}) is not recorded, because ${what} goes there`,
    );
  }

  /** Takes in what sources have found. */
  #stepFindings(turn: Turn, at: Millis): ToldFinding[] {
    const told: ToldFinding[] = [];
    while (!turn.isFull) {
      const next = this.#mailbox.takeFinding();
      if (next === undefined) break;
      const place = turn.find(next.finding, at);
      if (place === undefined) told.push(next);
      else {
        // Its watcher ends, and begins anew when the owner takes over again.
        this.#unwritable.tell(
          place,
          `${announcerOf(next.finding)} announces nothing, because its events go there`,
        );
        next.written.reject(place.error);
      }
    }
    return told;
  }

  #noteEnd({ topic, topicId, partition, end, jumped }: RecordBatch): void {
    const offset = { topic, topicId, partition, offset: end };
    // What `--once` was to read up to is not in this log.
    if (jumped !== undefined && jumped.cause !== 'removed') this.#progress.setStartingEnd(offset);
    else this.#progress.setEnd(offset);
  }

  #turn(stateTopic: StateTopic): Turn {
    const { definition, config, hippo } = this.#options;
    return new Turn(
      {
        definition,
        config,
        hippo,
        stateTopic,
        kinds: this.#kinds,
        limits: this.#limits,
        unwritable: this.#unwritable,
      },
      this.#state,
      this.#progress.taken,
    );
  }

  /** Attempts of this process whose end is not written yet, and for how long each has been running. */
  #aliveAttempts(): Map<string, Millis> {
    const ended = [...this.#unrecorded].map(([id, { durationMs }]) => [id, durationMs] as const);
    return new Map([...this.#options.supervisor.runningFor, ...ended]);
  }

  /** Writes the turn's changes, takes the new state over, and then starts and stops processes: in this order. */
  async #finish(turn: Turn): Promise<void> {
    const isWriteDue = performance.now() - this.#writtenAt >= LAZY_POSITIONS;
    if (turn.hasEffects || (isWriteDue && this.#progress.differsFromWritten(turn.positions)))
      await this.#write(turn);
    this.#state = turn.state;
    this.#progress.setTaken(turn.positions);
    this.#options.services.desire(this.#state);
    this.#options.alerts.desire(this.#state);
    this.#options.logs.forget(turn.forgotten);
    for (const exit of turn.exits) this.#afterFinish(exit);
    for (const event of turn.events) {
      if (event.event === 'finished' && !event.is_success) this.#failedFinishes += 1;
      this.#options.log(event);
    }
    for (const text of turn.unannounced) {
      // Each scan finds it again.
      if (this.#unannounced.has(text)) continue;
      this.#unannounced.add(text);
      this.#options.log({ event: 'notice', level: 'error', text });
    }
    if (turn.unsaid > 0) {
      const text = `${turn.unsaid} more landings were ignored for the same reasons`;
      this.#options.log({ event: 'notice', level: 'info', text });
    }
    for (const effect of turn.processEffects) {
      if (effect.type === 'submit') this.#options.supervisor.start(effect.submission);
      else if (effect.type === 'cancel') this.#options.supervisor.cancel(effect.attemptId, effect.reason);
      else this.#watchers.scanNow(effect.source, effect.request);
    }
    if (performance.now() >= this.#commitAfter)
      this.#committing ??= this.#commitGroup().finally(() => (this.#committing = null));
  }

  async #write(turn: Turn): Promise<void> {
    if (this.#producer === null) throw new ServiceError('there is no connection to write with');
    faultPoint('before-transaction');
    const written = await this.#producer.write(turn.records);
    faultPoint('after-transaction');
    this.#state = turn.state;
    this.#progress.setWritten(turn.positions);
    this.#writtenAt = performance.now();
    if (this.#waitsFor !== null && written.some(({ topic }) => topic === this.#waitsFor)) {
      this.#waitsFor = null;
      this.#options.connection.connected('owner');
    }
    if (this.#hasToldOfAlerts && written.some(({ topic }) => topic === this.#alertTopic)) {
      this.#hasToldOfAlerts = false;
      const text = `alerts are published again: ${this.#alertTopic} can be written to`;
      this.#options.log({ event: 'notice', level: 'info', text });
    }
    for (const { submission } of turn.exits) this.#unrecorded.delete(submission.attemptId);
    // Another job of this hippo may wait for a message that this client publishes.
    for (const { topic, partition, offset } of written)
      if (this.#kinds.has(topic) && offset >= 0n)
        this.#progress.addGoal({ topic, partition, offset: offset + 1n });
  }

  /** Runs a hook of the project. The client goes on even if the hook fails. */
  #afterFinish({ submission, outcome, durationMs, logFile }: AttemptExit): void {
    const { hooks, hippo, log } = this.#options;
    const hookOutcome: HookOutcome = {
      status: outcome.status,
      exitCode: outcome.status === 'succeeded' ? 0 : outcome.status === 'failed' ? outcome.exitCode : null,
      durationMs,
      logFile,
      ...(outcome.status === 'succeeded' && outcome.result !== undefined ? { result: outcome.result } : {}),
      ...(outcome.status === 'failed'
        ? { error: outcome.error }
        : 'reason' in outcome
          ? { error: outcome.reason }
          : {}),
    };
    hooks.afterFinish(hookRun(hippo, submission), hookOutcome).catch((error: unknown) => {
      log({
        event: 'notice',
        level: 'warning',
        text: messageOf(error),
        job: submission.job,
        run_key: submission.key,
      });
    });
  }

  /** Lets the group's committed offsets follow what is written. */
  async #commitGroup(): Promise<void> {
    const began = performance.now();
    const unfinished = [...listOpenRuns(this.#state)].filter(({ status }) => status !== 'waiting');
    const next = this.#progress.nextCommit(unfinished);
    const took = performance.now() - began;
    // A later tick commits what this turn did not.
    if (took > LONG_LOOK.millis) this.#commitAfter = began + took * LONG_LOOK.share;
    if (next === null) return;
    faultPoint('before-commit');
    if (await this.#options.membership.commit(listPositions(next))) this.#progress.setCommitted(next);
    else this.#commitAfter = performance.now() + COMMIT_RETRY;
  }

  get #hasReachedGoals(): boolean {
    return this.#progress.hasReachedGoals(
      (topic, partition) => this.#aside.has(topic, partition) || this.#notReadOn.has(`${topic}/${partition}`),
    );
  }

  #isDone(): boolean {
    if (
      !this.#hasReachedGoals ||
      this.#mailbox.hasExits ||
      this.#watchers.isBusy ||
      this.#mustJudgeAbsence ||
      this.#mustTellRights ||
      this.#options.alerts.isBusy() ||
      this.#options.supervisor.running.length > 0
    )
      return false;
    return !hasWork(this.#state);
  }

  /** With `once`: windows whose deadlines have passed are judged before the client ends, if all inputs can be read. */
  get #mustJudgeAbsence(): boolean {
    const { definition, clock } = this.#options;
    const canBe = this.#aside.error === undefined && this.#notReadOn.size === 0 && !this.#catchUp.hasFailed;
    return canBe && awaitsInputs(definition, this.#state, clock.now());
  }

  /** With `once`: what is denied alerts before the client ends. */
  get #mustTellRights(): boolean {
    if (this.#options.definition.alerts === undefined) return false;
    const told = this.#rights;
    return told.rights.length > 0 && this.#toldRights !== JSON.stringify(told);
  }

  /**
   * Looks for partitions that were added to the input topics. The next turn begins to read them. If the state topic was made
   * again, the owner takes over again, which writes the state to it.
   */
  async #lookAtTopics(): Promise<void> {
    const { kafka, config } = this.#options;
    const stateName = topicName(config, 'state');
    // What is learnt for one reading says nothing of the next one.
    const reader = this.#reader;
    const isOver = (): boolean => this.#reader !== reader;
    this.#isLooking = true;
    try {
      this.#aside.settle();
      await this.#limits.refresh(this.#written);
      const canStartMore = await this.#canStartMore();
      if (isOver()) return;
      if (canStartMore) this.#mailbox.fail(new StartAgain('more can be read'));
      const unwritable = this.#unwritable.topics;
      const infos = await kafka.topics([...new Set([...this.#kinds.keys(), stateName, ...unwritable])]);
      if (isOver()) return;
      if (this.#unwritable.renew(infos)) this.#mailbox.fail(new StartAgain('more can be written'));
      for (const { topic, topicId, partitions } of infos) {
        if (!this.#kinds.has(topic) && topic !== stateName) continue;
        if (topic === stateName) {
          if (topicId !== this.#stateTopicId)
            this.#mailbox.fail(new StartAgain('the state topic was made again'));
          continue;
        }
        // What could not be read when reading started was not added: reading starts again when it can be read.
        if (this.#notStarted.has(topic)) continue;
        if (partitions.every(({ partition }) => this.#progress.knows(topic, partition))) continue;
        const ranges = await kafka.offsets(topic);
        if (isOver()) return;
        this.#mailbox.added(ranges.map(({ partition, low }) => ({ topic, topicId, partition, offset: low })));
      }
    } catch {
      // The reader reports that Kafka cannot be reached.
    } finally {
      this.#isLooking = false;
    }
  }

  /** Whether a topic can be read now that could not be when reading started. */
  async #canStartMore(): Promise<boolean> {
    const isOwed = this.#state.alerts.some(({ owed }) => owed !== undefined);
    if (this.#withoutAlerts !== null && isOwed && performance.now() >= this.#withoutAlerts.retryAt) {
      this.#withoutAlerts = null;
      return true;
    }
    for (const [topic, { retryAt }] of this.#withoutLetters) {
      if (performance.now() < retryAt) continue;
      this.#withoutLetters.delete(topic);
      return true;
    }
    for (const topic of this.#notStarted) if (await this.#canRead(topic)) return true;
    return false;
  }

  async #canRead(topic: string): Promise<boolean> {
    const troubles: Trouble[] = [];
    try {
      await this.#options.kafka.offsets(topic, (trouble) => troubles.push(trouble));
    } catch (error) {
      if (isUnknownTopic(error)) return false;
      throw error;
    }
    return troubles.length === 0;
  }

  /** Begins to read partitions that were added, from their beginning. */
  #readAdded(turn: Turn): void {
    const added = this.#mailbox
      .takeAdded()
      .filter(({ topic, partition }) => !this.#progress.knows(topic, partition));
    if (added.length === 0) return;
    for (const position of added) turn.positions = withPosition(turn.positions, position);
    for (const [topic, positions] of Map.groupBy(added, (position) => position.topic)) {
      const numbers = positions.map(({ partition }) => partition).join(', ');
      const what = positions.length === 1 ? `partition ${numbers} was` : `partitions ${numbers} were`;
      const text = `${topic}: ${what} added; reading from the beginning`;
      turn.events.push({ event: 'notice', level: 'info', text });
    }
    this.#reader?.add(added);
  }

  /** Closes the reader and the producer. The next {@link own} begins with what is written; exits are kept for it. */
  async release(): Promise<void> {
    const { reader, producer } = { reader: this.#reader, producer: this.#producer };
    this.#reader = this.#producer = null;
    this.#watchers.stop();
    this.#mailbox.forgetReading();
    await Promise.allSettled([reader?.close(), producer?.close()]);
  }
}

/** Producer ids do not always grow: another broker may have others to give out. */
function laterEpoch(token: string, ...before: readonly (string | undefined)[]): string {
  const highest = before.reduce((most, epoch) => {
    const known = BigInt(epoch ?? 0);
    return known > most ? known : most;
  }, 0n);
  const own = BigInt(token);
  return String(own > highest ? own : highest + 1n);
}

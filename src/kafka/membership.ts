import { type HippoError, messageOf } from '../core/errors.ts';
import type { Cluster } from './cluster.ts';
import { Retry, pause } from '../core/deadline.ts';
import { errorType, isConnectionError, isRetriable, isUnknownTopic } from './errors.ts';
import { LackedRight, failLacking } from './lacking.ts';
import type { MemberOptions, Membership, TopicPartitionOffset } from './port.ts';
import { onGroup } from './rights.ts';
import {
  type Broker,
  type ErrorName,
  Heartbeat,
  JoinGroup,
  LeaveGroup,
  MemberAssignment,
  MemberMetadata,
  OffsetCommit,
  SyncGroup,
  debug,
  errorNamed,
  failOn,
} from './wire/index.ts';
import { parsePlainJson } from '../core/json.ts';

/** The name of our partition assigner. A member without this assigner cannot join the group. */
const PROTOCOL = 'hippo-single-owner';
const PROTOCOL_VERSION = 1;

/** The broker has ended the membership; joining again restores it. */
const EXPELLED = new Set<ErrorName | undefined>([
  'UNKNOWN_MEMBER_ID',
  'ILLEGAL_GENERATION',
  'FENCED_INSTANCE_ID',
]);

/** What a member tells the others when it joins. */
interface MemberState {
  /** The generation in which it became the owner; an owner stays the owner. Absent for a standby. */
  ownerSince: number | null;
}

/**
 * @param cluster connections of its own: while a join waits for the other members, the broker answers no other request
 * on that connection
 * @param shared where offsets are committed
 */
export async function joinGroup(
  cluster: Cluster,
  shared: Cluster,
  options: MemberOptions,
): Promise<Membership> {
  const member = new GroupMember(cluster, shared, options);
  await member.start();
  return member;
}

class GroupMember implements Membership {
  readonly #cluster: Cluster;
  readonly #shared: Cluster;
  readonly #options: MemberOptions;
  #memberId = '';
  #generation = -1;
  #ownerSince: number | null = null;
  #running: Promise<void> | undefined;
  /** Settled when the join that is under way is over. */
  #joining: Promise<void> | undefined;
  readonly #leaving = new AbortController();
  /** The next thing to do: only a join makes clear who owns. */
  #mustJoin = false;
  #isConnected = true;
  /** Whether a join has been sent and is not answered yet. */
  #isWaiting = false;
  /** When the broker last told us that we belong to the group: the lease runs from here. */
  #lastContact = performance.now();

  constructor(cluster: Cluster, shared: Cluster, options: MemberOptions) {
    this.#cluster = cluster;
    this.#shared = shared;
    this.#options = options;
  }

  /** A method, since it changes while others are awaited. */
  #hasLeft(): boolean {
    return this.#leaving.signal.aborted;
  }

  get memberId(): string {
    return this.#memberId;
  }

  get isOwner(): boolean {
    return this.#ownerSince !== null;
  }

  /** Joins for the first time. An error goes to the caller. */
  async start(): Promise<void> {
    await this.#cluster.attempt({ group: this.#options.group }, () => this.#joinFirst());
    this.#running = this.#stay();
  }

  /**
   * A member that joins or leaves meanwhile makes all members join again; a broker that restarted may have forgotten
   * the members.
   */
  async #joinFirst(): Promise<void> {
    for (;;) {
      try {
        await this.#join();
        return;
      } catch (error) {
        const type = errorType(error);
        if (EXPELLED.has(type)) this.#memberId = '';
        else if (type !== 'REBALANCE_IN_PROGRESS') throw error;
      }
    }
  }

  async confirm(): Promise<boolean> {
    while (this.isOwner) {
      const generation = this.#generation;
      const asked = performance.now();
      try {
        // On the shared connections: ours may be waiting for the others of the group.
        await this.#heartbeat(this.#shared);
      } catch (error) {
        const type = errorType(error);
        if (EXPELLED.has(type)) {
          // While the member rejoins, its generation id is stale.
          await this.#joining;
          if (generation === this.#generation)
            this.#lose(`the group has expelled this client (${messageOf(error)})`);
          return this.isOwner;
        }
        if (isConnectionError(error)) {
          if (this.#isLeaseOver()) this.#mustJoin = true;
          return this.isOwner;
        }
      }
      // The answer may be old, because this process may have been frozen. If it is older than a session, it proves
      // nothing.
      if (performance.now() - asked < this.#options.sessionTimeout) return this.isOwner;
    }
    return false;
  }

  async commit(positions: readonly TopicPartitionOffset[]): Promise<boolean> {
    if (!this.isOwner || this.#hasLeft()) return false;
    if (positions.length === 0) return true;
    const { group } = this.#options;
    const byTopic = Map.groupBy(positions, ({ topic }) => topic);
    const topics = [...byTopic].map(([topic, members]) => ({
      topic,
      partitions: members.map(({ partition, offset }) => ({
        partition,
        offset: String(offset),
        metadata: null,
      })),
    }));
    try {
      const identity = { groupId: group, groupGenerationId: this.#generation, memberId: this.#memberId };
      await this.#shared.atCoordinator('group', group, async (broker) => {
        const { responses } = await this.#shared.send(broker, OffsetCommit, { ...identity, topics });
        for (const { partitions } of responses) for (const { errorCode } of partitions) failOn(errorCode);
      });
      return true;
    } catch (error) {
      debug('offsets could not be committed', { error: String(error) });
      return false;
    }
  }

  async leave(): Promise<void> {
    if (this.#hasLeft()) return;
    this.#leaving.abort();
    this.#ownerSince = null;
    const { group: groupId } = this.#options;
    try {
      if (this.#memberId !== '') {
        // On the shared connections: ours may be waiting for the others of the group.
        const request = { groupId, memberId: this.#memberId };
        await this.#shared.atCoordinator('group', groupId, (broker) =>
          this.#shared.send(broker, LeaveGroup, request),
        );
      }
    } catch (error) {
      debug('the group could not be left; it will notice', { error: String(error) });
    }
    await this.#cluster.close();
    await this.#running;
  }

  /** Sends heartbeats and rejoins until the member leaves or the group refuses it for good. */
  async #stay(): Promise<void> {
    const retry = new Retry({ first: 100, most: 1_000 });
    while (!this.#hasLeft()) {
      try {
        if (this.#mustJoin) {
          await this.#join();
          this.#mustJoin = false;
        } else await this.#pauseAndBeat();
        this.#connected(null);
        retry.reset();
      } catch (error) {
        if (this.#hasLeft()) return;
        const type = errorType(error);
        const { why, message } = this.#translated(error);
        this.#connected(isConnectionError(error) ? (why ?? message) : null);
        if (type === 'REBALANCE_IN_PROGRESS') {
          this.#mustJoin = true;
          continue;
        }
        if (EXPELLED.has(type)) {
          this.#memberId = '';
          this.#mustJoin = true;
          this.#lose(`the group has expelled this client (${messageOf(error)})`);
        } else if (isConnectionError(error) || isRetriable(error)) {
          debug('the group cannot be reached', { error: String(error) });
          // The broker may still take this client for the owner although its lease is over; only a new join settles who
          // owns.
          if (this.#isLeaseOver()) this.#mustJoin = true;
        } else {
          this.#lose(messageOf(error));
          this.#options.onCrash(this.#translated(error));
          return;
        }
        await retry.pause();
      }
    }
  }

  /** @param reason why the group cannot be reached; null when it can */
  #connected(reason: string | null): void {
    if (this.#isConnected === (reason === null)) return;
    this.#isConnected = reason === null;
    if (reason === null) this.#options.onConnected();
    else this.#options.onDisconnected(reason);
  }

  #translated(error: unknown): HippoError {
    return this.#cluster.translate(error, { group: this.#options.group });
  }

  async #pauseAndBeat(): Promise<void> {
    await pause(this.#options.heartbeatInterval, this.#leaving.signal);
    if (!this.#hasLeft()) await this.#heartbeat(this.#cluster);
  }

  async #heartbeat(cluster: Cluster): Promise<void> {
    const { group: groupId } = this.#options;
    const identity = { groupId, groupGenerationId: this.#generation, memberId: this.#memberId };
    await cluster.atCoordinator('group', groupId, async (broker) => {
      // The broker's session starts when the request arrives there, which is before the answer arrives here.
      const asked = performance.now();
      const { errorCode } = await cluster.send(broker, Heartbeat, identity);
      // While the others are waited for, this member, which has joined, belongs to the group. Before it has joined, the time that
      // is left to it began earlier.
      if (this.#isWaiting && errorNamed(errorCode) === 'REBALANCE_IN_PROGRESS') this.#hadContact(asked);
      failLacking(errorCode, onGroup('Read', groupId));
      this.#hadContact(asked);
    });
  }

  #hadContact(asked: number): void {
    this.#lastContact = Math.max(this.#lastContact, asked);
    if (this.isOwner) this.#options.onContact?.(this.#lastContact);
  }

  /** No heartbeat of this client has been answered for a session, so another member may own by now: ownership ends. */
  #isLeaseOver(): boolean {
    if (performance.now() - this.#lastContact < this.#options.sessionTimeout) return false;
    this.#lose('no contact with the group for longer than the session timeout');
    return true;
  }

  async #join(): Promise<void> {
    const joining = this.#joinOnce();
    this.#joining = joining.catch(() => undefined);
    try {
      await joining;
    } finally {
      this.#joining = undefined;
    }
  }

  #joinOnce(): Promise<void> {
    return this.#cluster.atCoordinator('group', this.#options.group, (broker) => this.#joinAt(broker));
  }

  async #joinAt(broker: Broker): Promise<void> {
    const { group: groupId, sessionTimeout, topics } = this.#options;
    const state: MemberState = { ownerSince: this.#ownerSince };
    const metadata = MemberMetadata.encode({
      version: PROTOCOL_VERSION,
      topics,
      userData: Buffer.from(JSON.stringify(state)),
    });
    const joined = await this.#waitingForOthers(() =>
      this.#cluster.send(broker, JoinGroup, {
        groupId,
        sessionTimeout,
        rebalanceTimeout: sessionTimeout,
        memberId: this.#memberId,
        protocolType: 'consumer',
        groupProtocols: [{ name: PROTOCOL, metadata }],
      }),
    );
    if (joined.memberId !== '') this.#memberId = joined.memberId;
    // The first answer only gives us our id (KIP-394).
    if (this.#memberId !== '' && errorNamed(joined.errorCode) === 'MEMBER_ID_REQUIRED')
      return this.#joinAt(broker);
    failLacking(joined.errorCode, onGroup('Read', groupId));
    const groupAssignment = joined.leaderId === joined.memberId ? await this.#assign(joined.members) : [];
    const asked = performance.now();
    const synced = await this.#cluster.send(broker, SyncGroup, {
      groupId,
      generationId: joined.generationId,
      memberId: joined.memberId,
      groupAssignment,
    });
    failLacking(synced.errorCode, onGroup('Read', groupId));
    this.#generation = joined.generationId;
    this.#lastContact = asked;
    if (this.#hasLeft()) return;
    const assignment = MemberAssignment.decode(synced.memberAssignment)?.assignment ?? {};
    if (Object.keys(assignment).length > 0) {
      this.#gain();
      this.#hadContact(asked);
    } else {
      this.#lose('another client of this hippo owns it');
      this.#options.onStandby();
    }
  }

  /** A join is answered when all others have joined, or their sessions are over. Meanwhile heartbeats tell that this member is there. */
  async #waitingForOthers<T>(join: () => Promise<T>): Promise<T> {
    this.#isWaiting = true;
    const timer = setInterval(() => {
      if (this.isOwner) this.#heartbeat(this.#shared).catch(() => undefined);
    }, this.#options.heartbeatInterval);
    try {
      return await join();
    } finally {
      clearInterval(timer);
      this.#isWaiting = false;
    }
  }

  /**
   * As the group's leader: assigns everything to the present owner; without one, to the member that has waited longest.
   */
  async #assign(
    members: readonly { memberId: string; memberMetadata: Buffer }[],
  ): Promise<{ memberId: string; memberAssignment: Buffer }[]> {
    const candidates = members.map(({ memberId, memberMetadata }) => ({
      memberId,
      since: ownerSinceOf(memberMetadata),
    }));
    const owner =
      candidates.filter(({ since }) => since !== null).sort((a, b) => (b.since ?? 0) - (a.since ?? 0))[0] ??
      candidates[0];
    const everything: Record<string, number[]> = {};
    for (const topic of this.#options.topics) everything[topic] = await this.#visiblePartitions(topic);
    return members.map(({ memberId }) => ({
      memberId,
      memberAssignment: MemberAssignment.encode({
        version: PROTOCOL_VERSION,
        assignment: memberId === owner?.memberId ? everything : {},
      }),
    }));
  }

  /** None of a topic that this user may not see, or that was deleted: who owns does not depend on it. */
  async #visiblePartitions(topic: string): Promise<number[]> {
    try {
      return await this.#cluster.partitions(topic);
    } catch (error) {
      if (error instanceof LackedRight || isUnknownTopic(error)) return [];
      throw error;
    }
  }

  #gain(): void {
    if (this.#ownerSince !== null) return;
    this.#ownerSince = this.#generation;
    this.#options.onGained();
  }

  #lose(reason: string): void {
    if (this.#ownerSince === null) return;
    this.#ownerSince = null;
    this.#options.onLost(reason);
  }
}

/** Another program may use our protocol's name, so its metadata can be anything. */
function ownerSinceOf(memberMetadata: Buffer): number | null {
  try {
    const { userData } = MemberMetadata.decode(memberMetadata);
    const { ownerSince } = parsePlainJson((userData ?? Buffer.alloc(0)).toString()) as Partial<MemberState>;
    return typeof ownerSince === 'number' ? ownerSince : null;
  } catch {
    return null;
  }
}

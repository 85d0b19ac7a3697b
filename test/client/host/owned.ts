/** An owner of a hippo on a Kafka in memory, with a supervisor that starts nothing. */
import { vi } from 'vitest';
import type { ClientEvent } from '../../../src/client/host/client-event.ts';
import { Connection } from '../../../src/client/host/connection.ts';
import type { WatchedSource } from '../../../src/client/host/sources.ts';
import { Owner } from '../../../src/client/host/owner.ts';
import type { AttemptExit, Supervisor } from '../../../src/client/host/supervisor.ts';
import type { JobOutcome, Submission } from '../../../src/client/machine/index.ts';
import { parseConfig } from '../../../src/config/schema.ts';
import { topicSpecs } from '../../../src/kafka/topics.ts';
import type { TopicPartitionOffset } from '../../../src/kafka/port.ts';
import { SteadyClock } from '../../../src/core/clock.ts';
import type { RunId } from '../../../src/state/index.ts';
import { serialiseMessage } from '../../../src/messages/index.ts';
import { MemoryKafka } from '../../support/memory-kafka.ts';
import type { AlertsDefinition } from '../../../src/client/machine/definition.ts';
import { type JobYaml, NOON, define, landing } from '../machine/hippo.ts';

export const EACH: JobYaml = { every: 'event', needs: [{ table: 'a.a' }], run: './job.sh', concurrency: 10 };

/** What the supervisor was told. */
class Processes {
  readonly submitted: Submission[] = [];
  readonly alive = new Map<string, Submission>();
  readonly cancelled: string[] = [];

  get running(): string[] {
    return [...this.alive.keys()];
  }

  get runningFor(): Map<string, number> {
    return new Map(this.running.map((id) => [id, 1]));
  }

  start(submission: Submission): void {
    this.submitted.push(submission);
    this.alive.set(submission.attemptId, submission);
  }

  cancel(attemptId: string): boolean {
    this.cancelled.push(attemptId);
    return this.alive.has(attemptId);
  }

  stop(): Promise<void> {
    this.alive.clear();
    return Promise.resolve();
  }

  endOrphans(): Promise<number> {
    return Promise.resolve(0);
  }
}

export class Owned {
  readonly kafka: MemoryKafka;
  readonly events: ClientEvent[] = [];
  readonly processes = new Processes();
  /** Each call of the membership's commit. */
  readonly commits: (readonly TopicPartitionOffset[])[] = [];
  /** The runs of which no log is needed any more. */
  readonly forgotten: RunId[] = [];
  canCommit = true;
  isOwner = true;
  readonly owner: Owner;
  #stop = new AbortController();
  #owning: Promise<void> | undefined;

  constructor(
    jobs: Record<string, JobYaml>,
    {
      kafka,
      once = false,
      sources = [],
      clock = new SteadyClock(() => NOON + performance.now()),
      alerts,
      startFrom = 'beginning',
    }: {
      kafka?: MemoryKafka;
      once?: boolean;
      sources?: readonly WatchedSource[];
      clock?: SteadyClock;
      /** Left out: nothing is alerted. */
      alerts?: AlertsDefinition;
      /** `client.start_from` */
      startFrom?: 'beginning' | 'end';
    } = {},
  ) {
    const config = parseConfig({
      jobs,
      client: { start_from: startFrom },
      ...(alerts === undefined ? {} : { alerts: {} }),
    });
    this.kafka = kafka ?? new MemoryKafka();
    for (const { topic, partitions } of topicSpecs(config))
      if (this.kafka.find(topic) === undefined) this.kafka.create(topic, partitions);
    const log = (event: ClientEvent): void => void this.events.push(event);
    this.owner = new Owner({
      kafka: this.kafka as never,
      config,
      hippo: 'etl',
      group: 'hippo.etl',
      definition: define(jobs, {
        sources: sources.map(({ source }) => source),
        ...(alerts === undefined ? {} : { alerts }),
      }),
      sources,
      membership: {
        confirm: () => Promise.resolve(this.isOwner),
        commit: (positions) => {
          this.commits.push(positions);
          return Promise.resolve(this.canCommit);
        },
      },
      supervisor: this.processes as unknown as Supervisor,
      logs: { forget: (runs) => this.forgotten.push(...runs) },
      hooks: { file: null, beforeSubmit: () => Promise.resolve({}), afterFinish: () => Promise.resolve() },
      // Its wall clock goes with performance.now(), which tests move.
      clock,
      log,
      connection: new Connection(log, () => false),
      services: { own: () => undefined, desire: () => undefined },
      alerts: { desire: () => undefined, isBusy: () => false },
      once,
    });
  }

  /** Begins to own; with `once`, resolves when all is done. */
  own(): Promise<void> {
    this.#stop = new AbortController();
    this.#owning = this.owner.own(this.#stop.signal);
    this.#owning.catch(() => undefined);
    return this.#owning;
  }

  /** Ownership is lost. */
  async lose(): Promise<void> {
    this.#stop.abort(new Error('lost'));
    await this.#owning?.catch(() => undefined);
    await this.owner.release();
  }

  land(partition: string, table = 'a.a'): void {
    this.kafka.produce({
      topic: 'frontier-adw',
      key: table,
      value: serialiseMessage(landing(table, partition)),
      timestamp: Math.round(NOON + performance.now()),
    });
  }

  /** An operator asks for a run. */
  ask(runKey: string): void {
    const message = {
      kind: 'schedule',
      hippoName: 'etl',
      jobName: 'load',
      action: 'run',
      runKey,
      extra: {},
    } as const;
    this.kafka.produce({ topic: 'hippo-schedule', key: 'etl', value: serialiseMessage(message) });
  }

  /** The attempt of a run ends. */
  exit(key: string, outcome: JobOutcome = { status: 'succeeded' }): void {
    const submission = [...this.processes.alive.values()].find((each) => each.key === key);
    if (submission === undefined) throw new Error(`${key} does not run`);
    this.processes.alive.delete(submission.attemptId);
    const exit: AttemptExit = {
      submission,
      outcome,
      startedAt: Date.now(),
      durationMs: 1,
      logFile: 'log',
    };
    this.owner.exited(exit);
  }

  /** The keys of the submitted runs, in their order. */
  get submitted(): string[] {
    return this.processes.submitted.map(({ key }) => key);
  }

  get notices(): string[] {
    return this.events.flatMap((event) => (event.event === 'notice' ? [event.text] : []));
  }

  saw(event: ClientEvent['event']): ClientEvent[] {
    return this.events.filter((each) => each.event === event);
  }
}

/** Waits for what comes about. */
export function until(what: string, holds: () => boolean, timeout = 20_000): Promise<void> {
  return vi.waitFor(
    () => {
      if (!holds()) throw new Error(`it has not come about: ${what}`);
    },
    { interval: 10, timeout },
  );
}

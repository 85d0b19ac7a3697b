import { isAborted } from '../../core/abort.ts';
import { NotFineError, ServiceError, UserError, messageOf } from '../../core/errors.ts';
import { Retry } from '../../core/deadline.ts';
import { SteadyClock, systemClock } from '../../core/clock.ts';
import { groupName } from '../../config/groups.ts';
import { type LoadedConfig, loadConfig } from '../../config/load.ts';
import { findStack } from '../../config/stack-file.ts';
import { inputRoles, topicName } from '../../config/topics.ts';
import { connectProject } from '../../kafka/project.ts';
import { CoordinatorError, DeniedError } from '../../kafka/failures.ts';
import type { Kafka, Membership } from '../../kafka/port.ts';
import { topicSpecs } from '../../kafka/topics.ts';
import { type HttpServer, serveHttp } from '../../http/index.ts';
import { AttemptLogs } from './attempt-logs.ts';
import { secretMask } from '../../alerts/index.ts';
import { openZone } from '../../windows/index.ts';
import { Deliveries } from './alerts/deliveries.ts';
import type { ClientEvent, ClientLog } from './client-event.ts';
import { Connection, refusal } from './connection.ts';
import { type Guard, startGuard } from './guard.ts';
import { healthRoutes } from './health-routes.ts';
import { type Health, startHealth } from './health.ts';
import { loadHooks } from './hook-runner.ts';
import { type Metrics, createMetrics } from './metrics.ts';
import { AttemptFiles } from './orphans.ts';
import { Owner } from './owner.ts';
import { type Project, compileProject } from './project.ts';
import { register } from './registration.ts';
import { giveBackAtRest } from './rest.ts';
import { Services } from './services/services.ts';
import { sparkSubmit } from './spark-submit.ts';
import { type ClientStatus, type Role, statusOf } from './status.ts';
import { Supervisor } from './supervisor.ts';
import { Tenure } from './tenure.ts';
import { yarnCluster } from './yarn/cluster.ts';

export interface ClientOptions {
  /** `--config` and `--profile`. */
  file: string | undefined;
  profile: string | undefined;
  env: NodeJS.ProcessEnv;
  /** End when the inputs are read to their present ends and nothing is running or ready to run. */
  once: boolean;
  /** Aborted to stop; its reason names the signal. */
  stop: AbortSignal;
  log: ClientLog;
}

export interface ClientReport {
  hippo: string;
  /** `done` only with `once`. */
  ended: 'stopped' | 'done';
  /** Runs that finished without success while this client owned the hippo. */
  failed: number;
}

/**
 * Runs a hippo's client until it is told to stop.
 *
 * @throws UserError when hippo.yaml, the hooks or the topics are not fit to run with
 * @throws ServiceError when Kafka is not there at the start, when another client has taken over, or when the membership of the
 *   group is over: the jobs have been stopped, and a supervisor should start the client again
 */
export async function runClient(options: ClientOptions): Promise<ClientReport> {
  const { file, profile, env } = options;
  const loaded = await loadConfig({ file, profile, cwd: process.cwd(), env });
  const project = await compileProject(loaded);
  let kafka: Kafka;
  try {
    kafka = await connectProject(loaded, env, options.stop);
  } catch (error) {
    if (!options.stop.aborted) throw error;
    return { hippo: project.hippo, ended: 'stopped', failed: 0 };
  }
  try {
    await requireTopics(kafka, loaded);
    const client = await Client.create({ ...options, loaded }, project, kafka);
    return await client.run();
  } finally {
    await kafka.close();
  }
}

/** An input or a dead-letter topic that this user may not see is said by the owner: the others are of use without it. */
async function requireTopics(kafka: Kafka, loaded: LoadedConfig): Promise<void> {
  const names = topicSpecs(loaded.config).map(({ topic }) => topic);
  const { absent: missing, hidden } = await kafka.lookUp(names);
  // Only sources, services and jobs with outputs publish events.
  const isFrontier =
    Object.keys(loaded.config.sources).length > 0 ||
    Object.values(loaded.config.jobs).some(({ produces }) => produces !== undefined) ||
    Object.values(loaded.config.services).some(({ events }) => events !== undefined);
  const roles = ['state', 'start', 'finish', ...(isFrontier ? (['frontier'] as const) : [])] as const;
  const written = roles.map((role) => topicName(loaded.config, role));
  const denied = hidden.find(({ topic }) => written.some((name) => name === topic));
  if (denied !== undefined) throw denied;
  if (missing.length === 0) return;
  throw new UserError(
    missing.length === 1 ? `the topic ${missing[0]} does not exist` : `${missing.length} topics do not exist`,
    {
      why: `missing at ${kafka.brokers.join(', ')}: ${missing.join(', ')}`,
      next: ['hippo up    (creates the topics of hippo.yaml)', 'check topics.prefix in hippo.yaml'],
      place: loaded.place(['topics']),
    },
  );
}

/** Of a timer, milliseconds. */
const LONGEST_WAIT = 2 ** 31 - 1;

type RunOptions = ClientOptions & { loaded: LoadedConfig };

class Client {
  readonly #options: RunOptions;
  readonly #hippo: string;
  readonly #kafka: Kafka;
  readonly #group: string;
  readonly #tenure = new Tenure();
  readonly #clock = new SteadyClock();
  readonly #connection = new Connection(
    (event) => this.#log(event),
    () => this.#options.stop.aborted,
  );
  readonly #crashed = new AbortController();
  readonly #guard: Guard;
  readonly #logs: AttemptLogs;
  readonly #supervisor: Supervisor;
  readonly #owner: Owner;
  readonly #sources: readonly string[];
  readonly #warnings: readonly string[];
  readonly #services: Services;
  readonly #deliveries: Deliveries;
  #membership: Membership | null = null;
  #metrics: Metrics | null = null;
  #health: Health | null = null;

  static async create(options: RunOptions, project: Project, kafka: Kafka): Promise<Client> {
    const { loaded, env } = options;
    const [hooks, cluster] = await Promise.all([loadHooks(loaded.directory), kafka.cluster()]);
    const stack = findStack(loaded.directory);
    return new Client(options, project, kafka, {
      hooks,
      tag: `${cluster.clusterId}/${project.identity}`,
      sparkSubmit: sparkSubmit(env, stack?.stack.spark?.sparkSubmit ?? null),
    });
  }

  private constructor(
    options: RunOptions,
    { hippo, identity, definition, sources, receivers, warnings }: Project,
    kafka: Kafka,
    found: { hooks: Awaited<ReturnType<typeof loadHooks>>; tag: string; sparkSubmit: string | null },
  ) {
    const { config, directory, environment } = options.loaded;
    this.#options = options;
    this.#hippo = hippo;
    this.#kafka = kafka;
    this.#group = groupName(identity);
    this.#sources = sources.map(({ source }) => source.name);
    this.#warnings = warnings;
    this.#guard = startGuard(config.client.kill_grace, (text) =>
      this.#log({ event: 'notice', level: 'warning', text }),
    );
    const files = new AttemptFiles(directory);
    this.#logs = new AttemptLogs({
      directory,
      identity,
      limits: { ...config.logs, keep: config.logs.keep ?? config.client.keep },
      files,
      now: () => systemClock.now(),
      warn: (text) => this.#log({ event: 'notice', level: 'warning', text }),
    });
    this.#supervisor = new Supervisor({
      hippo,
      owner: found.tag,
      directory,
      sparkSubmit: found.sparkSubmit,
      environment,
      killGrace: config.client.kill_grace,
      hooks: found.hooks,
      guard: this.#guard,
      files,
      logs: this.#logs,
      yarn: config.yarn,
      cluster: yarnCluster(config, found.tag, options.env),
      needsResult: (job) => config.jobs[job]?.result === 'required',
      isOwner: () => this.#isOwner(),
      onStarted: ({ job, key, jobId, attempt }, { pid, logFile }) =>
        this.#log({ event: 'submitted', job, run_key: key, job_id: jobId, attempt, pid, log: logFile }),
      onExit: (exit) => this.#owner.exited(exit),
      onNote: ({ level, text, submission }) =>
        this.#log({
          event: 'notice',
          level,
          text,
          ...(submission === null ? {} : { job: submission.job, run_key: submission.key }),
        }),
    });
    this.#services = new Services({
      kafka,
      // With `once` there is nothing to be kept running.
      config: options.once ? { ...config, services: {} } : config,
      hippo,
      owner: found.tag,
      directory,
      sparkSubmit: found.sparkSubmit,
      environment: { HIPPO_KAFKA_BROKERS: kafka.brokers.join(','), ...environment },
      guard: this.#guard,
      isOwner: () => this.#isOwner(),
      announce: (service, events) => this.#owner.announced(service, events),
      tell: (told) => this.#owner.toldOfService(told),
      onModels: () => this.#health?.send(),
      log: (event) => this.#log(event),
    });
    this.#deliveries = new Deliveries({
      receivers,
      groupWait: config.alerts?.group_wait ?? 0,
      zone: openZone(config.calendar.timezone),
      hippo,
      identity,
      clock: this.#clock,
      isOwner: () => this.#isOwner(),
      delivered: (deliveries) => this.#owner.delivered(deliveries),
      mask: secretMask(config),
      log: (event) => this.#log(event),
      once: options.once,
    });
    this.#owner = new Owner({
      kafka,
      config,
      hippo,
      group: this.#group,
      definition,
      sources,
      membership: {
        commit: async (positions) => (await this.#membership?.commit(positions)) ?? false,
        confirm: () => this.#isOwner(),
      },
      supervisor: this.#supervisor,
      logs: this.#logs,
      hooks: found.hooks,
      clock: this.#clock,
      log: (event) => this.#log(event),
      connection: this.#connection,
      services: this.#services,
      alerts: {
        desire: (state) => {
          // A turn may come to its end after ownership is lost.
          if (this.#tenure.isOwner) this.#deliveries.desire(state);
        },
        isBusy: () => this.#deliveries.isBusy,
      },
      once: options.once,
    });
  }

  async run(): Promise<ClientReport> {
    const { loaded, stop } = this.#options;
    const { config, directory } = loaded;
    const killNow = (): void => {
      this.#supervisor.killNow();
      this.#services.killNow();
    };
    // A second signal ends the process at once, so its jobs are killed on exit.
    process.on('exit', killNow);
    const closing: (() => Promise<void> | void)[] = [
      () => this.#guard.dismiss(),
      () => void process.off('exit', killNow),
      giveBackAtRest(),
    ];
    try {
      const http = await this.#serveHttp();
      closing.push(() => http?.close());
      closing.push(
        register(directory, {
          pid: process.pid,
          hippo: this.#hippo,
          startedAt: new Date().toISOString(),
          http: http?.address ?? null,
        }),
      );
      this.#log({
        event: 'started',
        hippo: this.#hippo,
        pid: process.pid,
        brokers: this.#kafka.brokers,
        jobs: Object.keys(config.jobs),
        services: this.#services.views.map(({ name }) => name),
        http: http?.address ?? null,
      });
      for (const text of this.#warnings) this.#log({ event: 'notice', level: 'warning', text });
      if (this.#options.once && Object.keys(config.services).length > 0)
        this.#log({ event: 'notice', level: 'info', text: 'with --once no services are started' });
      closing.push(() => this.#logs.close());
      this.#logs.start();
      closing.push(() => this.#services.stop());
      this.#services.start();
      const membership = (this.#membership = await this.#joinUnless(stop));
      if (membership === null) return this.#stopped();
      closing.push(() => membership.leave());
      if (!this.#tenure.isOwner) this.#log({ event: 'standby', group: this.#group });
      const health = (this.#health = this.#startHealth());
      closing.push(() => health.stop());
      closing.push(() => this.#owner.close());
      closing.push(() => this.#deliveries.disown());
      closing.push(async () => {
        await Promise.all([this.#supervisor.stop(), this.#services.stop()]);
      });
      const ended = await this.#tenures(AbortSignal.any([stop, this.#crashed.signal]));
      if (this.#crashed.signal.aborted) throw this.#crashed.signal.reason as Error;
      return ended === 'stopped' ? this.#stopped() : this.#report(ended);
    } finally {
      for (const close of closing.reverse()) {
        await Promise.resolve(close()).catch((error: unknown) => {
          this.#log({ event: 'notice', level: 'warning', text: `while stopping: ${messageOf(error)}` });
        });
      }
      this.#log({ event: 'stopped' });
    }
  }

  #stopped(): ClientReport {
    const signal = messageOf(this.#options.stop.reason);
    this.#log({ event: 'stopping', signal, running: this.#supervisor.running.length });
    return this.#report('stopped');
  }

  #report(ended: ClientReport['ended']): ClientReport {
    return { hippo: this.#hippo, ended, failed: this.#owner.failedFinishes };
  }

  /** Owns each time that the group makes this client the owner, until told to stop. */
  async #tenures(stop: AbortSignal): Promise<'stopped' | 'done'> {
    // After a loss, jobs go on until another client is known to own, or until the grace period is over.
    const { session_timeout, kafka_grace = session_timeout } = this.#options.loaded.config.client;
    // With `once` the wait ends, too, as soon as another client owns.
    const once = this.#options.once ? LONGEST_WAIT : undefined;
    let jobsUntil: number | undefined = once;
    for (;;) {
      const tenure = await this.#tenure.next(stop, jobsUntil);
      if (stop.aborted) return 'stopped';
      if (tenure === null) {
        jobsUntil = once;
        await this.#endJobs();
        if (this.#membership !== null) await this.#requireOwnership(this.#membership);
        continue;
      }
      await this.#owner.own(AbortSignal.any([tenure, stop]));
      if (isAborted(stop)) return 'stopped';
      if (!tenure.aborted) return 'done';
      this.#log({ event: 'lost', reason: messageOf(tenure.reason) });
      await this.#services.disown();
      await this.#owner.release();
      jobsUntil = kafka_grace;
    }
  }

  /**
   * With `once` there is nothing to wait for beside another client: it does what there is to do, and may run for ever.
   *
   * @throws NotFineError with `once`, while another client owns the hippo
   */
  async #requireOwnership({ memberId }: Membership): Promise<void> {
    if (!this.#options.once || this.#tenure.isOwner || !this.#tenure.isPassed) return;
    const { members } = await this.#kafka.describeGroup(this.#group);
    const hosts = members
      .filter((member) => member.memberId !== memberId)
      .map(({ clientHost }) => clientHost);
    const where = hosts.length === 0 ? '' : ` on ${[...new Set(hosts)].join(', ').replaceAll('/', '')}`;
    throw new NotFineError(`another client of ${this.#hippo} is running${where}`, {
      why: 'It reads the events and starts the runs. --once does that only while no other client runs.',
      next: ['hippo tail start finish --last 10    (what it does)', 'or stop it, then: hippo run --once'],
    });
  }

  /** Ends the jobs, because another client owns or may own, and that client runs them again. */
  async #endJobs(): Promise<void> {
    const { length } = this.#supervisor.running;
    if (length > 0) {
      const jobs = length === 1 ? '1 job' : `${length} jobs`;
      this.#log({
        event: 'notice',
        level: 'warning',
        text: `ending ${jobs}, for the next owner to run again`,
      });
    }
    await this.#supervisor.stop();
  }

  /** Joins the group, which may take a session if the group waits for a silent member. @returns null if stopped first */
  async #joinUnless(stop: AbortSignal): Promise<Membership | null> {
    const stopRequest = Promise.withResolvers<null>();
    const stopped = (): void => stopRequest.resolve(null);
    stop.addEventListener('abort', stopped, { once: true });
    if (stop.aborted) stopped();
    const joining = this.#joinPatiently(stop);
    // After `close()` this join fails; that error is expected.
    joining.catch(() => undefined);
    const membership = await Promise.race([stopRequest.promise, joining]);
    stop.removeEventListener('abort', stopped);
    return membership;
  }

  /** Brokers that cannot coordinate the group yet may be joined by others that can. */
  async #joinPatiently(stop: AbortSignal): Promise<Membership> {
    const retry = new Retry({ first: 250, most: 5_000 });
    for (;;) {
      try {
        const membership = await this.#join();
        this.#connection.connected('owner');
        return membership;
      } catch (error) {
        if (!(error instanceof CoordinatorError) || this.#options.once || stop.aborted) throw error;
        this.#connection.refused(refusal(error));
      }
      await retry.pause(stop);
      stop.throwIfAborted();
    }
  }

  async #join(): Promise<Membership> {
    const { config } = this.#options.loaded;
    const sessionTimeout = config.client.session_timeout;
    return this.#kafka.join({
      group: this.#group,
      topics: inputRoles(config).map((role) => topicName(config, role)),
      sessionTimeout,
      // Three heartbeats a session, as Kafka advises, and at least one in 3 s, so that a takeover is quick.
      heartbeatInterval: Math.min(3_000, Math.floor(sessionTimeout / 3)),
      onContact: (asked) => this.#services.hadContact(asked),
      onGained: () => this.#tenure.gained(),
      onLost: (reason) => {
        this.#tenure.lost(reason);
        // Before anything else: another client may own now.
        void this.#services.disown();
        this.#deliveries.disown();
      },
      onStandby: () => this.#tenure.passed(),
      onDisconnected: (reason) => this.#connection.disconnected('group', reason),
      onConnected: () => this.#connection.connected('group'),
      onCrash: (error) => {
        if (error instanceof DeniedError) this.#crashed.abort(error);
        this.#crashed.abort(
          new ServiceError('the membership of the group is over; the client must be started again', {
            why: messageOf(error),
            next: ['hippo run'],
            cause: error,
          }),
        );
      },
    });
  }

  async #serveHttp(): Promise<HttpServer | null> {
    const { http } = this.#options.loaded.config.client;
    if (http === false) return null;
    const metrics = (this.#metrics = await createMetrics(
      () => this.#status(),
      () => this.#services.scrape(),
    ));
    return serveHttp({
      ...http,
      setting: 'client.http',
      routes: healthRoutes(
        () => this.#status(),
        () => metrics.render(),
      ),
      onError: (text) => this.#log({ event: 'notice', level: 'warning', text }),
    });
  }

  #startHealth(): Health {
    const { config, directory } = this.#options.loaded;
    return startHealth({
      kafka: this.#kafka,
      topic: topicName(config, 'health'),
      directory,
      interval: config.client.health_interval,
      clock: systemClock,
      status: () => this.#status(),
      onFailure: (reason) =>
        this.#log({ event: 'notice', level: 'warning', text: `no health message could be sent: ${reason}` }),
    });
  }

  /** Asks the group now. */
  async #isOwner(): Promise<boolean> {
    return (await this.#membership?.confirm()) ?? false;
  }

  #status(): ClientStatus {
    const role: Role = this.#membership === null ? 'connecting' : this.#tenure.isOwner ? 'owner' : 'standby';
    const connected = this.#membership !== null && this.#connection.isConnected;
    return statusOf({
      hippo: this.#hippo,
      sources: this.#sources,
      role,
      connected,
      view: this.#owner.view,
      services: this.#services.views,
      receivers: this.#deliveries.views,
      now: this.#clock.now(),
    });
  }

  #log(event: ClientEvent): void {
    this.#metrics?.observe(event);
    this.#options.log(event);
  }
}

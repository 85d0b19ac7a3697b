import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import getPort from 'get-port';
import type { ServiceConfig, YarnConfig } from '../../../config/schema.ts';
import type { StackEnvironment } from '../../../config/stack-file.ts';
import { isAborted, untilAborted } from '../../../core/abort.ts';
import { pauseAfter } from '../../../core/backoff.ts';
import type { Millis } from '../../../core/clock.ts';
import { pause } from '../../../core/deadline.ts';
import { formatDuration } from '../../../core/duration.ts';
import { isFree } from '../../../core/free-port.ts';
import { messageOf } from '../../../core/errors.ts';
import { PROJECT_STATE_DIRECTORY } from '../../../core/paths.ts';
import { isSameRecord } from '../../../core/record-ref.ts';
import type { ModelState, Pause, Reload, ServiceState } from '../../../state/index.ts';
import type { ServiceTold, ToldEvent } from '../../machine/index.ts';
import type { ClientLog } from '../client-event.ts';
import type { Guard } from '../guard.ts';
import { removeLeftover } from '../leftovers.ts';
import { type ServedModel, writeServedFile } from '../model-files.ts';
import { endGroup } from '../process-group.ts';
import { type JobEnd, startPiped } from '../process.ts';
import { sparkDefaults } from '../spark-mode.ts';
import {
  OWNER_TAG,
  SERVICE_CLIENT_TAG,
  SERVICE_RUN_TAG,
  SERVICE_SCOPE_TAG,
  SPARK_TAGS,
  clientTag,
  serviceTag,
} from '../tags.ts';
import { followEvents, leftEventsFiles, newEventsFile } from './events-file.ts';
import type { Lease } from './lease.ts';
import { watchReadiness } from './readiness.ts';
import { tellReload, writeReloadFile } from './reloading.ts';
import { ServiceLog, pruneLogs, serviceLogPath } from './service-log.ts';
import { ServiceTelling } from './telling.ts';

export type ServiceStatus =
  /** Not wanted here: this client does not own the hippo, or stops. */
  | 'stopped'
  | 'paused'
  | 'starting'
  | 'ready'
  /** It runs, and does not answer any more. */
  | 'not-ready'
  /** It has ended, and starts again after a pause. */
  | 'restarting'
  /** It has ended too often: it stays down on this client until it is resumed. */
  | 'given-up';

/** What a client says of one of its services. */
export interface ServiceView {
  name: string;
  scope: ServiceConfig['scope'];
  status: ServiceStatus;
  /** Since when, epoch ms. */
  since: Millis;
  /** How often it was started again by this client because it had ended. */
  restarts: number;
  pid: number | null;
  port: number | null;
  /** Of the last time that it ended by itself, or why it is not ready; one line. */
  error?: string;
  /** Of a service of models: the version of each that it says it serves; null: none. */
  models?: Readonly<Record<string, string | null>>;
}

/** What the hippo's state says of a service. */
export interface Desired {
  pause?: Pause;
  state: ServiceState;
  /** Of the models that it serves, those that have a version. */
  models?: ReadonlyMap<string, ModelState>;
}

export interface ServiceOptions {
  name: string;
  config: ServiceConfig;
  /** Those that it serves. */
  models: readonly ServedModel[];
  hippo: string;
  /** Tells one hippo of one cluster from every other. */
  owner: string;
  /** The project's folder. */
  directory: string;
  sparkSubmit: string | null;
  /** Where Kafka is, and variables of the local stack that the client's own environment does not have. */
  environment: StackEnvironment;
  yarn: YarnConfig;
  killGrace: Millis;
  guard: Pick<Guard, 'watch' | 'forget'>;
  /** Of a service of the owner. */
  lease: Lease | null;
  /** Asked right before a process of an owner's service starts. */
  isOwner: () => Promise<boolean>;
  /** See {@link EventsOptions.tell}. */
  announce: (service: string, events: readonly ToldEvent[]) => Promise<void>;
  /** Says how the service is; rejects when it is not remembered for now. */
  tell: (told: ServiceTold) => Promise<void>;
  /** It says that it serves another version of a model. */
  onModels: () => void;
  log: ClientLog;
}

/** A process that is told to reload. */
interface Reloading {
  pid: number;
  port: number | null;
  reloadFile: string;
  /** What it could read when it started. */
  known: Reload | undefined;
}

/** How one process of a service ended. */
type Ending =
  /** It was told to. */
  | { kind: 'stopped' }
  /** The lease ended, and the guard ended it. */
  | { kind: 'lapsed' }
  | { kind: 'crashed'; error: string; lines: string };

/** How often a service that waits for its lease, or for being ready, is looked at, milliseconds. */
const LEASE_LOOK = 500;
const RELOAD_LOOK = 100;
/** Before what failed in the client itself is tried again, milliseconds. */
const RETRY_MILLIS = 1_000;
/** A service that waits for so long until what it has announced is published says so, milliseconds. */
const PATIENCE = 5_000;
/** A service that is not ready after so long says so, milliseconds. */
const NOT_READY = 60_000;
/** A service that has ended so often within `give_up.within`, and is started again, keeps ending. */
const CRASH_LOOP = 3;
/** Of the last lines of a service that has ended, so many stand in the notice. */
const NOTICE_LINES = 5;

/** Keeps one service running, as long as it is wanted here. */
export class Service {
  readonly #options: ServiceOptions;
  readonly #log: ServiceLog;
  #desired: Desired = { state: {} };
  /** Aborted and replaced when it is paused or resumed. */
  #changed = new AbortController();
  /** Aborted and replaced when there is a newer message to reload on. */
  #reloaded = new AbortController();
  /** Aborted and replaced when another version of a model is to be served. */
  #moved = new AbortController();
  /** What the process says that it serves. */
  #served: Readonly<Record<string, string>> = {};
  #onLine: ((line: string) => void) | undefined;
  #status: ServiceStatus = 'stopped';
  #since: Millis = Date.now();
  /** The same, as performance.now() has it. */
  #changedAt = performance.now();
  #restarts = 0;
  #pid: number | null = null;
  #port: number | null = null;
  #error: string | undefined;
  /** When it ended by itself, as performance.now() has it. */
  #crashes: number[] = [];
  #isGivenUp = false;
  readonly #telling: ServiceTelling;

  constructor(options: ServiceOptions) {
    this.#options = options;
    this.#telling = new ServiceTelling(options.tell);
    const path = serviceLogPath(options.directory, options.name);
    pruneLogs(path);
    this.#log = new ServiceLog(path, {
      onFailure: (why) => this.#notice('warning', `its log cannot be written: ${why}`),
      onLine: (line) => this.#onLine?.(line),
    });
  }

  get view(): ServiceView {
    const { name, config } = this.#options;
    return {
      name,
      scope: config.scope,
      status: this.#status,
      since: this.#since,
      restarts: this.#restarts,
      pid: this.#pid,
      port: this.#port,
      ...(this.#error === undefined ? {} : { error: this.#error }),
      ...(this.#options.models.length === 0
        ? {}
        : { models: Object.fromEntries(this.models.map((name) => [name, this.#served[name] ?? null])) }),
    };
  }

  /** The names of the models that it serves. */
  get models(): readonly string[] {
    return this.#options.models.map(({ name }) => name);
  }

  /** Takes over what the hippo's state says. */
  desire(desired: Desired): void {
    const before = this.#desired;
    this.#desired = desired;
    const { resumed, reload } = desired.state;
    const isResumed = resumed !== undefined && !isSamePause(before.state.resumed, resumed);
    if (isResumed) this.#resume();
    if (isResumed || !isSamePause(before.pause, desired.pause)) {
      this.#changed.abort();
      this.#changed = new AbortController();
    }
    if (reload !== undefined && before.state.reload?.from !== reload.from) {
      this.#reloaded.abort();
      this.#reloaded = new AbortController();
    }
    if (this.models.some((name) => before.models?.get(name) !== desired.models?.get(name))) {
      this.#moved.abort();
      this.#moved = new AbortController();
    }
  }

  /** It is tried again, as if it had never ended. */
  #resume(): void {
    this.#crashes = [];
    this.#isGivenUp = false;
    this.#telling.forget();
  }

  /** Another client may have owned the hippo since, whose own copy of the service was different. */
  tellAgain(): void {
    this.#telling.again();
  }

  /**
   * Keeps it running until the signal is aborted, and then ends it.
   *
   * @param token `$HIPPO_EPOCH`: see TransactionalProducer.fencingToken
   */
  async run(stop: AbortSignal, token: string | null): Promise<void> {
    // What it was like when this client owned the hippo before says nothing of now, unless it is still down.
    if (this.#isGivenUp) this.#telling.again();
    else this.#telling.forget();
    while (!isAborted(stop)) {
      if (!this.#isWanted) {
        this.#become(this.#desired.pause === undefined ? 'given-up' : 'paused');
        await this.#untilChanged(stop);
        continue;
      }
      const ending = await this.#runOnce(stop, token).catch((error: unknown): Ending => ({
        kind: 'crashed',
        error: messageOf(error),
        lines: '',
      }));
      if (isAborted(stop)) break;
      const { pause: paused } = this.#desired;
      if (ending.kind === 'stopped' && paused !== undefined)
        this.#notice('info', `stopped: paused${wordsOf(paused)}`);
      if (ending.kind === 'lapsed') await this.#outliveLapse(stop);
      else if (ending.kind === 'crashed') await this.#recover(ending, stop);
    }
    this.#become('stopped');
  }

  /** After the last {@link run}: closes the log. */
  close(): Promise<void> {
    this.#telling.close();
    return new Promise((resolve) => {
      this.#log.end(resolve);
    });
  }

  get #isWanted(): boolean {
    return this.#desired.pause === undefined && !this.#isGivenUp;
  }

  #untilChanged(stop: AbortSignal): Promise<void> {
    return untilAborted(stop, this.#changed.signal);
  }

  /** Waits until the group answers again. */
  async #outliveLapse(stop: AbortSignal): Promise<void> {
    this.#notice(
      'warning',
      'stopped: this client has had no contact with Kafka for so long that another one may own the hippo soon',
    );
    this.#become('stopped');
    const { lease } = this.#options;
    while (!stop.aborted && lease !== null && lease.remaining <= 0) await pause(LEASE_LOOK, stop);
  }

  async #recover({ error, lines }: Extract<Ending, { kind: 'crashed' }>, stop: AbortSignal): Promise<void> {
    const { config, name } = this.#options;
    const { after, within } = config.give_up;
    const now = performance.now();
    this.#error = error;
    this.#crashes = [...this.#crashes.filter((at) => now - at < within), now];
    const count = this.#crashes.length;
    const tail = lines === '' ? '' : `\n${lines.split('\n').slice(-NOTICE_LINES).join('\n')}`;
    if (count >= after) {
      this.#isGivenUp = true;
      const times = count === 1 ? 'once' : `${count} times`;
      this.#tell('gave-up', `has ended ${times} within ${formatDuration(within)}, and stays down: ${error}`);
      this.#notice(
        'error',
        `${error}; that is ${times} within ${formatDuration(within)}: it stays down on this client until hippo job resume ${name}${tail}`,
      );
      return;
    }
    if (count >= CRASH_LOOP)
      this.#tell('crash-loop', `has ended ${count} times within ${formatDuration(within)}: ${error}`);
    const millis = pauseAfter(count, { first: config.backoff, most: config.max_backoff });
    this.#notice('warning', `${error}; it is started again in ${formatDuration(millis)}${tail}`);
    this.#become('restarting');
    await pause(millis, AbortSignal.any([stop, this.#changed.signal]));
    if (!isAborted(stop) && this.#isWanted) this.#restarts += 1;
  }

  /** Runs one process to its end. */
  async #runOnce(stop: AbortSignal, token: string | null): Promise<Ending> {
    const { name, config, guard, lease, isOwner } = this.#options;
    const ended = new AbortController();
    const leaving = new AbortController();
    this.#become('starting');
    const events = config.events === undefined ? null : await this.#newEvents(stop);
    const port = (this.#port = await this.#freePort());
    const reloadFile = this.#file(`reload.${process.pid}.json`);
    const known = this.#desired.state.reload;
    writeReloadFile(reloadFile, known);
    const modelFile = this.#options.models.length === 0 ? null : this.#file(`models.${process.pid}.json`);
    const moved = this.#moved.signal;
    if (modelFile !== null) this.#writeModels(modelFile);
    if (lease !== null && !((await isOwner()) && lease.remaining > 0)) {
      // Another client owns, or it cannot be known: then this service is told to stop, or the group answers again.
      await pause(LEASE_LOOK, stop);
      return { kind: 'stopped' };
    }
    if (isAborted(stop) || !this.#isWanted) return { kind: 'stopped' };
    const begun = performance.now();
    const child = startPiped(
      {
        argv: [...[config.run].flat(), ...config.args],
        cwd: this.#options.directory,
        env: this.#environment({ port, token, events, reloadFile, modelFile }),
        tags: [OWNER_TAG, SERVICE_RUN_TAG],
      },
      this.#log,
    );
    const { pid } = child;
    if (pid === null) return { kind: 'crashed', error: describeEnd(await child.ended), lines: '' };
    this.#pid = pid;
    guard.watch(pid);
    lease?.hold(pid);
    let isEnded = false;
    let outcome: JobEnd;
    let wasAsked: boolean;
    let following: Promise<void> = Promise.resolve();
    try {
      this.#log.mark(`started as process ${pid}`);
      this.#options.log({
        event: 'service',
        service: name,
        status: 'started',
        pid,
        port,
        log: this.#log.path,
      });
      if (events !== null) following = this.#follow(events, ended.signal, stop);
      this.#watchReadiness(port, AbortSignal.any([ended.signal, leaving.signal]));
      void this.#keepReloaded({ pid, port, reloadFile, known }, ended.signal);
      if (modelFile !== null) void this.#keepModels(modelFile, moved, ended.signal);
      const ending = this.#endWhenUnwanted(pid, stop, ended.signal, leaving);
      outcome = await child.ended;
      isEnded = true;
      ended.abort();
      wasAsked = await ending;
    } finally {
      ended.abort();
      // A second process must not start beside it.
      if (!isEnded) await endGroup(pid, this.#options.killGrace);
      this.#pid = null;
      this.#served = {};
      if (modelFile !== null) removeLeftover(modelFile);
      if (lease === null) guard.forget(pid);
      else lease.release(pid);
    }
    this.#become(wasAsked ? 'stopped' : 'restarting');
    await this.#untilPublished(following, stop);
    if (wasAsked) return { kind: 'stopped' };
    if (lease?.hasLapsedSince(begun) === true) return { kind: 'lapsed' };
    const error = describeEnd(outcome);
    const lines = this.#log.lastLines;
    this.#log.mark(error);
    return { kind: 'crashed', error, lines };
  }

  /** Publishes what the process announces. It may end before the process does: what is left is published by the next one. */
  async #follow(path: string, ended: AbortSignal, stop: AbortSignal): Promise<void> {
    const { name, announce } = this.#options;
    try {
      await followEvents(
        path,
        { tell: (told) => announce(name, told), onRefused: (text) => this.#refused(text) },
        ended,
        stop,
      );
    } catch (error) {
      this.#notice('error', `announces nothing: $HIPPO_EVENTS_FILE cannot be read: ${messageOf(error)}`);
    }
  }

  #refused(text: string): void {
    this.#notice('warning', `not published from $HIPPO_EVENTS_FILE: ${text}`);
  }

  async #untilPublished(following: Promise<void>, stop: AbortSignal): Promise<void> {
    const isDone = following.then(() => true);
    if (await Promise.race([isDone, pause(PATIENCE, stop).then(() => false)])) return;
    if (!stop.aborted)
      this.#notice('warning', 'has ended; it starts again when all that it has announced is published');
    await following;
  }

  /** Ends the process when it is to stop, or is not wanted any more. @returns whether it was ended by that */
  async #endWhenUnwanted(
    pid: number,
    stop: AbortSignal,
    ended: AbortSignal,
    leaving: AbortController,
  ): Promise<boolean> {
    while (!ended.aborted && !stop.aborted && this.#isWanted)
      await untilAborted(ended, stop, this.#changed.signal);
    if (ended.aborted) return false;
    leaving.abort();
    const { killGrace, lease } = this.#options;
    // It must be gone when the lease is over.
    const grace = lease === null ? killGrace : Math.max(0, Math.min(killGrace, lease.remaining + killGrace));
    await endGroup(pid, grace);
    return true;
  }

  #watchReadiness(port: number | null, ended: AbortSignal): void {
    const { ready } = this.#options.config;
    this.#onLine = undefined;
    void this.#watchWellness(ended);
    void this.#tellIfNotReady(ended);
    if (ready === undefined) this.#becomeReady();
    else if ('line' in ready) {
      const pattern = new RegExp(ready.line, 'u');
      this.#onLine = (line) => {
        if (ended.aborted || !pattern.test(line)) return;
        this.#onLine = undefined;
        this.#becomeReady();
      };
    } else {
      void watchReadiness({
        ready,
        port,
        signal: ended,
        onModels: this.#options.models.length === 0 ? undefined : (models) => this.#noteServed(models),
        onChange: (isReady, why) => {
          if (isReady) this.#becomeReady();
          else {
            this.#error = why ?? 'it is not ready';
            this.#notice('warning', `not ready any more: ${this.#error}`);
            this.#become('not-ready');
          }
        },
      });
    }
  }

  /** A service of a model of which there is no version yet cannot be ready. */
  async #tellIfNotReady(ended: AbortSignal): Promise<void> {
    do await pause(NOT_READY, ended);
    while (!ended.aborted && this.#status === 'starting' && this.#awaitsModel);
    if (!ended.aborted && this.#status === 'starting')
      this.#notice('warning', `not ready ${formatDuration(NOT_READY)} after its start`);
  }

  get #awaitsModel(): boolean {
    return this.models.some((name) => (this.#desired.models?.get(name)?.serving ?? null) === null);
  }

  #noteServed(models: Readonly<Record<string, string>>): void {
    const own = Object.fromEntries(
      this.models.flatMap((name) => {
        const version = models[name];
        return version === undefined ? [] : [[name, version] as const];
      }),
    );
    const isSame = this.models.every((name) => own[name] === this.#served[name]);
    this.#served = own;
    if (isSame) return;
    const words = Object.entries(own).map(([name, version]) => `${name} ${version}`);
    this.#notice('info', words.length === 0 ? 'serves no model' : `serves ${words.join(', ')}`);
    this.#options.onModels();
  }

  #writeModels(path: string): void {
    writeServedFile(path, this.#options.models, this.#desired.models ?? new Map<string, ModelState>());
  }

  /** Writes the file anew whenever the version that is to be served is another one. */
  async #keepModels(path: string, first: AbortSignal, ended: AbortSignal): Promise<void> {
    let moved = first;
    let isSaid = false;
    while (!ended.aborted) {
      await untilAborted(ended, moved);
      if (isAborted(ended)) return;
      const next = this.#moved.signal;
      try {
        this.#writeModels(path);
        moved = next;
        isSaid = false;
      } catch (error) {
        if (!isSaid)
          this.#notice(
            'warning',
            `cannot be told which model to serve: ${messageOf(error)}; it is tried again`,
          );
        isSaid = true;
        await pause(RETRY_MILLIS, ended);
      }
    }
  }

  /** It is well when it has been ready for as long as its ends count. */
  async #watchWellness(ended: AbortSignal): Promise<void> {
    const { within } = this.#options.config.give_up;
    while (!ended.aborted) {
      const readyFor = this.#status === 'ready' ? performance.now() - this.#changedAt : 0;
      if (readyFor >= within) {
        this.#tell('fine', `has been ready for ${formatDuration(within)}`);
        return;
      }
      await pause(within - readyFor, ended);
    }
  }

  #tell(condition: ServiceTold['condition'], words: string): void {
    const { name } = this.#options;
    this.#telling.say({ service: name, condition, text: `${name} ${words}` });
  }

  #becomeReady(): void {
    this.#become('ready');
    this.#error = undefined;
    const { name, log } = this.#options;
    log({
      event: 'service',
      service: name,
      status: 'ready',
      pid: this.#pid ?? 0,
      port: this.#port,
      log: this.#log.path,
    });
  }

  /** Tells the process of each message that it cannot have read when it started: once it is ready, the newest first and only. */
  async #keepReloaded(process: Reloading, ended: AbortSignal): Promise<void> {
    let { known: told } = process;
    let isSaid = false;
    while (!ended.aborted) {
      const { reload } = this.#desired.state;
      const isNew = reload !== undefined && (told === undefined || !isSameRecord(reload.from, told.from));
      if (!isNew) {
        await untilAborted(ended, this.#reloaded.signal);
        continue;
      }
      if (this.#status !== 'ready') {
        await pause(RELOAD_LOOK, ended);
        continue;
      }
      try {
        if (await this.#tellReload(process, reload, ended)) told = reload;
        else await pause(RELOAD_LOOK, ended);
        isSaid = false;
      } catch (error) {
        if (!isSaid)
          this.#notice('warning', `could not be told to reload: ${messageOf(error)}; it is tried again`);
        isSaid = true;
        await pause(RETRY_MILLIS, ended);
      }
    }
  }

  /** @returns whether it has taken it */
  async #tellReload(
    { pid, port, reloadFile }: Reloading,
    reload: Reload,
    ended: AbortSignal,
  ): Promise<boolean> {
    const { reload: how } = this.#options.config;
    writeReloadFile(reloadFile, reload);
    if (how === undefined) return true;
    const failures = await tellReload({
      how,
      reload,
      pid,
      port,
      signal: AbortSignal.any([ended, this.#reloaded.signal]),
      onFailure: (why) => this.#notice('warning', `could not be told to reload: ${why}; it is tried again`),
    });
    if (failures === null) return false;
    const after = failures === 0 ? '' : `, after ${failures === 1 ? '1 failure' : `${failures} failures`}`;
    this.#notice('info', `told to reload${after}`);
    return true;
  }

  /** What former processes have announced is published first, and the file of the new one is made. */
  async #newEvents(stop: AbortSignal): Promise<string> {
    const folder = this.#file('events');
    for (const path of leftEventsFiles(folder))
      await this.#untilPublished(this.#follow(path, AbortSignal.abort(), stop), stop);
    return newEventsFile(folder);
  }

  /** @throws Error when the port is taken: another program's answer must not make the service ready */
  async #freePort(): Promise<number | null> {
    const { port } = this.#options.config;
    if (port === undefined) return null;
    if (port === 'auto') {
      // A client that remembers the address finds the service there again.
      if (this.#port !== null && (await isFree(this.#port))) return this.#port;
      return getPort({ host: '127.0.0.1' });
    }
    if (!(await isFree(port))) throw new Error(`its port ${port} is taken by another program`);
    return port;
  }

  #environment(of: {
    port: number | null;
    token: string | null;
    events: string | null;
    reloadFile: string;
    modelFile: string | null;
  }): Record<string, string | undefined> {
    const { name, config, hippo, owner, sparkSubmit, environment, yarn } = this.#options;
    return {
      ...environment,
      ...(sparkSubmit === null ? {} : { SPARK_SUBMIT: sparkSubmit }),
      // A driver in this process ends with it; one on YARN would go on.
      ...sparkDefaults({ ...yarn, deploy_mode: 'client' }, { ...process.env, ...config.env }),
      ...config.env,
      HIPPO_NAME: hippo,
      HIPPO_SERVICE: name,
      HIPPO_PORT: of.port === null ? undefined : String(of.port),
      HIPPO_EPOCH: of.token ?? undefined,
      HIPPO_EVENTS_FILE: of.events ?? undefined,
      HIPPO_RELOAD_FILE: of.reloadFile,
      HIPPO_MODEL_FILE: of.modelFile ?? undefined,
      [OWNER_TAG]: owner,
      [SPARK_TAGS]: serviceTag(owner, name),
      [SERVICE_SCOPE_TAG]: config.scope,
      [SERVICE_CLIENT_TAG]: clientTag(),
      [SERVICE_RUN_TAG]: randomUUID(),
    };
  }

  /** A file or folder of this service and this client, in the project. */
  #file(name: string): string {
    return join(this.#options.directory, PROJECT_STATE_DIRECTORY, 'services', this.#options.name, name);
  }

  #become(status: ServiceStatus): void {
    if (status === this.#status) return;
    this.#status = status;
    this.#since = Date.now();
    this.#changedAt = performance.now();
  }

  #notice(level: 'info' | 'warning' | 'error', text: string): void {
    const { name, log } = this.#options;
    log({ event: 'notice', level, text: `service ${name}: ${text}`, service: name });
  }
}

/** ` by ann: wrong data` */
function wordsOf({ by, reason }: Pause): string {
  return `${by === undefined ? '' : ` by ${by}`}${reason === undefined ? '' : `: ${reason}`}`;
}

function isSamePause(a: Pause | undefined, b: Pause | undefined): boolean {
  return a?.at === b?.at && a?.by === b?.by && a?.reason === b?.reason;
}

function describeEnd(end: JobEnd): string {
  if (end.kind === 'not-started') return `it could not be started: ${end.why}`;
  return end.signal === null
    ? `it ended with exit code ${end.exitCode ?? 'unknown'}`
    : `it was ended by ${end.signal}`;
}

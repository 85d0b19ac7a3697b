import type { Config, ServiceConfig } from '../../../config/schema.ts';
import { topicName } from '../../../config/topics.ts';
import { isAborted } from '../../../core/abort.ts';
import { messageOf } from '../../../core/errors.ts';
import { Retry } from '../../../core/deadline.ts';
import type { Kafka } from '../../../kafka/port.ts';
import type { MachineState } from '../../machine/index.ts';
import type { ClientLog } from '../client-event.ts';
import type { Guard } from '../guard.ts';
import { servedModels } from '../model-files.ts';
import { signalGroup } from '../process-group.ts';
import { DesiredStates, desiredOf } from './desired.ts';
import { Lease } from './lease.ts';
import type { Exposition } from './exposition.ts';
import { scrapeServices } from './scrape.ts';
import { Service, type ServiceOptions, type ServiceView } from './service.ts';

export interface ServicesOptions extends Pick<
  ServiceOptions,
  | 'hippo'
  | 'owner'
  | 'directory'
  | 'sparkSubmit'
  | 'environment'
  | 'isOwner'
  | 'announce'
  | 'tell'
  | 'onModels'
> {
  kafka: Kafka;
  config: Config;
  guard: Guard;
  log: ClientLog;
}

const FOLLOW_RETRY = { first: 1_000, most: 30_000 };

/** All services of a hippo on this client. */
export class Services {
  readonly #options: ServicesOptions;
  readonly #lease: Lease;
  readonly #owned: ReadonlyMap<string, Service>;
  readonly #each: ReadonlyMap<string, Service>;
  /** While this client owns the hippo. */
  #tenure: { stop: AbortController; done: Promise<unknown> } | null = null;
  readonly #stop = new AbortController();
  readonly #running = new Map<string, Promise<void>>();
  #following: DesiredStates | null = null;
  #told: Pick<MachineState, 'pauses' | 'services' | 'models'> | null = null;

  constructor(options: ServicesOptions) {
    this.#options = options;
    const { session_timeout: session, kill_grace: grace } = options.config.client;
    this.#lease = new Lease(options.guard, session, grace);
    this.#owned = this.#ofScope('owner');
    this.#each = this.#ofScope('each');
  }

  get views(): ServiceView[] {
    return [...this.#owned.values(), ...this.#each.values()].map(({ view }) => view);
  }

  /** The group has told that this client is its owner: see MemberOptions.onContact. */
  hadContact(asked: number): void {
    this.#lease.renew(asked);
  }

  /** Starts the services that run beside every client, as soon as it is known what the hippo's state says of them. */
  start(): void {
    if (this.#each.size > 0) void this.#follow();
  }

  /** This client owns the hippo, with this state: its services start. */
  own(token: string, state: MachineState): void {
    for (const service of this.#each.values()) service.tellAgain();
    if (this.#tenure !== null || this.#owned.size === 0) return;
    this.desire(state);
    const stop = new AbortController();
    const done = Promise.all([...this.#owned.values()].map((service) => service.run(stop.signal, token)));
    this.#tenure = { stop, done };
  }

  /** The state as it is written. */
  desire(state: MachineState): void {
    const { pauses, services, models } = state;
    const before = this.#told;
    if (pauses === before?.pauses && services === before.services && models === before.models) return;
    this.#told = { pauses, services, models };
    for (const [name, service] of this.#owned) {
      const isSame =
        before !== null &&
        before.pauses.get(name) === pauses.get(name) &&
        before.services.get(name) === services.get(name) &&
        service.models.every((model) => before.models.get(model) === models.get(model));
      if (!isSame) service.desire(desiredOf(state, name, service.models));
    }
  }

  /** Ends the owner's services: this client does not own any more, or is about to give it up. */
  async disown(): Promise<void> {
    const tenure = this.#tenure;
    tenure?.stop.abort();
    await tenure?.done;
    this.#tenure = null;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all([this.disown(), this.#following?.close(), ...this.#running.values()]);
    await Promise.all([...this.#owned.values(), ...this.#each.values()].map((service) => service.close()));
  }

  /** What the services that run here expose of themselves. */
  scrape(): Promise<Exposition[]> {
    const { services } = this.#options.config;
    return scrapeServices(
      this.#options.hippo,
      this.views.flatMap(({ name, pid, port }) => {
        const place = services[name]?.metrics;
        return pid === null || place === undefined ? [] : [{ service: name, port, place }];
      }),
    );
  }

  /** The last resort, for a client that is about to exit. */
  killNow(): void {
    for (const { pid } of this.views) if (pid !== null) signalGroup(pid, 'SIGKILL');
  }

  #ofScope(scope: ServiceConfig['scope']): Map<string, Service> {
    const { config, ...options } = this.#options;
    const ofScope = Object.entries(config.services).filter(([, service]) => service.scope === scope);
    return new Map(
      ofScope.map(([name, service]) => [
        name,
        new Service({
          ...options,
          name,
          config: service,
          models: servedModels(config, name, options.directory),
          yarn: config.yarn,
          killGrace: config.client.kill_grace,
          lease: scope === 'owner' ? this.#lease : null,
        }),
      ]),
    );
  }

  async #follow(): Promise<void> {
    const { kafka, config, hippo, log } = this.#options;
    const retry = new Retry(FOLLOW_RETRY);
    let isSaid = false;
    while (!this.#stop.signal.aborted) {
      this.#following = new DesiredStates({
        kafka,
        topic: topicName(config, 'state'),
        hippo,
        services: new Map([...this.#each].map(([name, { models }]) => [name, models])),
        onChange: (name, desired) => {
          const service = this.#each.get(name);
          service?.desire(desired);
          if (service !== undefined && !this.#running.has(name))
            this.#running.set(name, service.run(this.#stop.signal, null));
        },
        onTrouble: ({ error }) =>
          log({
            event: 'notice',
            level: error === null ? 'info' : 'warning',
            text:
              error === null
                ? 'the state topic can be read again: pauses of services are seen'
                : `pauses of services may not be seen: ${error.message}`,
          }),
      });
      const began = performance.now();
      try {
        await this.#following.follow();
      } catch (error) {
        if (performance.now() - began > FOLLOW_RETRY.most) {
          isSaid = false;
          retry.reset();
        }
        if (isAborted(this.#stop.signal)) return;
        if (!isSaid)
          log({
            event: 'notice',
            level: 'warning',
            text: `the state topic cannot be read, so pauses of services are not seen: ${messageOf(error)}`,
          });
        isSaid = true;
      }
      await retry.pause(this.#stop.signal);
    }
  }
}

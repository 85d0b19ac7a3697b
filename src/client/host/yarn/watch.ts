import { setTimeout as sleep } from 'node:timers/promises';
import { formatDuration } from '../../../core/duration.ts';
import { type Application, goneApplication } from './application.ts';
import { RefusedError, type ResourceManagers, SilentError } from './resource-managers.ts';

/** Pauses between two questions, milliseconds: they double from the first to the longest. */
export interface Pace {
  first: number;
  most: number;
}

export const PACE: Pace = { first: 500, most: 10_000 };

/** What is not known, and must not be taken for either end. */
export class UnknownError extends Error {}

export interface Patience {
  /** Ends the waiting; its reason is thrown. */
  signal: AbortSignal;
  /** How long nobody may answer, milliseconds. */
  giveUp: number;
  /** Called when the answers stay away, and again when they come (null). */
  onSilence: (why: string | null) => void;
}

export type Look = (patience: Patience) => Promise<Application[]>;

/** Waits for what applications come to. Whatever a resource manager does not say is unknown: neither an end nor life. */
export class Watch {
  readonly #managers: ResourceManagers;
  readonly #pace: Pace;

  constructor(managers: ResourceManagers, pace: Pace = PACE) {
    this.#managers = managers;
    this.#pace = pace;
  }

  /** The applications with the tag, and those of these ids. @throws UnknownError when nobody has answered for too long */
  look(tag: string, ids: readonly string[], patience: Patience): Promise<Application[]> {
    return this.#ask(async () => {
      const tagged = await this.#managers.tagged(tag, patience.signal);
      const others = ids.filter((id) => !tagged.some((application) => application.id === id));
      const found = others.map(
        async (id) => (await this.#managers.find(id, patience.signal)) ?? goneApplication(id),
      );
      return [...tagged, ...(await Promise.all(found))];
    }, patience);
  }

  /** Looks until none is alive. @throws UnknownError when nobody has answered for too long */
  async untilEnded(look: Look, patience: Patience): Promise<Application[]> {
    for (let pause = this.#pace.first; ; pause = this.#longer(pause)) {
      const applications = await look(patience);
      if (!applications.some(isAlive)) return applications;
      await this.pause(pause, patience.signal);
    }
  }

  /** Has those killed that are alive, and looks until none is. @throws UnknownError when nobody has answered for too long */
  async kill(look: Look, patience: Patience): Promise<Application[]> {
    return this.untilEnded(async () => {
      const applications = await look(patience);
      const alive = applications.filter(isAlive);
      await this.#ask(
        () => Promise.all(alive.map(({ id }) => this.#managers.kill(id, patience.signal))),
        patience,
      );
      return applications;
    }, patience);
  }

  /** @throws the signal's reason as soon as it is aborted */
  async pause(millis: number, signal: AbortSignal): Promise<void> {
    await sleep(millis, undefined, { signal }).catch(() => signal.throwIfAborted());
  }

  async #ask<T>(question: () => Promise<T>, { signal, giveUp, onSilence }: Patience): Promise<T> {
    const since = performance.now();
    let silent = false;
    for (let pause = this.#pace.first; ; pause = this.#longer(pause)) {
      signal.throwIfAborted();
      try {
        const answer = await question();
        if (silent) onSilence(null);
        return answer;
      } catch (error) {
        if (error instanceof RefusedError) throw new UnknownError(error.message);
        if (!(error instanceof SilentError)) throw error;
        if (!silent) onSilence(error.message);
        silent = true;
        const left = giveUp - (performance.now() - since);
        if (left <= 0)
          throw new UnknownError(
            `no resource manager has answered for ${formatDuration(giveUp)}: ${error.message}`,
          );
        await this.pause(Math.min(pause, left), signal);
      }
    }
  }

  #longer(pause: number): number {
    return Math.min(pause * 2, this.#pace.most);
  }
}

/** A signal that is aborted after so many milliseconds, with an error that says so. */
export function within(millis: number): AbortSignal {
  const controller = new AbortController();
  const late = (): void =>
    controller.abort(new UnknownError(`not confirmed within ${formatDuration(millis)}`));
  setTimeout(late, millis).unref();
  return controller.signal;
}

export function isAlive({ status }: Application): boolean {
  return status === 'alive';
}

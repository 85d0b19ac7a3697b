import { formatDuration } from '../../../core/duration.ts';
import { type Application, goneApplication } from './application.ts';
import { ManagerRefusedError, type ResourceManagers, SilentError } from './resource-managers.ts';
import { type Backoff, pauseAfter } from '../../../core/backoff.ts';
import { deadlineSignal, pause } from '../../../core/deadline.ts';

/** Pauses between two questions. */
const PACE: Backoff = { first: 500, most: 10_000 };

/** What is not known, and must not be taken for either end. */
export class UnknownError extends Error {}

export interface Patience {
  /** Ends the waiting; its reason is thrown. */
  signal: AbortSignal;
  /** How long the resource managers may stay silent, milliseconds. */
  giveUp: number;
  /** Called when the answers stay away, and again when they come (null). */
  onSilence: (why: string | null) => void;
}

export type FindApplications = (patience: Patience) => Promise<Application[]>;

/** Waits for what applications come to. Whatever a resource manager does not say is unknown: neither an end nor life. */
export class ApplicationWatch {
  readonly #managers: ResourceManagers;
  readonly #pace: Backoff;

  constructor(managers: ResourceManagers, pace: Backoff = PACE) {
    this.#managers = managers;
    this.#pace = pace;
  }

  /** The applications with the tag, and those with these ids. @throws UnknownError if no resource manager has answered for too long */
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

  /** Polls until none is alive. @throws UnknownError if no resource manager has answered for too long */
  async untilEnded(look: FindApplications, patience: Patience): Promise<Application[]> {
    for (let looks = 1; ; looks += 1) {
      const applications = await look(patience);
      if (!applications.some(isAlive)) return applications;
      await this.pause(pauseAfter(looks, this.#pace), patience.signal);
    }
  }

  /** Kills the applications that are alive, and polls until none is. @throws UnknownError if no resource manager has answered for too long */
  async kill(look: FindApplications, patience: Patience): Promise<Application[]> {
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
    await pause(millis, signal);
    signal.throwIfAborted();
  }

  async #ask<T>(question: () => Promise<T>, { signal, giveUp, onSilence }: Patience): Promise<T> {
    const since = performance.now();
    let silent = false;
    for (let failures = 1; ; failures += 1) {
      signal.throwIfAborted();
      try {
        const answer = await question();
        if (silent) onSilence(null);
        return answer;
      } catch (error) {
        if (error instanceof ManagerRefusedError) throw new UnknownError(error.message);
        if (!(error instanceof SilentError)) throw error;
        if (!silent) onSilence(error.message);
        silent = true;
        const left = giveUp - (performance.now() - since);
        if (left <= 0)
          throw new UnknownError(
            `no resource manager has answered for ${formatDuration(giveUp)}: ${error.message}`,
          );
        await this.pause(Math.min(pauseAfter(failures, this.#pace), left), signal);
      }
    }
  }
}

/** Ends the waiting for a confirmation after so many milliseconds. */
export function confirmationDeadline(millis: number): AbortSignal {
  return deadlineSignal(millis, () => new UnknownError(`not confirmed within ${formatDuration(millis)}`));
}

export function isAlive({ status }: Application): boolean {
  return status === 'alive';
}

/** The models that a process serves, each in one version at a time. */
import type { Backoff } from '../core/backoff.ts';
import { Retry } from '../core/deadline.ts';
import { messageOf } from '../core/errors.ts';
import { HttpProblem } from '../http/index.ts';
import type { LoadOptions, Model, ModelPlace } from '../predict/index.ts';
import { Drift } from './drift.ts';

/** Which version of a model is to be served; null: none yet. */
export interface Target {
  place: ModelPlace;
  serving: { version: string; manifestSha256?: string | undefined } | null;
}

/** What happens to a model, for the log and the metrics. */
export type ModelEvent =
  | {
      kind: 'serving';
      model: string;
      version: string;
      previous: string | null;
      seconds: number;
      bytes: number;
    }
  /** The version cannot serve; the one before it goes on. */
  | { kind: 'refused'; model: string; version: string; message: string }
  /** The version cannot be read now; it is tried again. */
  | { kind: 'away'; model: string; version: string; message: string }
  /** The last request on a version has ended, and its memory is free. */
  | { kind: 'disposed'; model: string; version: string };

export interface SlotOptions {
  load: (place: ModelPlace, options: LoadOptions) => Promise<Model>;
  /** Whether another try of the same version fails in the same way. */
  isRefused: (error: unknown) => boolean;
  onEvent: (event: ModelEvent) => void;
  /** Milliseconds over which the drift of features is taken. */
  driftWindow: number;
  /** Between two tries of a version that could not be read. */
  backoff?: Backoff;
}

const BACKOFF: Backoff = { first: 1_000, most: 60_000 };

/** One version in memory, and how many requests are using it. */
export class Held {
  readonly model: Model;
  /** Null for a model whose features have no statistics. */
  readonly drift: Drift | null;
  readonly #onDisposed: () => void;
  #users = 0;
  #isRetired = false;

  constructor(model: Model, driftWindow: number, onDisposed: () => void) {
    this.model = model;
    this.drift = model.kind === 'classifier' ? Drift.of(model.manifest, driftWindow) : null;
    this.#onDisposed = onDisposed;
  }

  take(): this {
    this.#users += 1;
    return this;
  }

  /** Exactly once for each {@link take}. */
  release(): void {
    this.#users -= 1;
    this.#disposeIfUnused();
  }

  /** No request takes it any more; its memory is let go when the last one has ended. */
  retire(): void {
    this.#isRetired = true;
    this.#disposeIfUnused();
  }

  #disposeIfUnused(): void {
    if (!this.#isRetired || this.#users > 0) return;
    this.model.dispose();
    this.#onDisposed();
  }
}

export interface SlotStatus {
  /** The version that answers; null: none. */
  version: string | null;
  /** The version that should answer; null: none has been promoted yet. */
  wanted: string | null;
  /** Why these differ, where that is known. */
  problem: string | null;
}

/**
 * One model. A new version is loaded beside the one that serves and takes its place between two requests: a request takes one
 * version at its start and keeps it to its end. What fails leaves the version before it serving.
 */
export class ModelSlot {
  readonly name: string;
  readonly #options: SlotOptions;
  #target: Target | null = null;
  #current: Held | null = null;
  #problem: string | null = null;
  #loading = new AbortController();
  #work: Promise<void> = Promise.resolve();

  constructor(name: string, options: SlotOptions) {
    this.name = name;
    this.#options = options;
  }

  get status(): SlotStatus {
    return {
      version: this.#current?.model.version ?? null,
      wanted: this.#target?.serving?.version ?? null,
      problem: this.#problem,
    };
  }

  /** What serves now, to look at; null: nothing. */
  get current(): Held | null {
    return this.#current;
  }

  /**
   * The version that serves, for one request, which must release it.
   *
   * @throws HttpProblem 503 before the first
   */
  take(): Held {
    if (this.#current !== null) return this.#current.take();
    const wanted = this.#target?.serving?.version;
    throw new HttpProblem(
      503,
      wanted === undefined
        ? `the model ${this.name} has no version yet: its first one is awaited`
        : `version ${wanted} of the model ${this.name} is being loaded`,
      { 'retry-after': '5' },
    );
  }

  /** Serves that version as soon as it is loaded. A version that is being loaded for an earlier call is given up. */
  want(target: Target): void {
    if (isSame(this.#target, target)) return;
    this.#target = target;
    this.#problem = null;
    this.#loading.abort(new Error('another version is wanted'));
    this.#loading = new AbortController();
    const { signal } = this.#loading;
    // One after the other: two versions on their way would need the memory of three.
    this.#work = this.#work.then(() => this.#reach(target, signal));
  }

  /** Gives up what is being loaded, and lets the memory go. */
  async close(): Promise<void> {
    this.#loading.abort(new Error('the service ends'));
    await this.#work;
    this.#switchTo(null);
  }

  async #reach({ place, serving }: Target, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    if (serving === null) {
      this.#switchTo(null);
      return;
    }
    if (this.#current?.model.version === serving.version) return;
    const { load, isRefused, onEvent, backoff = BACKOFF } = this.#options;
    const retry = new Retry(backoff);
    const { name: model } = this;
    const { version } = serving;
    const began = performance.now();
    while (!isAborted(signal)) {
      try {
        const loaded = await load(place, { name: model, ...serving, signal });
        const previous = this.#current?.model.version ?? null;
        // Between the last line and this one another version may have been asked for.
        if (isAborted(signal)) loaded.dispose();
        else {
          this.#problem = null;
          this.#switchTo(loaded);
          const seconds = (performance.now() - began) / 1_000;
          onEvent({ kind: 'serving', model, version, previous, seconds, bytes: loaded.bytes });
        }
        return;
      } catch (error) {
        if (isAborted(signal)) return;
        const kind = isRefused(error) ? 'refused' : 'away';
        this.#problem = messageOf(error);
        onEvent({ kind, model, version, message: messageOf(error) });
        if (kind === 'refused') return;
        await retry.pause(signal);
      }
    }
  }

  #switchTo(loaded: Model | null): void {
    const former = this.#current;
    const { onEvent, driftWindow } = this.#options;
    this.#current =
      loaded === null
        ? null
        : new Held(loaded, driftWindow, () =>
            onEvent({ kind: 'disposed', model: this.name, version: loaded.version }),
          );
    former?.retire();
  }
}

/** A call, because TypeScript takes a property that was false for false after an await, too. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

function isSame(one: Target | null, other: Target): boolean {
  return (
    one !== null &&
    one.serving?.version === other.serving?.version &&
    JSON.stringify(one.place) === JSON.stringify(other.place)
  );
}

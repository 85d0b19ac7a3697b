import type { Millis } from '../../core/clock.ts';
import type { TopicPartitionOffset } from '../../kafka/port.ts';

/** How long after a look that has failed the next one begins, milliseconds. */
const RETRY = 5_000;

export interface CatchUpOptions {
  /** The owner's clock. */
  now(): Millis;
  /** Whether all that had landed for the sources of this hippo by then has been announced. */
  hasScanned(since: Since): boolean;
  /** Where the inputs end now; rejects where that cannot be known. */
  endsOf(): Promise<readonly TopicPartitionOffset[]>;
  /** Whether all before this offset has been taken in. */
  hasRead(end: TopicPartitionOffset): boolean;
}

/** A moment, as the owner's clock has it, and as performance.now() does. */
export interface Since {
  readonly at: Millis;
  readonly moment: number;
}

/**
 * Finds out up to which time all that has landed has been taken in: notes the time, waits until the hippo's own sources have been
 * scanned since, asks where the inputs end, and waits until they are read up to there. What was written before that time is before
 * those ends.
 */
export class CatchUp {
  readonly #options: CatchUpOptions;
  /** Counts the starts of reading: what was asked for before one says nothing after it. */
  #reading = 0;
  #isAsking = false;
  /** When the present look began. */
  #since: Since | null = null;
  #found: { at: Millis; ends: readonly TopicPartitionOffset[] } | null = null;
  #retryAt = -Infinity;

  constructor(options: CatchUpOptions) {
    this.#options = options;
  }

  /** The last look has failed. */
  get hasFailed(): boolean {
    return this.#retryAt > -Infinity;
  }

  /** Called again and again. @returns the time up to which all has been taken in, once; then the next look begins */
  look(): Millis | undefined {
    if (this.#found === null) {
      this.#since ??= { at: this.#options.now(), moment: performance.now() };
      const mayAsk = !this.#isAsking && performance.now() >= this.#retryAt;
      if (mayAsk && this.#options.hasScanned(this.#since)) void this.#ask(this.#since.at);
      return undefined;
    }
    const { at, ends } = this.#found;
    if (!ends.every((end) => this.#options.hasRead(end))) return undefined;
    this.#found = this.#since = null;
    return at;
  }

  /** Reading starts again. */
  forget(): void {
    this.#reading += 1;
    this.#isAsking = false;
    this.#found = this.#since = null;
    this.#retryAt = -Infinity;
  }

  async #ask(at: Millis): Promise<void> {
    const reading = this.#reading;
    this.#isAsking = true;
    try {
      const ends = await this.#options.endsOf();
      if (reading !== this.#reading) return;
      this.#found = { at, ends };
      this.#retryAt = -Infinity;
    } catch {
      if (reading === this.#reading) this.#retryAt = performance.now() + RETRY;
    } finally {
      if (reading === this.#reading) this.#isAsking = false;
    }
  }
}

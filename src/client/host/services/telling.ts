import { pause } from '../../../core/deadline.ts';
import type { ServiceTold } from '../../machine/index.ts';

/** Before what could not be told is told again, milliseconds. */
const RETRY_MILLIS = 1_000;

/** Tells how one service is, until it is remembered. Only the last word counts. */
export class ServiceTelling {
  readonly #tell: (told: ServiceTold) => Promise<void>;
  #said: ServiceTold | undefined;
  #isTold = false;
  #isTelling = false;
  readonly #closing = new AbortController();

  /** @param tell rejects when it is not remembered for now */
  constructor(tell: (told: ServiceTold) => Promise<void>) {
    this.#tell = tell;
  }

  say(told: ServiceTold): void {
    this.#said = told;
    this.again();
  }

  /** What was said last may not be remembered any more. */
  again(): void {
    this.#isTold = false;
    void this.#work();
  }

  /** What was said last does not hold any more. */
  forget(): void {
    this.#said = undefined;
  }

  close(): void {
    this.#closing.abort();
  }

  async #work(): Promise<void> {
    if (this.#isTelling) return;
    this.#isTelling = true;
    while (this.#said !== undefined && !this.#isTold && !this.#closing.signal.aborted) {
      const said = this.#said;
      this.#isTold = true;
      try {
        await this.#tell(said);
      } catch {
        this.#isTold = false;
        await pause(RETRY_MILLIS, this.#closing.signal);
      }
    }
    this.#isTelling = false;
  }
}

import type { Millis } from '../../../core/clock.ts';
import type { Guard } from '../guard.ts';

/** The guard counts its grace in steps, each of which takes a little longer on a slow machine: milliseconds. */
const MARGIN = 1_000;

/**
 * For how long this client may take itself for the owner: the owner's services run under it. It ends so early that they are gone,
 * killed if they must be, before the group may let another client own. The guard holds it too, and ends them: see guard.ts.
 */
export class Lease {
  readonly #guard: Pick<Guard, 'lease' | 'renew' | 'forget'>;
  /** From the last contact with the group to the lease's end, milliseconds. */
  readonly #length: Millis;
  /** As performance.now() has it. */
  #until = -Infinity;
  /** When it last ended before it was renewed. */
  #lapsedAt = -Infinity;

  /** @param killGrace between SIGTERM and SIGKILL, which the session must leave time for */
  constructor(guard: Pick<Guard, 'lease' | 'renew' | 'forget'>, sessionTimeout: Millis, killGrace: Millis) {
    this.#guard = guard;
    this.#length = sessionTimeout - killGrace - Math.min(MARGIN, sessionTimeout / 10);
  }

  /** @param asked when the group was asked, as performance.now() has it */
  renew(asked: number): void {
    const until = asked + this.#length;
    const now = performance.now();
    // The answer may have waited here, in a process that was frozen.
    if (until <= now || until <= this.#until) return;
    if (this.#until < now) this.#lapsedAt = this.#until;
    this.#until = until;
    this.#guard.renew(until - now);
  }

  /** How long it lasts yet, milliseconds; not above 0 when it is over. */
  get remaining(): Millis {
    return this.#until - performance.now();
  }

  /** Whether it is over, or was over at any time since. */
  hasLapsedSince(time: number): boolean {
    return this.remaining <= 0 || this.#lapsedAt > time;
  }

  /** The process group ends with the lease. */
  hold(group: number): void {
    this.#guard.lease(group);
    this.#guard.renew(this.remaining);
  }

  release(group: number): void {
    this.#guard.forget(group);
    // The guard's present pause ends the groups that it began with.
    this.#guard.renew(this.remaining);
  }
}

/** Ownership as it comes and goes: a signal for each time that this client owns the hippo, aborted when it is lost. */
export class Tenure {
  #current: AbortController | null = null;
  #gained = Promise.withResolvers<undefined>();
  #passed = Promise.withResolvers<undefined>();
  #isPassed = false;

  get isOwner(): boolean {
    return this.#current !== null;
  }

  /** Another client is known to own. */
  get isPassed(): boolean {
    return this.#isPassed;
  }

  gained(): void {
    if (this.#current !== null) return;
    this.#current = new AbortController();
    this.#gained.resolve(undefined);
    this.#isPassed = false;
    this.#passed = Promise.withResolvers();
  }

  lost(reason: string): void {
    this.#current?.abort(new Error(reason));
    this.#current = null;
    this.#gained = Promise.withResolvers();
  }

  /** Another client owns now. */
  passed(): void {
    this.#isPassed = true;
    this.#passed.resolve(undefined);
  }

  /**
   * Resolves with the signal of the present or next tenure; with null when `stop` is aborted and, where a patience in
   * milliseconds is given, after that or as soon as another client owns.
   */
  async next(stop: AbortSignal, patience?: number): Promise<AbortSignal | null> {
    const given = Promise.withResolvers<undefined>();
    const giveUp = (): void => given.resolve(undefined);
    const timer = patience === undefined ? undefined : setTimeout(giveUp, patience);
    stop.addEventListener('abort', giveUp, { once: true });
    if (patience !== undefined) void this.#passed.promise.then(giveUp);
    if (stop.aborted) giveUp();
    await Promise.race([this.#gained.promise, given.promise]);
    clearTimeout(timer);
    stop.removeEventListener('abort', giveUp);
    return stop.aborted ? null : (this.#current?.signal ?? null);
  }
}

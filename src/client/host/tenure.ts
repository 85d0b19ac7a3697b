/** Ownership as it comes and goes: a signal for each time that this client owns the hippo, aborted when it is lost. */
export class Tenure {
  #current: AbortController | null = null;
  #gained = Promise.withResolvers<undefined>();

  get isOwner(): boolean {
    return this.#current !== null;
  }

  gained(): void {
    if (this.#current !== null) return;
    this.#current = new AbortController();
    this.#gained.resolve(undefined);
  }

  lost(reason: string): void {
    this.#current?.abort(new Error(reason));
    this.#current = null;
    this.#gained = Promise.withResolvers();
  }

  /** Resolves with the signal of the present or next tenure; with null after `patience` milliseconds, or when `stop` is aborted. */
  async next(stop: AbortSignal, patience?: number): Promise<AbortSignal | null> {
    const given = Promise.withResolvers<undefined>();
    const giveUp = (): void => given.resolve(undefined);
    const timer = patience === undefined ? undefined : setTimeout(giveUp, patience);
    stop.addEventListener('abort', giveUp, { once: true });
    if (stop.aborted) giveUp();
    await Promise.race([this.#gained.promise, given.promise]);
    clearTimeout(timer);
    stop.removeEventListener('abort', giveUp);
    return stop.aborted ? null : (this.#current?.signal ?? null);
  }
}

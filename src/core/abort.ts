/** `signal.aborted` as a call, because after an await TypeScript still assumes the value that the property had before. */
export function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

/** Resolves when one of the signals is aborted. */
export function untilAborted(...signals: readonly AbortSignal[]): Promise<void> {
  const any = AbortSignal.any([...signals]);
  return new Promise((resolve) => {
    if (any.aborted) resolve();
    else any.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** `signal.aborted` as a call, because after an await TypeScript still assumes the value that the property had before. */
export function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

/** `signal.aborted`, as a call: the compiler takes a property for what it was before an await. */
export function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

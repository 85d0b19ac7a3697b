/**
 * A fault point for the crash tests: `HIPPO_CRASH_AT=<boundary>:<n>` ends this process with SIGKILL at the n-th
 * time that it passes the boundary, as a power cut would. Without the variable a point costs one comparison.
 */
export const BOUNDARIES = [
  /** A batch of messages has been stepped through the machine; nothing has been written. */
  'before-transaction',
  /** State, messages and offsets are written; nothing has been started. */
  'after-transaction',
  /** The intent is recorded; the process is not there yet. */
  'before-spawn',
  /** The process is there; the guard has not heard of it. */
  'after-spawn',
  /** The process has ended; its exit has not been reported. */
  'after-exit',
  /** The group's committed offsets are about to follow. */
  'before-commit',
  /** A new owner has fenced the previous one and not yet read the state. */
  'after-fencing',
  /** The state has been read; what ran before has not yet been looked for. */
  'after-restore',
  /** A receiver has taken alerts; that is not recorded. */
  'after-delivery',
] as const;
export type Boundary = (typeof BOUNDARIES)[number];

const [boundary, nth] = (process.env['HIPPO_CRASH_AT'] ?? '').split(':');
let passed = 0;

export function faultPoint(here: Boundary): void {
  if (here !== boundary) return;
  passed += 1;
  if (passed === Number(nth ?? 1)) process.kill(process.pid, 'SIGKILL');
}

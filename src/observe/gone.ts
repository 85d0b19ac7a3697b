import type { RunId } from '../state/index.ts';
import { UNITS, WINDOW_UNITS, type WindowUnit } from '../windows/units.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * Why the hippo's client cannot run this run any more: its job is not in hippo.yaml, or has other windows there. undefined: it can,
 * or its client does not say which jobs it has.
 */
export function whyGone(
  { jobs }: Snapshot,
  hippo: string,
  { job, key }: RunId,
): { cause: 'job' | 'key'; text: string } | undefined {
  const known = jobs.get(hippo);
  if (known === undefined) return undefined;
  const every = Object.hasOwn(known, job) ? known[job] : undefined;
  if (every === undefined) return { cause: 'job', text: `job ${job} is no longer in hippo.yaml of ${hippo}` };
  return isWindowUnit(every) && !isKeyOf(every, key)
    ? { cause: 'key', text: `job ${job} runs every ${UNITS[every].window.noun} now, and has no run ${key}` }
    : undefined;
}

/** By its form: whether a window of that date exists depends on the time zone, which is not known here. */
function isKeyOf(unit: WindowUnit, key: string): boolean {
  const { key: pattern, splitsRepeatedTime } = UNITS[unit].window;
  const digits = pattern.replaceAll('%Y', String.raw`\d{4}`).replaceAll(/%[mdH]/g, String.raw`\d\d`);
  return new RegExp(`^${digits}${splitsRepeatedTime ? String.raw`([+-]\d\d:\d\d)?` : ''}$`).test(key);
}

function isWindowUnit(every: string): every is WindowUnit {
  return (WINDOW_UNITS as readonly string[]).includes(every);
}

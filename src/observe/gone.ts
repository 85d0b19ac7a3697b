import type { RunId } from '../state/index.ts';
import { type WindowUnit, keyPatterns, readWindowUnit, unitsOf } from '../windows/units.ts';
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
  const read = readWindowUnit(every);
  if (!('unit' in read) || isKeyOf(read.unit, key)) return undefined;
  const { noun } = UNITS.runnable(read.unit).window;
  return { cause: 'key', text: `job ${job} runs every ${noun} now, and has no run ${key}` };
}

const UNITS = unitsOf();

/** By its form: whether a window of that date exists depends on the calendar, which is not known here. */
function isKeyOf(unit: WindowUnit, key: string): boolean {
  const offset = UNITS.runnable(unit).window.splitsRepeatedTime ? String.raw`([+-]\d\d:\d\d)?` : '';
  return keyPatterns(unit).some((pattern) =>
    new RegExp(`^${DIRECTIVES.reduce(withDigits, pattern.replaceAll('+', String.raw`\+`))}${offset}$`).test(
      key,
    ),
  );
}

/** What the directives of keys write; windows/index.ts knows, too, but would load much for this. */
const DIRECTIVES = [
  [/%[YG]/g, String.raw`\d{4}`],
  [/%[mdHMUV]/g, String.raw`\d\d`],
  [/%q/g, '[1-4]'],
] as const;

function withDigits(pattern: string, [directive, digits]: (typeof DIRECTIVES)[number]): string {
  return pattern.replaceAll(directive, digits);
}

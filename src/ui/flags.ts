import { DURATION_FORM, meantDurations, parseDuration, withNote } from '../core/duration.ts';
import { BugError, UserError } from '../core/errors.ts';
import { Flags, type Interfaces } from './oclif.ts';

type FlagOptions = Pick<
  Partial<Interfaces.OptionFlag<number>>,
  'char' | 'description' | 'exclusive' | 'dependsOn'
>;

/**
 * A flag that takes a duration (`90s`, `2h`, a bare number of seconds) and gives milliseconds; undefined when it is
 * left out and has no default.
 *
 * @param options `default` as a person would type it, which is how the help shows it
 */
export function durationFlag(options: FlagOptions & { default: string }): Interfaces.OptionFlag<number>;
export function durationFlag(options: FlagOptions): Interfaces.OptionFlag<number | undefined>;
export function durationFlag({
  default: usual,
  ...options
}: FlagOptions & { default?: string }):
  Interfaces.OptionFlag<number> | Interfaces.OptionFlag<number | undefined> {
  const shared = { ...options, helpValue: 'DURATION', parse: parseFlag };
  if (usual === undefined) return Flags.custom<number>()(shared);
  const millis = parseDuration(usual);
  if (millis === undefined) throw new BugError(`a flag's default is not a duration: ${usual}`);
  return Flags.custom<number>()({ ...shared, default: millis, defaultHelp: () => Promise.resolve(usual) });
}

function parseFlag(text: string, _command: unknown, { name }: { name: string }): Promise<number> {
  const millis = parseDuration(text);
  if (millis !== undefined) return Promise.resolve(millis);
  const meant = meantDurations(text);
  throw new UserError(`--${name} must be ${DURATION_FORM}; it is ${JSON.stringify(text)}`, {
    next: (meant.length === 0 ? [{ text: '30m' }] : meant).map(withNote).map((one) => `--${name} ${one}`),
  });
}

import { resolve } from 'node:path';
import { shellWord } from '../core/shell.ts';
import { CONFIG_FILE, findUpward } from './find.ts';
import { type ErrorDetails, type ErrorPlace, UserError } from '../core/errors.ts';

/** One thing that is wrong with the configuration. */
export interface Problem {
  place: ErrorPlace;
  /** Continues a sentence after the key: `must be one of kill, detach`. It never contains a value, which may be secret. */
  message: string;
}

/** The problems of a configuration. */
export class ConfigError extends UserError {
  readonly problems: readonly Problem[];

  constructor(message: string, problems: readonly Problem[], details: ErrorDetails) {
    super(message, details);
    this.problems = problems;
  }
}

/**
 * The command to type after hippo.yaml is corrected.
 *
 * @param file the path as errors print it: one that hippo would not find by itself was given by --config
 */
export function checkCommand(file: string): string {
  const found = findUpward(process.cwd(), CONFIG_FILE) ?? resolve(CONFIG_FILE);
  const given = found === resolve(file) ? '' : ` --config ${shellWord(file)}`;
  return `hippo config${given}    (checks it again)`;
}

/**
 * One error that lists each problem once, in the order of the file.
 *
 * @param config the hippo.yaml that the file belongs to; left out: it is the file
 */
export function problemsError(file: string, problems: readonly Problem[], config = file): ConfigError {
  const byText = new Map(problems.map((problem) => [describe(problem), problem]));
  const sorted = [...byText.values()].sort((left, right) => position(left) - position(right));
  const [first] = sorted;
  const next = [checkCommand(config)];
  if (sorted.length === 1 && first !== undefined) {
    return new ConfigError(`${first.place.key ?? file} ${first.message}`, sorted, {
      place: first.place,
      next,
    });
  }
  return new ConfigError(`${file} has ${sorted.length} problems`, sorted, {
    why: sorted.map(describe).join('\n'),
    next,
    ...(first === undefined ? {} : { place: first.place }),
  });
}

function describe({ place, message }: Problem): string {
  const where = [place.file, place.line, place.column].filter((part) => part !== undefined).join(':');
  return `${[where, place.key].filter((part) => part !== undefined && part !== '').join('  ')}\n  ${message}`;
}

function position({ place }: Problem): number {
  return (place.line ?? 0) * 1e6 + (place.column ?? 0);
}

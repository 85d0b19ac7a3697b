import { Drop, Liquid, LiquidError, type Template } from 'liquidjs';
import type { Millis } from '../core/clock.ts';
import { type Json, isJsonObject } from '../core/json.ts';
import type { Window } from './calendar.ts';
import {
  datePattern,
  type DatePattern,
  DIRECTIVES,
  parseShift,
  type Shift,
  shiftForm,
  shiftDate,
} from './strftime.ts';
import type { Units } from './units.ts';

/** Why a template cannot be used. */
export interface TemplateProblem {
  message: string;
  allowed?: string;
}
export type TemplateResult<T> = { ok: true; value: T } | ({ ok: false } & TemplateProblem);

/** A piece of a rendered text: as it stands, or the window's date, shifted and formatted. */
export type Piece = string | { readonly shifts: readonly Shift[]; readonly pattern: DatePattern };

/** A template of an argument or an environment variable. */
export interface ArgumentTemplate {
  readonly source: string;
  /** Fails where a name has no value, or where a value would turn the argument into an option. */
  render(context: ArgumentContext): TemplateResult<string>;
}

/** What arguments may speak of. */
export interface ArgumentContext {
  hippo: string;
  job: string;
  /** The run's key. */
  key: string;
  window: WindowDate | undefined;
  /** Level → value, of all inputs; where two differ, the need that comes first in the file decides. */
  partition: Readonly<Record<string, string>>;
  /** The same, by need. */
  needs: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** A template of the value of a partition's level that a job produces. */
export interface OutputTemplate {
  readonly source: string;
  /** It speaks of the job's result, so nothing can be rendered of a run that no job has run for. */
  readonly needsResult: boolean;
  /** Fails where a name has no value. */
  render(context: OutputContext): TemplateResult<string>;
}

/** What outputs may speak of. */
export interface OutputContext extends ArgumentContext {
  /** What the job has written to $HIPPO_RESULT_FILE; undefined: nothing. */
  result: Json | undefined;
}

const ARGUMENT_NAMES = ['hippo', 'job', 'key', 'window', 'partition', 'needs'];
export const WINDOW_FORM =
  "text and the window's date, e.g. {{ window | date: '%Y%m%d' }} or {{ window | minus: '1 month' | date: '%Y%m' }}";

/** The window inside a template: shown by a function, so that the same template can be rendered or taken apart. */
export class WindowDate {
  readonly #shifts: readonly Shift[];
  readonly #show: (shifts: readonly Shift[], pattern: DatePattern | null) => string;

  constructor(
    show: (shifts: readonly Shift[], pattern: DatePattern | null) => string,
    shifts: readonly Shift[] = [],
  ) {
    this.#show = show;
    this.#shifts = shifts;
  }

  /** A window whose date is known; unformatted it shows as its key. */
  static of({ date, key }: Pick<Window, 'date' | 'key'>, units: Units): WindowDate {
    return new WindowDate((shifts, pattern) => pattern?.format(shiftDate(date, shifts, units)) ?? key);
  }

  shifted(shift: Shift): WindowDate {
    return new WindowDate(this.#show, [...this.#shifts, shift]);
  }

  format(pattern: DatePattern): string {
    return this.#show(this.#shifts, pattern);
  }

  toString(): string {
    if (this.#shifts.length > 0) throw new TemplateError('a shifted window must be formatted with date');
    return this.#show([], null);
  }
}

class TemplateError extends Error {
  readonly allowed: string | undefined;

  constructor(message: string, allowed?: string) {
    super(message);
    this.allowed = allowed;
  }
}

/** No files, no unknown names, no chance: what a template renders depends on its context alone. */
const liquid = new Liquid({
  strictFilters: true,
  strictVariables: true,
  ownPropertyOnly: true,
  templates: {},
  // Left out, Liquid asks Intl for the system's, which takes 8 MB of memory; no filter here depends on it.
  locale: 'en',
});

const patterns = new Map<string, DatePattern>();

liquid.registerFilter('date', (value: unknown, text: unknown): string => {
  if (!(value instanceof WindowDate)) throw new TemplateError('date formats the window only', WINDOW_FORM);
  if (typeof text !== 'string') throw new TemplateError('date needs a pattern', DIRECTIVES);
  let pattern = patterns.get(text);
  if (pattern === undefined) {
    const made = datePattern(text);
    if ('unknown' in made)
      throw new TemplateError(`unknown directive ${made.unknown} in '${text}'`, DIRECTIVES);
    pattern = made;
    patterns.set(text, pattern);
  }
  return value.format(pattern);
});
for (const [name, sign] of [
  ['plus', 1],
  ['minus', -1],
] as const) {
  liquid.registerFilter(name, (value: unknown, amount: unknown): WindowDate | number => {
    if (!(value instanceof WindowDate)) return Number(value) + sign * Number(amount);
    const shift = typeof amount === 'string' ? parseShift(amount, sign) : undefined;
    if (shift === undefined)
      throw new TemplateError(`${name} does not know ${JSON.stringify(amount)}`, shiftForm(String(amount)));
    return value.shifted(shift);
  });
}
liquid.registerFilter('sample', () => {
  throw new TemplateError('sample is left to chance: a run must be repeatable');
});

/** Checks what can be checked without a run: syntax, filters, names. */
export function compileArgument(
  source: string,
  options: { windowed: boolean },
): TemplateResult<ArgumentTemplate> {
  return attempt(() => {
    const template = liquid.parse(source);
    requireNames(template, namesFor(options));
    const dashed = source.trimStart().startsWith('-');
    return {
      source,
      render: (context) =>
        attempt(() => {
          const text = renderText(template, context);
          if (text.startsWith('-') && !dashed) {
            throw new TemplateError(`"${source}" became "${text}": a value may not turn into an option`);
          }
          return text;
        }),
    };
  });
}

function namesFor({ windowed }: { windowed: boolean }): string[] {
  return windowed ? ARGUMENT_NAMES : ARGUMENT_NAMES.filter((name) => name !== 'window');
}

/** As {@link compileArgument}; it may speak of `result`, too. */
export function compileOutput(
  source: string,
  options: { windowed: boolean },
): TemplateResult<OutputTemplate> {
  return attempt(() => {
    const template = liquid.parse(source);
    requireNames(template, [...namesFor(options), 'result']);
    const needsResult = liquid.globalVariablesSync(template).includes('result');
    return {
      source,
      needsResult,
      render: ({ result, ...context }) =>
        attempt(() => {
          if (!needsResult) return renderText(template, context);
          if (result === undefined)
            throw new TemplateError('the job has written no result to $HIPPO_RESULT_FILE');
          return renderText(template, { ...context, result: asVariable(result, 'result') });
        }),
    };
  });
}

/** Only its own values can be read: not `size`, which Liquid makes up for objects, and not the object as a whole. */
class ResultObject extends Drop {
  constructor(values: Readonly<Record<string, Json>>, path: string) {
    super();
    const define = (key: string, value: unknown, enumerable: boolean): void => {
      Object.defineProperty(this, key, { value, enumerable, configurable: true });
    };
    define(
      'toString',
      () => {
        throw new TemplateError(`${path} is an object`, `one of its values, e.g. {{ ${path}.name }}`);
      },
      false,
    );
    for (const [key, value] of Object.entries(values)) define(key, asVariable(value, `${path}.${key}`), true);
  }
}

/** The list itself, whose items can be read, but not as one text: Liquid would string them together, by `map`. */
function refusingText(list: unknown[], problem: string, allowed: string): unknown[] {
  const map = (): never => {
    throw new TemplateError(problem, allowed);
  };
  return Object.defineProperty(list, 'map', { value: map });
}

function asVariable(value: Json, path: string): unknown {
  if (Array.isArray(value)) {
    const list: unknown[] = value.map((item, index) => asVariable(item, `${path}[${index}]`));
    return refusingText(list, `${path} is a list`, `one of its values, e.g. {{ ${path}[0] }}`);
  }
  return isJsonObject(value) ? new ResultObject(value, path) : value;
}

/**
 * Takes a template of the window's date apart.
 *
 * @param names further names and their values, e.g. those of `each`
 * @param unformatted the pattern of `{{ window }}` without a filter
 */
export function compilePieces(
  source: string,
  names: Readonly<Record<string, string>>,
  unformatted: string,
): TemplateResult<Piece[]> {
  return attempt(() => {
    if (source.includes('{%')) throw new TemplateError('tags ({% … %}) cannot be used here', WINDOW_FORM);
    const template = liquid.parse(source);
    requireNames(template, ['window', ...Object.keys(names)]);
    const dates: Exclude<Piece, string>[] = [];
    const window = new WindowDate((shifts, pattern) => {
      const made = pattern ?? datePattern(unformatted);
      if ('unknown' in made) throw new TemplateError(`unknown directive ${made.unknown}`);
      dates.push({ shifts, pattern: made });
      return `\u0002x${dates.length - 1}X\u0003`;
    });
    const pieces = renderText(template, { ...names, window })
      // eslint-disable-next-line no-control-regex -- what a person cannot type, and no filter leaves as it is, marks where a date stands
      .split(/\u0002x(\d+)X\u0003/)
      .map((text, index) => (index % 2 === 0 ? text : (dates[Number(text)] ?? '')))
      .filter((piece) => piece !== '');
    // A filter after `date` has cut or changed a mark, or two dates were compared.
    // eslint-disable-next-line no-control-regex -- as above
    if (pieces.some((piece) => typeof piece === 'string' && /[\u0002\u0003]/.test(piece))) {
      throw new TemplateError('a formatted date cannot be changed further', WINDOW_FORM);
    }
    if (pieces.filter((piece) => typeof piece !== 'string').length !== dates.length) {
      throw new TemplateError('each date must appear in the text', WINDOW_FORM);
    }
    return pieces;
  });
}

export function renderPieces(pieces: readonly Piece[], date: Millis, units: Units): string {
  return pieces
    .map((piece) =>
      typeof piece === 'string' ? piece : piece.pattern.format(shiftDate(date, piece.shifts, units)),
    )
    .join('');
}

function requireNames(template: Template[], names: readonly string[]): void {
  const unknown = liquid.globalVariablesSync(template).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new TemplateError(`unknown name "${unknown}"`, names.map((name) => `{{ ${name} }}`).join(', '));
  }
}

function renderText(template: Template[], context: object): string {
  return String(liquid.renderSync(template, context));
}

function attempt<T>(compile: () => T): TemplateResult<T> {
  try {
    return { ok: true, value: compile() };
  } catch (error) {
    const origin = originOf(error);
    const message =
      origin instanceof Error ? origin.message.replace(/, line:\d+, col:\d+$/, '') : String(origin);
    const allowed = origin instanceof TemplateError ? origin.allowed : undefined;
    return { ok: false, message, ...(allowed === undefined ? {} : { allowed }) };
  }
}

/** What a filter threw, out of Liquid's wrapping. */
function originOf(error: unknown): unknown {
  return error instanceof Error && LiquidError.is(error) && error.originalError !== undefined
    ? error.originalError
    : error;
}

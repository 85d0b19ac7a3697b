/** The parameters of a route: read from a request's text, checked, and told to the OpenAPI document. Pure. */
import type { ParameterType } from '../config/queries-schema.ts';
import type { QueryParameterConfig } from '../config/schema.ts';

/**
 * A value to be bound. Numbers beyond what JavaScript holds are bigints: of an `integer` itself, of a `decimal` without its point,
 * of times microseconds since 1970, of a `date` days.
 */
export type ParameterValue =
  | { type: 'text'; value: string }
  | { type: 'boolean'; value: boolean }
  | { type: 'number'; value: number }
  | { type: 'integer'; value: bigint }
  | { type: 'decimal'; value: bigint; scale: number }
  | { type: 'date'; value: number }
  | { type: 'timestamp' | 'instant'; value: bigint };

/** Continues a sentence after the parameter's name: `must be …`. */
export class WrongValue extends Error {}

/** A parameter of hippo.yaml, with its texts read. */
export interface Parameter {
  readonly name: string;
  readonly config: QueryParameterConfig;
  /** Of a request without it; null: NULL. */
  readonly preset: ParameterValue | null;
  /** @throws WrongValue */
  read(text: string): ParameterValue;
}

/** A text of a request is cut off by the server before this; the limit of a text that says none. */
const LONGEST_TEXT = 1_000;

/** @throws WrongValue whose message names the setting: `default must be …` */
export function parameterOf(name: string, config: QueryParameterConfig): Parameter {
  const { type } = config;
  const bound = (key: 'min' | 'max'): ParameterValue | null => {
    const text = config[key];
    if (text === undefined) return null;
    return setting(key, () => readAs(type === 'text' ? 'integer' : type, text));
  };
  const least = bound('min');
  const most = bound('max');
  if (least !== null && most !== null && compare(least, most) > 0)
    throw new WrongValue(`max is less than min, which is ${config.min ?? ''}`);
  const values = config.values?.map((text) => setting('values', () => readAs(type, text)));
  const read = (text: string): ParameterValue => {
    const value = readAs(type, text);
    if (values !== undefined && !values.some((one) => compare(one, value) === 0))
      throw new WrongValue(`must be one of ${(config.values ?? []).join(', ')}`);
    if (value.type === 'text') checkLength(value.value, least, most);
    else {
      if (least !== null && compare(value, least) < 0)
        throw new WrongValue(`must be at least ${config.min ?? ''}`);
      if (most !== null && compare(value, most) > 0)
        throw new WrongValue(`must be at most ${config.max ?? ''}`);
    }
    return value;
  };
  const { default: preset } = config;
  return {
    name,
    config,
    preset: preset === undefined ? null : setting('default', () => read(preset)),
    read,
  };
}

function setting<T>(key: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof WrongValue) throw new WrongValue(`${key} ${error.message}`);
    throw error;
  }
}

function checkLength(text: string, least: ParameterValue | null, most: ParameterValue | null): void {
  const { length } = Array.from(text);
  const fewest = least?.type === 'integer' ? Number(least.value) : 0;
  const longest = most?.type === 'integer' ? Number(most.value) : LONGEST_TEXT;
  if (length < fewest) throw new WrongValue(`must have at least ${fewest} characters`);
  if (length > longest) throw new WrongValue(`must have at most ${longest} characters`);
}

/** Of two values of one type. */
function compare(left: ParameterValue, right: ParameterValue): number {
  if (left.type === 'decimal' && right.type === 'decimal') {
    const scale = Math.max(left.scale, right.scale);
    const scaled = (one: { value: bigint; scale: number }): bigint =>
      one.value * 10n ** BigInt(scale - one.scale);
    return order(scaled(left), scaled(right));
  }
  return order(left.value, right.value);
}

function order<T extends string | boolean | number | bigint>(left: T, right: T): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

const INT64 = { least: -(2n ** 63n), most: 2n ** 63n - 1n };
/** DuckDB's decimals have 38 digits. */
const DIGITS = 38;

function readAs(type: ParameterType, text: string): ParameterValue {
  switch (type) {
    case 'text':
      // DuckDB takes a text with a NUL, but other programs that read the answer do not.
      if (/\0/.test(text) || !text.isWellFormed()) throw new WrongValue('must be text without NUL');
      return { type, value: text };
    case 'boolean':
      if (text !== 'true' && text !== 'false') throw new WrongValue('must be true or false');
      return { type, value: text === 'true' };
    case 'integer':
      return { type, value: integerOf(text) };
    case 'number': {
      if (!/^-?\d{1,400}(\.\d{1,400})?([eE][+-]?\d{1,4})?$/.test(text) || !Number.isFinite(Number(text)))
        throw new WrongValue('must be a number');
      return { type, value: Number(text) };
    }
    case 'decimal':
      return decimalOf(text);
    case 'date':
      return { type, value: daysOf(text) };
    case 'timestamp':
    case 'instant':
      return { type, value: microsOf(text, type) };
  }
}

function integerOf(text: string): bigint {
  const value = /^-?\d{1,19}$/.test(text) ? BigInt(text) : null;
  if (value === null || value < INT64.least || value > INT64.most)
    throw new WrongValue('must be a whole number of 64 bits');
  return value;
}

function decimalOf(text: string): ParameterValue {
  const [, sign = '', whole = '', fraction = ''] = /^(-?)(\d{1,38})(?:\.(\d{1,38}))?$/.exec(text) ?? [];
  if (whole === '' || whole.replace(/^0+/, '').length + fraction.length > DIGITS)
    throw new WrongValue(`must be a decimal number of at most ${DIGITS} digits, such as 12.50`);
  return { type: 'decimal', value: BigInt(`${sign}${whole}${fraction}`), scale: fraction.length };
}

const DAY = 86_400_000;
const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;

function daysOf(text: string): number {
  const days = calendarDays(text);
  if (days === null) throw new WrongValue('must be a date such as 2026-01-31');
  return days;
}

/** @returns null: no calendar has it */
function calendarDays(text: string): number | null {
  if (!DATE.test(text)) return null;
  const millis = Date.parse(`${text}T00:00:00Z`);
  // Date.parse takes 2026-02-30 for 2 March.
  return Number.isNaN(millis) || new Date(millis).toISOString().slice(0, 10) !== text ? null : millis / DAY;
}

const TIME =
  /^(\d{4}-\d{2}-\d{2})[T ]([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d{1,6}))?)?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)?$/;

function microsOf(text: string, type: 'timestamp' | 'instant'): bigint {
  const [, date = '', hour, minute, second = '0', fraction = '', zone] = TIME.exec(text) ?? [];
  const days = calendarDays(date);
  if (days === null || (zone === undefined) !== (type === 'timestamp'))
    throw new WrongValue(
      type === 'instant'
        ? 'must be a time with its zone, such as 2026-01-31T09:30:00Z'
        : 'must be a time without zone, such as 2026-01-31T09:30:00',
    );
  const seconds = days * 86_400 + Number(hour) * 3_600 + Number(minute) * 60 + Number(second);
  return BigInt(seconds - offsetOf(zone)) * 1_000_000n + BigInt(fraction.padEnd(6, '0'));
}

function offsetOf(zone: string | undefined): number {
  const [, sign, hours, minutes] = /^([+-])(\d{2}):(\d{2})$/.exec(zone ?? '') ?? [];
  const seconds = Number(hours ?? 0) * 3_600 + Number(minutes ?? 0) * 60;
  return sign === '-' ? -seconds : seconds;
}

/** A value as a text that is the same for equal values: part of what an answer is identified by. */
export function canonical(value: ParameterValue | null): string {
  if (value === null) return '';
  if (value.type !== 'decimal') return `=${String(value.value)}`;
  let { value: digits, scale } = value;
  for (; scale > 0 && digits % 10n === 0n; scale -= 1) digits /= 10n;
  return `=${digits}/${scale}`;
}

/** A value of the type that the parameter allows, for a query of which only the types of the answer matter. */
export function sampleOf({ config, preset }: Parameter): ParameterValue {
  if (preset !== null) return preset;
  const text = config.values?.[0];
  return readAs(config.type, text ?? SAMPLES[config.type]);
}

const SAMPLES: Readonly<Record<ParameterType, string>> = {
  text: '',
  integer: '0',
  number: '0',
  decimal: '0.00',
  boolean: 'false',
  date: '2000-01-01',
  timestamp: '2000-01-01T00:00:00',
  instant: '2000-01-01T00:00:00Z',
};

/** JSON Schema of the parameter as a part of a path or query. */
export function parameterSchema({ config }: Parameter): Record<string, unknown> {
  const { type, description, min, max, values } = config;
  const isCounted = type === 'integer' || type === 'number';
  const preset = config.default;
  return {
    ...SCHEMAS[type],
    ...(description !== undefined && { description }),
    ...(values !== undefined && { enum: isCounted ? values.map(Number) : values }),
    ...(isCounted && min !== undefined && { minimum: Number(min) }),
    ...(isCounted && max !== undefined && { maximum: Number(max) }),
    ...(type === 'text' && { minLength: Number(min ?? 0), maxLength: Number(max ?? LONGEST_TEXT) }),
    ...(preset !== undefined && { default: isCounted ? Number(preset) : preset }),
  };
}

const SCHEMAS: Readonly<Record<ParameterType, Record<string, unknown>>> = {
  text: { type: 'string' },
  integer: { type: 'integer', format: 'int64' },
  number: { type: 'number', format: 'double' },
  decimal: { type: 'string', pattern: '^-?\\d{1,38}(\\.\\d{1,38})?$' },
  boolean: { type: 'boolean' },
  date: { type: 'string', format: 'date' },
  timestamp: { type: 'string', description: 'A time without zone: 2026-01-31T09:30:00' },
  instant: { type: 'string', format: 'date-time' },
};

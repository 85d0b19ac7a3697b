/** The kinds of value that the schema of hippo.yaml is made of. */
import * as v from 'valibot';
import { CLOCK_TIME, clockTimeFor } from '../core/clock.ts';
import { DURATION_FORM, durationForm, parseDuration } from '../core/duration.ts';
import { SIZE_FORM, parseSize, sizeForm, sizeText } from '../core/size.ts';

export function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER) {
  return v.pipe(v.number(), v.safeInteger(), v.minValue(min), v.maxValue(max));
}

/**
 * A schema that is made when it is first looked at. Every command loads the whole schema of hippo.yaml, and most files have few of
 * its sections.
 */
export function deferred<T extends v.GenericSchema>(make: () => T): T {
  let made: T | undefined;
  const schema = (): T => (made ??= make());
  return new Proxy<T>(Object.create(null) as T, {
    get: (_, key): unknown => Reflect.get(schema(), key),
    has: (_, key) => Reflect.has(schema(), key),
    ownKeys: () => Reflect.ownKeys(schema()),
    getOwnPropertyDescriptor: (_, key) => Reflect.getOwnPropertyDescriptor(schema(), key),
  });
}

/** A list with at least one item. */
export function some<T extends v.GenericSchema>(item: T) {
  return v.pipe(v.array(item), v.minLength(1));
}

/** A duration: text in the file (`30s`), milliseconds in the loaded configuration. */
export function duration(description?: string) {
  return v.pipe(
    v.union([v.string(), v.number()]),
    v.description(description ?? `${DURATION_FORM}; a bare number is seconds`),
    v.metadata({ 'x-unit': 'ms' }),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const millis = parseDuration(String(dataset.value));
      if (millis !== undefined) return millis;
      addIssue({ message: `must be ${durationForm(String(dataset.value))}` });
      return NEVER;
    }),
  );
}

/** A size: text in the file (`64MiB`), bytes in the loaded configuration. */
export function size(min: number, description: string) {
  return v.pipe(
    v.union([v.string(), v.number()]),
    v.description(`${description}; ${SIZE_FORM}`),
    v.metadata({ 'x-unit': 'B' }),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const bytes = parseSize(String(dataset.value));
      if (bytes !== undefined && bytes >= min) return bytes;
      const form = bytes === undefined ? sizeForm(String(dataset.value)) : `at least ${sizeText(min)}`;
      addIssue({ message: `must be ${form}` });
      return NEVER;
    }),
  );
}

/** Text that hippo.yaml may have without quotes, so that YAML reads a number or a boolean; `withTexts` restores the text as written. */
export const ANY_SCALAR = v.union([v.string(), v.number(), v.boolean()]);

/** Text, or a number or boolean that means the same text here (`yyyymm: 201704`). */
export const scalarText = v.pipe(ANY_SCALAR, v.transform(String));

/** A secret: no command prints it. */
export const secret = v.pipe(v.string(), v.metadata({ writeOnly: true }));

/** A list written as one text, as in environment variables. */
export function commaSeparated<T extends v.GenericSchema<string, string>>(item: T) {
  return v.pipe(
    v.string(),
    v.transform((text) => text.split(',').map((part) => part.trim())),
    v.array(item),
  );
}

/** The schema with its description. */
export function described<T extends v.GenericSchema>(schema: T, description: string) {
  return v.pipe(schema, v.description(description));
}

/** The schema as an optional one. */
export function optionalText(description: string) {
  return v.optional(described(v.string(), description));
}

export const clockTime = v.pipe(
  v.string(),
  v.regex(CLOCK_TIME, ({ input }) => `must be a time of day such as ${clockTimeFor(input, '22:00')}`),
);

/** A duration, or a time of day: milliseconds, or `HH:MM`, in the loaded configuration. */
export function durationOrTime(description: string) {
  return v.pipe(
    v.union([v.string(), v.number()]),
    v.description(description),
    v.metadata({ 'x-unit': 'ms' }),
    v.rawTransform<string | number, string | number>(({ dataset, addIssue, NEVER }) => {
      const text = String(dataset.value);
      if (CLOCK_TIME.test(text)) return text;
      const millis = parseDuration(text);
      if (millis !== undefined) return millis;
      addIssue({
        message: `must be a time of day such as ${clockTimeFor(text, '06:30')}, or ${durationForm(text)}`,
      });
      return NEVER;
    }),
  );
}

/** Addresses are printed in errors and logs, so credentials in them are refused. */
export const httpAddress = v.pipe(
  v.string(),
  v.regex(/^https?:\/\/[^\s/?#@]+(\/[^\s?#@]*)?$/, 'must be http://host:port or https://host:port'),
);

/** The problems of a mapping whose values are valid by themselves but not together. */
export function consistent<T extends object>(
  check: (settings: T, complain: (key: keyof T & string, message: string) => void) => void,
) {
  return v.rawCheck<T>(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const input = dataset.value;
    check(input, (key, message) => {
      addIssue({ message, path: [{ type: 'unknown', origin: 'value', input, key, value: input[key] }] });
    });
  });
}

/** Whether a part of a URL has a "%", of a password say, that is not written as %25. */
export function hasBadEscape(parts: readonly string[]): boolean {
  return parts.some((part) => /%(?![\da-f]{2})/i.test(part));
}

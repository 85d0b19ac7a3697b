/** manifest.json of a version: docs/MODEL-FORMAT.md. */
import * as v from 'valibot';
import { parsePlainJson } from '../core/json.ts';
import { messageOf } from '../core/errors.ts';
import { Flaw, type VersionName } from './errors.ts';

export const MANIFEST = 'manifest.json';
/** The major version of the manifest, and of the input and output that this hippo can serve. */
const MAJOR = '1';
/** So many popular items can a version have. */
const MOST_NAMES = 10_000;

const text = v.pipe(v.string(), v.nonEmpty('must not be empty'));
const count = v.pipe(v.number(), v.integer('must be a whole number'), v.minValue(0, 'must not be negative'));
const names = v.pipe(
  v.array(text),
  v.minLength(1, 'must not be empty'),
  v.maxLength(MOST_NAMES, `must have at most ${MOST_NAMES} entries`),
);
const schemaVersion = v.pipe(v.string(), v.regex(/^\d+\.\d+$/, 'must be like "1.0"'));
const maybe = v.optional(v.nullable(text), null);

/** A file of the version's folder or below it. */
const fileName = v.pipe(
  v.string(),
  v.regex(
    /^(?!\.{1,2}(?:\/|$))[^/\\\0]+(?:\/(?!\.{1,2}(?:\/|$))[^/\\\0]+)*$/,
    'must be a path inside of the version',
  ),
);

const file = v.looseObject({
  /** The size. */
  bytes: count,
  /** 64 hex digits. */
  sha256: v.pipe(v.string(), v.regex(/^[\da-f]{64}$/, 'must be 64 hex digits in small letters')),
});

/** How a feature was distributed in the training data, in n bins. */
const statistics = v.pipe(
  v.looseObject({
    mean: v.number(),
    stddev: v.number(),
    /** n + 1 borders of the bins, ascending. */
    edges: v.array(v.number()),
    /** n shares of the rows, which add up to 1. */
    shares: v.array(v.pipe(v.number(), v.minValue(0, 'must not be negative'))),
  }),
  v.forward(
    v.check(
      ({ edges, shares }) => edges.length === shares.length + 1,
      'must have one entry more than "shares"',
    ),
    ['edges'],
  ),
);

const training = v.looseObject({
  table: maybe,
  window: v.optional(v.nullable(v.looseObject({ start: maybe, end: maybe })), null),
  rows: v.optional(v.nullable(count), null),
  held_out_rows: v.optional(v.nullable(count), null),
});

const common = {
  format: v.literal('hippo-model'),
  schema_version: schemaVersion,
  model: text,
  version: text,
  algorithm: text,
  /** ISO 8601. */
  created_at: text,
  /** The version that served when this one was built. */
  parent: maybe,
  git_revision: maybe,
  job_id: maybe,
  training: v.optional(training, {}),
  params: v.optional(v.record(v.string(), v.unknown()), {}),
  metrics: v.optional(v.record(v.string(), v.number()), {}),
  files: v.record(fileName, file),
};

const classifier = v.looseObject({
  ...common,
  kind: v.literal('classifier'),
  input: v.looseObject({
    schema_version: schemaVersion,
    features: v.pipe(
      v.array(v.looseObject({ name: text, type: v.literal('number') })),
      v.minLength(1, 'must not be empty'),
      v.maxLength(MOST_NAMES, `must have at most ${MOST_NAMES} entries`),
    ),
  }),
  output: v.looseObject({
    schema_version: schemaVersion,
    classes: v.pipe(names, v.minLength(2, 'must have two entries or more')),
  }),
  /** By feature. */
  statistics: v.optional(v.record(v.string(), statistics), {}),
});

const recommender = v.looseObject({
  ...common,
  kind: v.literal('recommender'),
  input: v.looseObject({ schema_version: schemaVersion, users: count }),
  output: v.looseObject({
    schema_version: schemaVersion,
    items: count,
    rank: v.pipe(count, v.minValue(1, 'must be 1 or more')),
  }),
});

export type ClassifierManifest = v.InferOutput<typeof classifier>;
export type RecommenderManifest = v.InferOutput<typeof recommender>;
export type Manifest = ClassifierManifest | RecommenderManifest;

const UPGRADE = ['upgrade hippo on this machine, or build the version with the hippo that serves it'];

/**
 * @param json the text of manifest.json
 * @param expected the manifest must be of this version
 * @throws Flaw which names the key
 */
export function parseManifest(json: string, expected: VersionName): Manifest {
  const value = parse(json);
  requireMajors(value);
  const parsed = v.safeParse(v.variant('kind', [classifier, recommender]), value);
  if (!parsed.success) throw flawOf(parsed.issues[0]);
  const manifest = parsed.output;
  for (const [key, wanted] of [
    ['model', expected.name],
    ['version', expected.version],
  ] as const)
    if (manifest[key] !== wanted)
      throw new Flaw(MANIFEST, `"${key}" must be "${wanted}"; it is "${manifest[key]}"`, { key });
  if (manifest.kind === 'classifier') {
    requireDifferent(
      'input.features',
      manifest.input.features.map(({ name }) => name),
    );
    requireDifferent('output.classes', manifest.output.classes);
  }
  return manifest;
}

function parse(json: string): unknown {
  try {
    return parsePlainJson(json);
  } catch (error) {
    throw new Flaw(MANIFEST, `it is not JSON: ${messageOf(error)}`);
  }
}

/** First of all: another major version may have other keys. */
function requireMajors(value: unknown): void {
  for (const key of ['schema_version', 'input.schema_version', 'output.schema_version']) {
    const found = key.split('.').reduce<unknown>(memberOf, value);
    if (typeof found !== 'string' || found.split('.', 1)[0] === MAJOR) continue;
    throw new Flaw(MANIFEST, `"${key}" is "${found}", and this hippo knows ${MAJOR}.x only`, {
      key,
      next: UPGRADE,
    });
  }
}

function memberOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}

function requireDifferent(key: string, list: readonly string[]): void {
  const twice = list.find((each, index) => list.indexOf(each) !== index);
  if (twice !== undefined) throw new Flaw(MANIFEST, `"${key}" has "${twice}" twice`, { key });
}

/** What valibot expects, in words. */
const EXPECTED: Readonly<Record<string, string>> = {
  number: 'a number',
  string: 'a text',
  Object: 'an object',
  Array: 'a list',
};

function flawOf(issue: v.BaseIssue<unknown>): Flaw {
  const key = (issue.path ?? []).map(({ key }) => String(key)).join('.');
  const name = key === '' ? 'it' : `"${key}"`;
  return new Flaw(MANIFEST, `${name} ${problemOf(issue)}`, { key });
}

function problemOf({ kind, message, expected, received }: v.BaseIssue<unknown>): string {
  if (received === 'undefined') return 'is missing';
  if (kind === 'validation') return `${message}; it is ${received}`;
  return `must be ${EXPECTED[expected ?? ''] ?? expected ?? 'something else'}; it is ${received}`;
}

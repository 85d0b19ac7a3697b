/** Versions of models as a builder writes them, small and the same each time. */
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonObject } from '../../src/core/json.ts';

interface VersionOptions {
  /** Of the model. [default: iris, or films] */
  name?: string;
  /** [default: 20260101T000000Z-000001] */
  version?: string;
  parent?: string;
  metrics?: Readonly<Record<string, number>>;
  /** Another seed makes other numbers. [default: 1] */
  seed?: number;
  /** Changes the manifest last of all. */
  manifest?: (manifest: JsonObject) => void;
  /** Changes the files before they are hashed, or adds some. */
  files?: (files: Record<string, Buffer>) => void;
}

export interface ClassifierVersion extends VersionOptions {
  kind: 'classifier';
  /** [default: the four of iris] */
  features?: readonly string[];
  /** [default: the three of iris] */
  classes?: readonly string[];
  /** By row, then by feature. [default: random, of two classes one row] */
  coefficients?: readonly (readonly number[])[];
  /** By row. [default: random] */
  intercepts?: readonly number[];
}

export interface RecommenderVersion extends VersionOptions {
  kind: 'recommender';
  /** Ids. [default: u0 to u29] */
  users?: readonly string[];
  /** Ids. [default: i0 to i99] */
  items?: readonly string[];
  /** [default: 8] */
  rank?: number;
  /** users × rank. [default: random] */
  userFactors?: Float32Array;
  /** items × rank. [default: random] */
  itemFactors?: Float32Array;
  /** By user row: item rows, ascending. [default: a few of each] */
  known?: readonly (readonly number[])[];
  /** Item rows. [default: the first 50, from the last to the first] */
  popular?: readonly number[];
}

export type ModelVersion = ClassifierVersion | RecommenderVersion;

export interface WrittenVersion {
  name: string;
  version: string;
  /** As `$HIPPO_MODEL_FILE` has it: the folder of all versions. */
  location: string;
  /** Of the version. */
  folder: string;
  /** What `$HIPPO_MODEL_FILE` has as manifest_sha256. */
  manifestSha256: string;
  manifest: JsonObject;
}

/** The files of a version by their names, with manifest.json. */
export interface VersionContents {
  name: string;
  version: string;
  files: Record<string, Buffer>;
  manifest: JsonObject;
  manifestSha256: string;
}

/**
 * Writes a version to `folder/VERSION/`.
 *
 * @param folder of all versions; it is made if it is not there
 */
export async function writeModel(folder: string, options: ModelVersion): Promise<WrittenVersion> {
  const { name, version, files, manifest, manifestSha256 } = modelFiles(options);
  const into = join(folder, version);
  await mkdir(into, { recursive: true });
  for (const [file, content] of Object.entries(files)) await writeFile(join(into, file), content);
  return { name, version, location: folder, folder: into, manifestSha256, manifest };
}

export function modelFiles(options: ModelVersion): VersionContents {
  const version = options.version ?? '20260101T000000Z-000001';
  const { name, files, ...parts } =
    options.kind === 'classifier' ? classifier(options) : recommender(options);
  options.files?.(files);
  const manifest: JsonObject = {
    format: 'hippo-model',
    schema_version: '1.0',
    model: name,
    version,
    kind: options.kind,
    created_at: '2026-01-01T00:00:00Z',
    parent: options.parent ?? null,
    git_revision: null,
    job_id: null,
    training: { table: `test.${name}`, window: null, rows: 120, held_out_rows: 30 },
    params: {},
    metrics: { ...options.metrics },
    ...parts,
    files: Object.fromEntries(
      Object.entries(files).map(([file, content]) => [
        file,
        { bytes: content.length, sha256: sha256(content) },
      ]),
    ),
  };
  options.manifest?.(manifest);
  const text = Buffer.from(JSON.stringify(manifest, null, 2));
  return {
    ...{ name, version, manifest, manifestSha256: sha256(text) },
    files: { ...files, 'manifest.json': text },
  };
}

export function sha256(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex');
}

interface Parts {
  name: string;
  files: Record<string, Buffer>;
  [key: string]: unknown;
}

const IRIS = ['sepal_length', 'sepal_width', 'petal_length', 'petal_width'];

function classifier({
  name = 'iris',
  features = IRIS,
  classes = ['setosa', 'versicolor', 'virginica'],
  ...options
}: ClassifierVersion) {
  const random = randomNumbers(options.seed ?? 1);
  const rows = classes.length === 2 ? 1 : classes.length;
  const {
    coefficients = Array.from({ length: rows }, () => features.map(() => random() * 4 - 2)),
    intercepts = Array.from({ length: rows }, () => random() - 0.5),
  } = options;
  return {
    name,
    algorithm: 'logistic-regression',
    input: {
      schema_version: '1.0',
      features: features.map((feature) => ({ name: feature, type: 'number' })),
    },
    output: { schema_version: '1.0', classes: [...classes] },
    statistics: Object.fromEntries(
      features.map((feature, at) => [
        feature,
        {
          mean: 3 + at,
          stddev: 1,
          edges: [0, 1, 2, 3, 4].map((step) => at + 1 + step),
          shares: [0.1, 0.4, 0.4, 0.1],
        },
      ]),
    ),
    files: { 'coefficients.json': json({ coefficients, intercepts }) },
  } satisfies Parts;
}

function recommender({
  name = 'films',
  users = ids('u', 30),
  items = ids('i', 100),
  rank = 8,
  ...options
}: RecommenderVersion) {
  const random = randomNumbers(options.seed ?? 1);
  const factors = (rows: number): Float32Array =>
    Float32Array.from({ length: rows * rank }, () => random() - 0.3);
  const {
    userFactors = factors(users.length),
    itemFactors = factors(items.length),
    known = users.map((_, user) => items.map((_, item) => item).filter((item) => (item + user) % 9 === 0)),
    popular = items
      .map((_, item) => item)
      .slice(0, 50)
      .toReversed(),
  } = options;
  const offsets = [0];
  for (const mine of known) offsets.push((offsets.at(-1) ?? 0) + mine.length);
  return {
    name,
    algorithm: 'als',
    input: { schema_version: '1.0', users: users.length },
    output: { schema_version: '1.0', items: items.length, rank },
    files: {
      'user_factors.f32': bytesOf(userFactors),
      'item_factors.f32': bytesOf(itemFactors),
      'users.json': json(users),
      'items.json': json(items),
      'known_offsets.u32': bytesOf(Uint32Array.from(offsets)),
      'known_items.u32': bytesOf(Uint32Array.from(known.flat())),
      'popular.json': json(popular),
    },
  } satisfies Parts;
}

/** `u0`, `u1`, … */
export function ids(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, row) => `${prefix}${row}`);
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Uint32Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/** From 0 to 1: mulberry32, which is fast and gives the same numbers for a seed everywhere. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Logistic regression, binomial and multinomial, as Spark's LogisticRegressionModel computes it. */
import * as v from 'valibot';
import { BugError, messageOf } from '../core/errors.ts';
import { parsePlainJson } from '../core/json.ts';
import { Flaw } from './errors.ts';
import type { VersionFiles } from './files.ts';
import type { ClassifierManifest } from './manifest.ts';
import type { Pace } from './pace.ts';
import type { ClassOf, Classifier } from './types.ts';

export const COEFFICIENTS = 'coefficients.json';

/** So many predictions make V8 compile what they run. */
const WARM = 500;

const finite = v.pipe(v.number(), v.finite());
const contents = v.looseObject({
  /** By class, then by feature. Of two classes there may be one row, of the second class. */
  coefficients: v.array(v.array(finite)),
  /** By row of the coefficients. */
  intercepts: v.array(finite),
});

/** @throws Flaw, ModelAway */
export async function loadClassifier(
  files: VersionFiles,
  manifest: ClassifierManifest,
  pace: Pace,
): Promise<Classifier> {
  const json = Buffer.from(await files.read(COEFFICIENTS, manifest)).toString('utf8');
  const model = new LogisticRegression(manifest, parseCoefficients(json, manifest));
  const row = new Float64Array(model.features.length);
  await pace.inSteps(WARM, 10, (from, to) => {
    for (let times = from; times < to; times += 1) model.classOf(row);
  });
  return model;
}

interface Coefficients {
  /** Row after row. */
  readonly coefficients: Float64Array;
  readonly intercepts: Float64Array;
}

function parseCoefficients(json: string, { input, output }: ClassifierManifest): Coefficients {
  const { coefficients, intercepts } = parse(json);
  const [classes, features] = [output.classes.length, input.features.length];
  const rows = coefficients.length;
  if (rows !== classes && !(rows === 1 && classes === 2))
    throw new Flaw(COEFFICIENTS, `"coefficients" has ${rows} rows, and the manifest ${classes} classes`, {
      key: 'coefficients',
    });
  if (intercepts.length !== rows)
    throw new Flaw(COEFFICIENTS, `"intercepts" must have ${rows} numbers; it has ${intercepts.length}`, {
      key: 'intercepts',
    });
  for (const [index, row] of coefficients.entries())
    if (row.length !== features)
      throw new Flaw(
        COEFFICIENTS,
        `"coefficients.${index}" has ${row.length} numbers, and the manifest ${features} features`,
        { key: `coefficients.${index}` },
      );
  return { coefficients: Float64Array.from(coefficients.flat()), intercepts: Float64Array.from(intercepts) };
}

function parse(json: string): v.InferOutput<typeof contents> {
  let value: unknown;
  try {
    value = parsePlainJson(json);
  } catch (error) {
    throw new Flaw(COEFFICIENTS, `it is not JSON: ${messageOf(error)}`);
  }
  const parsed = v.safeParse(contents, value);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const key = (issue.path ?? []).map(({ key }) => String(key)).join('.');
  const name = key === '' ? 'it' : `"${key}"`;
  throw new Flaw(COEFFICIENTS, `${name} must be rows of finite numbers; it is ${issue.received}`, { key });
}

/** 2 ** -520: the product of two numbers that are scaled by it is smaller than 2 ** 1008, so that a sum of many is finite. */
const SCALE = 2 ** -520;

class LogisticRegression implements Classifier {
  readonly kind = 'classifier';
  readonly name: string;
  readonly version: string;
  readonly features: readonly string[];
  readonly classes: readonly string[];
  readonly bytes: number;
  readonly manifest: ClassifierManifest;
  #coefficients: Coefficients | undefined;

  constructor(manifest: ClassifierManifest, coefficients: Coefficients) {
    this.manifest = manifest;
    this.name = manifest.model;
    this.version = manifest.version;
    this.features = manifest.input.features.map(({ name }) => name);
    this.classes = manifest.output.classes;
    this.bytes = coefficients.coefficients.byteLength + coefficients.intercepts.byteLength;
    this.#coefficients = coefficients;
  }

  probabilities(row: ArrayLike<number>): Float64Array {
    const margins = this.#margins(row, 1);
    // A number of the row or its product is too large for a double: one class is then as good as certain.
    if (!margins.every(Number.isFinite)) return certain(this.#margins(row, SCALE));
    return margins.length === 1 ? sigmoids(margins[0] ?? 0) : softmax(margins);
  }

  classOf(row: ArrayLike<number>): ClassOf {
    const index = firstMaximum(this.probabilities(row));
    return { index, label: this.classes[index] ?? '' };
  }

  dispose(): void {
    this.#coefficients = undefined;
  }

  /**
   * For each row of the coefficients: its dot product with the features, plus the intercept.
   *
   * @param scale a power of two, by which both factors of each product are multiplied
   */
  #margins(row: ArrayLike<number>, scale: number): Float64Array {
    if (this.#coefficients === undefined)
      throw new BugError(`version ${this.version} of the model ${this.name} was disposed of`);
    const { coefficients, intercepts } = this.#coefficients;
    const width = this.features.length;
    if (row.length !== width) throw new RangeError(`a row has ${width} numbers, and not ${row.length}`);
    return intercepts.map((intercept, index) => {
      let sum = 0;
      const from = index * width;
      for (let at = 0; at < width; at += 1)
        sum += (coefficients[from + at] ?? 0) * scale * ((row[at] ?? 0) * scale);
      return sum + intercept * scale * scale;
    });
  }
}

/** Both by an exponential of a number that is not positive, so that neither overflows and a small one keeps its digits. */
function sigmoids(margin: number): Float64Array {
  const small = Math.exp(-Math.abs(margin));
  const [less, more] = [small / (1 + small), 1 / (1 + small)];
  return margin > 0 ? Float64Array.of(less, more) : Float64Array.of(more, less);
}

/** Relative to the largest, so that no exponential overflows. */
function softmax(margins: Float64Array): Float64Array {
  const largest = margins.reduce((one, other) => Math.max(one, other));
  const shares = margins.map((margin) => Math.exp(margin - largest));
  const sum = shares.reduce((one, other) => one + other);
  return shares.map((share) => share / sum);
}

/** 1 for the class with the largest margin; several with the same margin share it. NaN makes all NaN. */
function certain(margins: Float64Array): Float64Array {
  const all = margins.length === 1 ? Float64Array.of(0, margins[0] ?? 0) : margins;
  const largest = all.reduce((one, other) => Math.max(one, other));
  if (Number.isNaN(largest)) return all.fill(Number.NaN);
  const shared = all.filter((margin) => margin === largest).length;
  return all.map((margin) => (margin === largest ? 1 / shared : 0));
}

function firstMaximum(numbers: Float64Array): number {
  let found = 0;
  for (let index = 1; index < numbers.length; index += 1)
    if ((numbers[index] ?? 0) > (numbers[found] ?? 0)) found = index;
  return found;
}

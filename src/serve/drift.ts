/** How far the features that a classifier is asked about are from those that it was trained with. */
import type { ClassifierManifest } from '../predict/index.ts';

/** The window moves on by one of so many parts. */
const SLICES = 12;
/** Fewer rows say nothing about a distribution. */
const LEAST_ROWS = 100;
/** A share of zero would make the index infinite. */
const LEAST_SHARE = 1e-4;

interface Feature {
  name: string;
  /** Its place in a row. */
  at: number;
  edges: readonly number[];
  shares: readonly number[];
}

interface Slice {
  /** The number of its part of the time. */
  number: number;
  rows: number;
  sums: Float64Array;
  /** By feature, then by bin. */
  bins: readonly Uint32Array[];
}

export interface FeatureDrift {
  feature: string;
  mean: number;
  /**
   * The population stability index against the training data: Σ (share − trained) · ln(share / trained). Below 0.1 nothing has
   * changed, above 0.25 much has. Null with fewer than a hundred rows.
   */
  psi: number | null;
}

/**
 * Counts rows in a sliding window. It keeps no row: for each feature a sum and a count for each bin, in each of twelve parts of the
 * window. A value outside of all bins counts for the nearest one.
 */
export class Drift {
  readonly #features: readonly Feature[];
  readonly #slices: Slice[];
  readonly #part: number;
  readonly #now: () => number;

  private constructor(features: readonly Feature[], window: number, now: () => number) {
    this.#features = features;
    this.#part = window / SLICES;
    this.#now = now;
    this.#slices = Array.from({ length: SLICES }, () => ({
      number: -1,
      rows: 0,
      sums: new Float64Array(features.length),
      bins: features.map(({ shares }) => new Uint32Array(shares.length)),
    }));
  }

  /**
   * @param window milliseconds
   * @param now a clock that never goes back, milliseconds
   * @returns null where the manifest has no statistics of any feature
   */
  static of(
    { input, statistics }: Pick<ClassifierManifest, 'input' | 'statistics'>,
    window: number,
    now = () => performance.now(),
  ): Drift | null {
    const features = input.features.flatMap(({ name }, at): Feature[] => {
      const known = statistics[name];
      return known === undefined || known.shares.length === 0
        ? []
        : [{ name, at, edges: known.edges, shares: known.shares }];
    });
    return features.length === 0 ? null : new Drift(features, window, now);
  }

  record(row: ArrayLike<number>): void {
    const slice = this.#sliceOfNow();
    slice.rows += 1;
    for (let index = 0; index < this.#features.length; index += 1) {
      const { at, edges } = this.#features[index] as Feature;
      const value = row[at] as number;
      const bins = slice.bins[index] as Uint32Array;
      slice.sums[index] = (slice.sums[index] as number) + value;
      const bin = binOf(value, edges);
      bins[bin] = (bins[bin] as number) + 1;
    }
  }

  /** @returns rows: how many are in the window */
  look(): { rows: number; features: FeatureDrift[] } {
    const oldest = Math.floor(this.#now() / this.#part) - SLICES;
    const slices = this.#slices.filter(({ number }) => number > oldest);
    const rows = slices.reduce((sum, slice) => sum + slice.rows, 0);
    if (rows === 0) return { rows, features: [] };
    const features = this.#features.map(({ name, shares }, index) => ({
      feature: name,
      mean: slices.reduce((sum, { sums }) => sum + (sums[index] ?? 0), 0) / rows,
      psi:
        rows < LEAST_ROWS
          ? null
          : stabilityIndex(
              shares.map(
                (_, bin) => slices.reduce((sum, { bins }) => sum + (bins[index]?.[bin] ?? 0), 0) / rows,
              ),
              shares,
            ),
    }));
    return { rows, features };
  }

  #sliceOfNow(): Slice {
    const number = Math.floor(this.#now() / this.#part);
    const slice = this.#slices[number % SLICES] as Slice;
    if (slice.number === number) return slice;
    slice.number = number;
    slice.rows = 0;
    slice.sums.fill(0);
    for (const bins of slice.bins) bins.fill(0);
    return slice;
  }
}

/** @param edges one more than there are bins, ascending; a bin has its lower edge */
export function binOf(value: number, edges: readonly number[]): number {
  let [low, high] = [0, edges.length - 2];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (value >= (edges[middle] as number)) low = middle;
    else high = middle - 1;
  }
  return low;
}

export function stabilityIndex(shares: readonly number[], trained: readonly number[]): number {
  return shares.reduce((sum, share, bin) => {
    const [now, then] = [Math.max(share, LEAST_SHARE), Math.max(trained[bin] ?? 0, LEAST_SHARE)];
    return sum + (now - then) * Math.log(now / then);
  }, 0);
}

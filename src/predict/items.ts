/**
 * The factors of all items, and which of them have the highest dot products with a user's. docs/decisions/top-k.md has the why and
 * the figures.
 *
 * Items are sorted by the norm of their factors, largest first, and cut into blocks. No dot product of a block is greater than the
 * user's norm times the block's largest norm (Cauchy–Schwarz), so the blocks from there on are left out where that is below the worst
 * of the best. In a block, SIMD instructions compute the dot products in single precision. Only where such a one, plus
 * its largest error, reaches the worst of the best, the score is computed in double precision. So the result is the same as that of a
 * loop over all items.
 */
import type { Best } from './best.ts';
import { ModelAway } from './errors.ts';
import type { Pace } from './pace.ts';
import { MOST_MEMORY, type Scan, newScan } from './wasm.ts';
import { formatSize } from '../core/size.ts';

/** Items of a block. */
const BLOCK = 256;
/** Items that lie side by side. */
const LANES = 4;
/** Items that scan.wat takes at once. */
const QUAD = 16;
const WORD = 4;
/** So many numbers are looked at in one step. */
const STEP = 50_000;
/** Where a product of norms is greater, a sum of single precision might overflow. */
const SAFE = 1e38;

interface Parts {
  readonly scan: Scan;
  /** All of the memory: first the user, then what is found, then the items. */
  readonly floats: Float32Array;
  /** Each factor of the user, four times. */
  readonly user: Float32Array;
  /** Indexes of items. */
  readonly found: Uint32Array;
  /** By index: the item row. */
  readonly rows: Uint32Array<ArrayBuffer>;
  /** By block: the largest norm of an item in it or after it. */
  readonly norms: Float64Array<ArrayBuffer>;
}

export class Items {
  readonly #count: number;
  readonly #rank: number;
  /** Bytes before the items. */
  readonly #start: number;
  readonly #parts: Parts;

  private constructor(count: number, rank: number, parts: Parts) {
    this.#count = count;
    this.#rank = rank;
    this.#start = startOf(rank);
    this.#parts = parts;
  }

  /**
   * @param factors count × rank finite numbers, row after row
   * @param rank 1 or more
   * @throws ModelAway where the memory does not suffice
   */
  static async build(factors: Float32Array, count: number, rank: number, pace: Pace): Promise<Items> {
    const norms = await normsOf(factors, count, rank, pace);
    const rows = await sortedRows(norms, pace);
    const { scan, buffer } = allocate(startOf(rank) + blocksOf(count) * BLOCK * rank * WORD);
    const parts = {
      ...{ scan, rows },
      floats: new Float32Array(buffer),
      user: new Float32Array(buffer, 0, rank * LANES),
      found: new Uint32Array(buffer, rank * LANES * WORD, BLOCK),
      norms: await largestFrom(norms, rows, pace),
    };
    const items = new Items(count, rank, parts);
    await items.#fill(factors, pace);
    return items;
  }

  /** Of the memory that is held. */
  get bytes(): number {
    const { floats, rows, norms } = this.#parts;
    return floats.byteLength + rows.byteLength + norms.byteLength;
  }

  /**
   * Offers the items that may be among the best.
   *
   * @param best empty
   * @param user as many finite numbers as the rank
   * @param leftOut by item row: 1 where the item is not offered
   */
  offerTo(best: Best, user: Float32Array, leftOut: Uint8Array): void {
    const { scan, user: lanes, found, rows, norms } = this.#parts;
    for (let at = 0; at < user.length; at += 1) lanes.fill(user[at] as number, at * LANES, (at + 1) * LANES);
    const norm = normOf(user, 0, user.length);
    if (norm === 0) {
      this.#offerZeros(best, leftOut);
      return;
    }
    const group = this.#rank * LANES * WORD;
    for (let block = 0; block < norms.length; block += 1) {
      const reach = norm * (norms[block] as number);
      if (this.#isBelow(reach, best.least)) return;
      const items = this.#start + block * BLOCK * this.#rank * WORD;
      const limit = this.#limitOf(reach, best.least);
      const count = scan(0, items, group, BLOCK / QUAD, limit, block * BLOCK, found.byteOffset);
      for (let at = 0; at < count; at += 1) {
        const index = found[at] as number;
        // The last block is filled up with zeros.
        if (index >= this.#count) break;
        const row = rows[index] as number;
        if (leftOut[row] !== 1) best.offer(row, this.#scoreOf(user, index));
      }
    }
  }

  /** Lets the memory go; that of WebAssembly goes when V8 next collects garbage. */
  dispose(): void {
    for (const { buffer } of [this.#parts.rows, this.#parts.norms]) buffer.transfer(0);
  }

  /** All scores are 0, so that the first rows are the best. */
  #offerZeros(best: Best, leftOut: Uint8Array): void {
    for (let row = 0; row < this.#count && best.least < 0; row += 1)
      if (leftOut[row] !== 1) best.offer(row, 0);
  }

  /**
   * Whether no score reaches `least`.
   *
   * @param reach the product of two norms, which no dot product exceeds but by what is rounded: each of the three sums of rank
   *   products by a relative error of less than rank × 2^-53
   */
  #isBelow(reach: number, least: number): boolean {
    return reach * (1 + (this.#rank + 4) * 2 ** -50) < least;
  }

  /**
   * A dot product of single precision that is below this one belongs to a score below `least`. Its error is at most
   * rank × 2^-24 × `reach` (Higham, Accuracy and Stability of Numerical Algorithms, 3.1), and 2^-150 for each product that is
   * smaller than the smallest normal number. Twice of that is allowed for.
   */
  #limitOf(reach: number, least: number): number {
    if (reach > SAFE || least === -Infinity) return -Infinity;
    const error = (this.#rank + 2) * (reach * 2 ** -23 + 2 ** -148);
    // It is rounded to single precision, and must not be rounded up.
    return least - error - Math.abs(least) * 2 ** -22;
  }

  /** In double precision, in the order of the factors: each product of two numbers of single precision is exact. */
  #scoreOf(user: Float32Array, index: number): number {
    const { floats } = this.#parts;
    let at = this.#placeOf(index);
    let sum = 0;
    for (let factor = 0; factor < user.length; factor += 1) {
      sum += (user[factor] as number) * (floats[at] as number);
      at += LANES;
    }
    return sum;
  }

  /** Where the first factor of an item is, in floats. The others follow at each fourth place. */
  #placeOf(index: number): number {
    const lane = index % LANES;
    return this.#start / WORD + (index - lane) * this.#rank + lane;
  }

  async #fill(factors: Float32Array, pace: Pace): Promise<void> {
    const { floats, rows } = this.#parts;
    const rank = this.#rank;
    await pace.inSteps(this.#count, stepOf(rank), (from, to) => {
      for (let index = from; index < to; index += 1) {
        const source = (rows[index] as number) * rank;
        const target = this.#placeOf(index);
        for (let at = 0; at < rank; at += 1) floats[target + at * LANES] = factors[source + at] as number;
      }
    });
  }
}

function allocate(bytes: number): { scan: Scan; buffer: ArrayBuffer } {
  const what = `there is no memory for the ${formatSize(bytes)} of the items`;
  if (bytes > MOST_MEMORY)
    throw new ModelAway(what, { why: `WebAssembly has at most ${formatSize(MOST_MEMORY)}` });
  try {
    const { scan, memory } = newScan(bytes);
    return { scan, buffer: memory.buffer };
  } catch (error) {
    if (error instanceof RangeError) throw new ModelAway(what, { why: error.message, cause: error });
    throw error;
  }
}

function blocksOf(count: number): number {
  return Math.ceil(count / BLOCK);
}

/** Bytes before the items; a multiple of 16, as all loads are. */
function startOf(rank: number): number {
  return (rank * LANES + BLOCK) * WORD;
}

/** Rows of a step. */
function stepOf(rank: number): number {
  return Math.max(1, Math.floor(STEP / rank));
}

function normOf(factors: Float32Array, from: number, to: number): number {
  let sum = 0;
  for (let at = from; at < to; at += 1) sum += (factors[at] as number) ** 2;
  return Math.sqrt(sum);
}

async function normsOf(
  factors: Float32Array,
  count: number,
  rank: number,
  pace: Pace,
): Promise<Float64Array> {
  const norms = new Float64Array(count);
  await pace.inSteps(count, stepOf(rank), (from, to) => {
    for (let row = from; row < to; row += 1) norms[row] = normOf(factors, row * rank, (row + 1) * rank);
  });
  return norms;
}

/** Sorted by so many bits: 8 of the exponent, and 11 of the fraction. */
const KEY_BITS = 19;

/**
 * Rows by their norms, largest first. Norms that differ by less than a two-thousandth stay in the order of their rows: sorting takes two
 * passes then, each in small steps, and the bound of a block is hardly larger.
 */
async function sortedRows(norms: Float64Array, pace: Pace): Promise<Uint32Array<ArrayBuffer>> {
  const [single, bits] = viewsOfOneNumber();
  const keyOf = (row: number): number => {
    single[0] = norms[row] as number;
    return 2 ** KEY_BITS - 1 - ((bits[0] as number) >>> (31 - KEY_BITS));
  };
  // By key: how many rows have it; then where its first row goes; then where its next row goes.
  const places = new Uint32Array(2 ** KEY_BITS);
  const take = (key: number): number => {
    const place = places[key] as number;
    places[key] = place + 1;
    return place;
  };
  await pace.inSteps(norms.length, STEP, (from, to) => {
    for (let row = from; row < to; row += 1) take(keyOf(row));
  });
  let before = 0;
  await pace.inSteps(places.length, STEP, (from, to) => {
    for (let key = from; key < to; key += 1) {
      const rows = places[key] as number;
      places[key] = before;
      before += rows;
    }
  });
  const rows = new Uint32Array(norms.length);
  await pace.inSteps(norms.length, STEP, (from, to) => {
    for (let row = from; row < to; row += 1) rows[take(keyOf(row))] = row;
  });
  return rows;
}

/** The bits of a number that is not negative grow with it. */
function viewsOfOneNumber(): [single: Float32Array, bits: Uint32Array] {
  const single = new Float32Array(1);
  return [single, new Uint32Array(single.buffer)];
}

/** By block: the largest norm of an item in it or after it. */
async function largestFrom(
  norms: Float64Array,
  rows: Uint32Array,
  pace: Pace,
): Promise<Float64Array<ArrayBuffer>> {
  const largest = new Float64Array(blocksOf(rows.length));
  await pace.inSteps(rows.length, STEP, (from, to) => {
    for (let index = from; index < to; index += 1) {
      const block = Math.floor(index / BLOCK);
      largest[block] = Math.max(largest[block] as number, norms[rows[index] as number] as number);
    }
  });
  for (let block = largest.length - 2; block >= 0; block -= 1)
    largest[block] = Math.max(largest[block] as number, largest[block + 1] as number);
  return largest;
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Best } from '../../src/predict/best.ts';
import { Items } from '../../src/predict/items.ts';
import { Pace } from '../../src/predict/pace.ts';
import { randomNumbers } from '../support/model.ts';
import { plainTop } from '../support/plain-top.ts';

const pace = new Pace(new AbortController().signal);

interface Asked {
  rank: number;
  count: number;
  factors: Float32Array;
  user: Float32Array;
  most: number;
  leftOut: ReadonlySet<number>;
}

async function topOf({ rank, count, factors, user, most, leftOut }: Asked) {
  const items = await Items.build(factors, count, rank, pace);
  const best = new Best(most);
  items.offerTo(
    best,
    user,
    Uint8Array.from({ length: count }, (_, row) => (leftOut.has(row) ? 1 : 0)),
  );
  return best.sorted();
}

async function expectPlain(asked: Asked): Promise<void> {
  const { user, factors, rank, leftOut, most } = asked;
  expect(await topOf(asked)).toEqual(plainTop(user, { factors, rank, leftOut }, most));
}

/** Numbers of any size that single precision has, and few of them, so that many scores are equal. */
const numbers: readonly fc.Arbitrary<number>[] = [
  fc.float({ noNaN: true, noDefaultInfinity: true }),
  fc.float({ noNaN: true, noDefaultInfinity: true, min: -1, max: 1 }),
  fc.constantFrom(-1, 0, 1, -0, 0.5),
  fc.constantFrom(0),
  fc.constantFrom(3e38, -3e38, 1e-45, -1e-45, 1e38, 1e-38),
];

const asked: fc.Arbitrary<Asked> = fc
  .record({
    rank: fc.integer({ min: 1, max: 13 }),
    count: fc.integer({ min: 1, max: 600 }),
    number: fc.constantFrom(...numbers),
    seed: fc.nat(),
    pool: fc.integer({ min: 1, max: 60 }),
    most: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constant(1_000)),
  })
  .chain(({ rank, count, number, seed, pool, most }) =>
    fc
      .record({
        // Items are taken from a pool, so that some are equal.
        vectors: fc.array(fc.array(number, { minLength: rank, maxLength: rank }), {
          minLength: pool,
          maxLength: pool,
        }),
        user: fc.array(number, { minLength: rank, maxLength: rank }),
      })
      .map(({ vectors, user }) => {
        const random = randomNumbers(seed);
        const rows = Array.from({ length: count }, () => vectors[Math.floor(random() * pool)]!);
        return {
          ...{ rank, count, most },
          factors: Float32Array.from(rows.flat()),
          user: Float32Array.from(user),
          leftOut: new Set(rows.map((_, row) => row).filter(() => random() < 0.1)),
        };
      }),
  );

describe('the best items', () => {
  it('are those of a plain loop over all items, with the same scores, in the same order', async () => {
    await fc.assert(fc.asyncProperty(asked, expectPlain), { numRuns: 150 });
  });

  it.each([1, 2, 3, 5, 16, 63, 64, 65])('are so of many random items of rank %i', async (rank) => {
    const random = randomNumbers(rank);
    const count = 5_000;
    const factors = Float32Array.from({ length: count * rank }, () => random() ** 3 - 0.2);
    for (let times = 0; times < 10; times += 1) {
      const user = Float32Array.from({ length: rank }, () => random() - 0.4);
      await expectPlain({ rank, count, factors, user, most: 10, leftOut: new Set([times]) });
    }
  });

  it('are so where all norms are equal, and the scores differ by little more than single precision tells', async () => {
    const [rank, count] = [7, 2_000];
    const random = randomNumbers(5);
    const factors = new Float32Array(count * rank);
    for (let row = 0; row < count; row += 1) {
      const vector = Array.from({ length: rank }, () => 1 + random() * 1e-6);
      const norm = Math.hypot(...vector);
      for (const [at, value] of vector.entries()) factors[row * rank + at] = value / norm;
    }
    const user = Float32Array.from({ length: rank }, () => 1 + random() * 1e-6);
    await expectPlain({ rank, count, factors, user, most: 50, leftOut: new Set() });
  });

  it('are the first rows where the user or all items are zero', async () => {
    const zeros = { rank: 3, count: 700, most: 4, leftOut: new Set([1]) };
    const rows = [0, 2, 3, 4].map((row) => ({ row, score: 0 }));
    const [none, some] = [new Float32Array(3), Float32Array.of(1, -2, 3)];
    const factors = Float32Array.from({ length: 2_100 }, (_, at) => at);
    expect(await topOf({ ...zeros, user: none, factors })).toEqual(rows);
    expect(await topOf({ ...zeros, user: some, factors: new Float32Array(2_100) })).toEqual(rows);
  });

  /** A block of items that are long but score little, then one short item with a higher score. */
  async function expectShort({
    user,
    long,
    short,
  }: Record<'user' | 'long' | 'short', number[]>): Promise<void> {
    const factors = Float32Array.from([...Array<number[]>(256).fill(long).flat(), ...short]);
    const rank = user.length;
    const of = {
      rank,
      count: 257,
      factors,
      user: Float32Array.from(user),
      most: 1,
      leftOut: new Set<number>(),
    };
    expect((await topOf(of))[0]?.row).toBe(256);
  }

  it('are so where a sum of single precision overflows on its way', async () => {
    const user = [2e19, 2e19, 2e19, 0];
    await expectShort({ user, long: [0, 5e18, 0, 1e20], short: [-2e19, 1.5e19, 1.5e19, 0] });
  });

  it('are so where products of single precision are rounded to zero', async () => {
    const few = (value: number): number[] => Array<number>(16).fill(value);
    const user = [...few(1e-23), 0];
    await expectShort({ user, long: [...few(6.9e-23), 1e-10], short: [...few(6.95e-23), 0] });
  });

  it('do not look at blocks that cannot have any', async () => {
    const [rank, count] = [4, 2_560];
    const random = randomNumbers(9);
    // Ten in front are a hundred times as long.
    const factors = Float32Array.from(
      { length: count * rank },
      (_, at) => random() * (at < 10 * rank ? 100 : 1),
    );
    const items = await Items.build(factors, count, rank, pace);
    const offered: number[] = [];
    const best = new Best(5);
    const offer = best.offer.bind(best);
    best.offer = (row, score) => {
      offered.push(row);
      offer(row, score);
    };
    items.offerTo(best, Float32Array.of(1, 1, 1, 1), new Uint8Array(count));
    expect(offered.length).toBeLessThanOrEqual(256);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Drift, binOf, stabilityIndex } from '../../src/serve/drift.ts';

const EDGES = [0, 1, 2, 4];
const MANIFEST = {
  input: {
    schema_version: '1.0',
    features: [
      { name: 'a', type: 'number' },
      { name: 'b', type: 'number' },
      { name: 'c', type: 'number' },
    ],
  },
  statistics: {
    a: { mean: 1, stddev: 1, edges: EDGES, shares: [0.25, 0.25, 0.5] },
    c: { mean: 1, stddev: 1, edges: EDGES, shares: [0.25, 0.25, 0.5] },
  },
} as unknown as Parameters<typeof Drift.of>[0];
const MINUTE = 60_000;

function drift(): { drift: Drift; at: (millis: number) => void } {
  let now = 1_000_000_000;
  const start = now;
  const made = Drift.of(MANIFEST, 12 * MINUTE, () => now);
  return { drift: made!, at: (millis) => (now = start + millis) };
}

it.each([
  [-5, 0],
  [0, 0],
  [0.99, 0],
  [1, 1],
  [2, 2],
  [3.99, 2],
  [4, 2],
  [99, 2],
])('%d is in bin %i', (value, bin) => {
  expect(binOf(value, EDGES)).toBe(bin);
});

it('the bin of a value is the last one whose lower edge is not above it', () => {
  const edges = fc
    .uniqueArray(fc.integer({ min: -50, max: 50 }), { minLength: 2, maxLength: 20 })
    .map((all) => all.toSorted((a, b) => a - b));
  fc.assert(
    fc.property(edges, fc.integer({ min: -60, max: 60 }), (all, value) => {
      const expected = Math.max(
        0,
        all.slice(0, -1).findLastIndex((edge) => edge <= value),
      );
      expect(binOf(value, all)).toBe(expected);
    }),
  );
});

it('the index is 0 for equal shares, positive for others, and finite for a share of zero', () => {
  const shares = fc
    .array(fc.nat(100), { minLength: 2, maxLength: 10 })
    .filter((all) => all.some((one) => one > 0))
    .map((all) => {
      const sum = all.reduce((a, b) => a + b);
      return all.map((one) => one / sum);
    });
  fc.assert(
    fc.property(shares, shares, (one, other) => {
      expect(stabilityIndex(one, one)).toBe(0);
      const index = stabilityIndex(one, other);
      expect(index).toBeGreaterThanOrEqual(0);
      expect(index).toBeLessThan(20);
    }),
  );
  // Computed by hand: 0.1·ln(0.6/0.5) − 0.1·ln(0.4/0.5).
  expect(stabilityIndex([0.6, 0.4], [0.5, 0.5])).toBeCloseTo(0.0405, 4);
});

describe('drift', () => {
  it('is the mean of the rows in the window, and the index from a hundred rows on', () => {
    const { drift: made } = drift();
    for (let row = 0; row < 99; row += 1) made.record([3, 99, row % 2]);
    expect(made.look()).toMatchObject({
      rows: 99,
      features: [
        { feature: 'a', mean: 3, psi: null },
        { feature: 'c', psi: null },
      ],
    });
    made.record([3, 99, 1]);
    const { features } = made.look();
    expect(features.map(({ feature }) => feature)).toEqual(['a', 'c']);
    expect(features[0]?.psi).toBeCloseTo(stabilityIndex([0, 0, 1], [0.25, 0.25, 0.5]), 10);
  });

  it('forgets what is older than the window', () => {
    const { drift: made, at } = drift();
    made.record([1, 0, 1]);
    at(6 * MINUTE);
    made.record([3, 0, 3]);
    expect(made.look()).toMatchObject({ rows: 2, features: [{ mean: 2 }, { mean: 2 }] });
    at(12.5 * MINUTE);
    expect(made.look()).toMatchObject({ rows: 1, features: [{ mean: 3 }, { mean: 3 }] });
    at(60 * MINUTE);
    expect(made.look()).toEqual({ rows: 0, features: [] });
    made.record([2, 0, 2]);
    expect(made.look()).toMatchObject({ rows: 1, features: [{ mean: 2 }, { mean: 2 }] });
  });

  it('is not taken without statistics', () => {
    expect(Drift.of({ ...MANIFEST, statistics: {} }, MINUTE)).toBeNull();
  });
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Classifier, loadModel } from '../../src/predict/index.ts';
import { type ClassifierVersion, ids, writeModel } from '../support/model.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hippo-classifier-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function load(options: Omit<ClassifierVersion, 'kind'>): Promise<Classifier> {
  const { name, version, location } = await writeModel(folder, { kind: 'classifier', ...options });
  const model = await loadModel({ location }, { name, version, signal: new AbortController().signal });
  if (model.kind !== 'classifier') throw new Error(model.kind);
  return model;
}

interface Regression {
  classes: string[];
  features: string[];
  coefficients: number[][];
  intercepts: number[];
  row: number[];
}

const number = fc.double({ min: -50, max: 50, noNaN: true });
const numbers = (length: number, of = number) => fc.array(of, { minLength: length, maxLength: length });

/** Of two classes either with one row of coefficients or with two. */
const regression: fc.Arbitrary<Regression> = fc
  .record({
    classes: fc.integer({ min: 2, max: 6 }),
    features: fc.integer({ min: 1, max: 8 }),
    single: fc.boolean(),
  })
  .chain(({ classes, features, single }) => {
    const rows = classes === 2 && single ? 1 : classes;
    return fc.record({
      classes: fc.constant(ids('c', classes)),
      features: fc.constant(ids('f', features)),
      coefficients: fc.array(numbers(features), { minLength: rows, maxLength: rows }),
      intercepts: numbers(rows),
      row: numbers(features),
    });
  });

/** Neither the largest margin is subtracted, nor an exponential avoided: for margins that allow it. */
function formula({ coefficients, intercepts, row }: Regression): number[] {
  const margins = coefficients.map(
    (weights, index) => weights.reduce((sum, weight, at) => sum + weight * row[at]!, 0) + intercepts[index]!,
  );
  const [margin] = margins;
  if (margins.length === 1) return [1 / (1 + Math.exp(margin!)), 1 / (1 + Math.exp(-margin!))];
  // The same share whatever is added to all margins.
  return margins.map((mine) => 1 / margins.reduce((sum, other) => sum + Math.exp(other - mine), 0));
}

describe('the probabilities of a logistic regression', () => {
  it('are those of the formula, to 1e-12', async () => {
    await fc.assert(
      fc.asyncProperty(regression, async (asked) => {
        const model = await load(asked);
        const found = model.probabilities(asked.row);
        const expected = formula(asked);
        expect(found).toHaveLength(asked.classes.length);
        for (const [index, share] of expected.entries())
          expect(Math.abs(found[index]! - share)).toBeLessThan(1e-12);
        expect(Math.abs(found.reduce((one, other) => one + other) - 1)).toBeLessThan(1e-12);
        const { index, label } = model.classOf(asked.row);
        expect(found[index]).toBe(Math.max(...found));
        expect(label).toBe(asked.classes[index]);
      }),
      { numRuns: 60 },
    );
  });

  it('of the smaller class keep their digits', async () => {
    const model = await load({
      classes: ['no', 'yes'],
      features: ['x'],
      coefficients: [[1]],
      intercepts: [0],
    });
    expect([...model.probabilities([-40])]).toEqual([1, Math.exp(-40) / (1 + Math.exp(-40))]);
    expect([...model.probabilities([800])]).toEqual([0, 1]);
    expect([...model.probabilities([-800])]).toEqual([1, 0]);
  });

  it('are equal at the border, where the first class is taken', async () => {
    const model = await load({
      classes: ['no', 'yes'],
      features: ['x'],
      coefficients: [[1]],
      intercepts: [0],
    });
    expect([...model.probabilities([0])]).toEqual([0.5, 0.5]);
    expect(model.classOf([0])).toEqual({ index: 0, label: 'no' });
    expect(model.classOf([5e-16])).toEqual({ index: 1, label: 'yes' });
  });

  it('are numbers, and add up to 1, for every finite row', async () => {
    const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
    const extreme = fc.oneof(finite, fc.constantFrom(1.7e308, -1.7e308, 0, 1));
    const three = await load({
      classes: ['a', 'b', 'c'],
      features: ['x', 'y'],
      coefficients: [
        [1e300, 2],
        [-1, 1.7e308],
        [3, -1e300],
      ],
      intercepts: [1, -1.7e308, 0],
    });
    const two = await load({
      classes: ['a', 'b'],
      features: ['x', 'y'],
      coefficients: [[1e308, -1e308]],
      intercepts: [1],
    });
    fc.assert(
      fc.property(numbers(2, extreme), (row) => {
        for (const model of [two, three]) {
          const found = model.probabilities(row);
          expect(found.reduce((one, other) => one + other)).toBeCloseTo(1, 12);
        }
      }),
    );
  });

  it('of rows that no request may have are no reason to fail', async () => {
    const model = await load({});
    for (const odd of [Number.NaN, Infinity, -Infinity]) {
      expect(model.probabilities([odd, 1, odd, 1])).toHaveLength(3);
      expect(model.classes).toContain(model.classOf([1, odd, 1, 1]).label);
    }
    expect(() => model.probabilities([1, 2])).toThrow(new RangeError('a row has 4 numbers, and not 2'));
  });
});

it('a classifier that was disposed of predicts nothing', async () => {
  const model = await load({});
  model.dispose();
  model.dispose();
  expect(() => model.classOf([1, 2, 3, 4])).toThrow('was disposed of');
});

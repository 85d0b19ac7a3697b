import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadModel } from '../../src/predict/index.ts';
import { type ModelVersion, writeModel } from '../support/model.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hippo-predict-'));
});
afterAll(() => rm(folder, { recursive: true }));

const signal = new AbortController().signal;

async function load(options: ModelVersion) {
  const { name, version, location, manifestSha256 } = await writeModel(folder, options);
  return loadModel({ location }, { name, version, manifestSha256, signal });
}

describe('a classifier', () => {
  it('is loaded from its folder', async () => {
    const model = await load({ kind: 'classifier' });
    if (model.kind !== 'classifier') throw new Error(model.kind);
    expect(model).toMatchObject({ name: 'iris', version: '20260101T000000Z-000001', kind: 'classifier' });
    const found = model.probabilities([5, 3, 1, 0.2]);
    expect(found.reduce((one, other) => one + other)).toBeCloseTo(1, 12);
    expect(model.classes[model.classOf([5, 3, 1, 0.2]).index]).toBe(model.classOf([5, 3, 1, 0.2]).label);
  });
});

describe('a recommender', () => {
  it('is loaded from its folder', async () => {
    const model = await load({ kind: 'recommender' });
    if (model.kind !== 'recommender') throw new Error(model.kind);
    const { known, items } = model.top('u3', 10);
    expect(known).toBe(true);
    expect(items).toHaveLength(10);
    expect(items.map(({ item }) => item)).not.toContain('i6');
    expect(model.top('nobody', 2)).toEqual({
      known: false,
      items: [
        { item: 'i49', score: null },
        { item: 'i48', score: null },
      ],
    });
  });
});

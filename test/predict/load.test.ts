import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { type Model, ModelAway, ModelRefused, loadModel, readManifest } from '../../src/predict/index.ts';
import { type ModelVersion, type RecommenderVersion, ids, writeModel } from '../support/model.ts';
import { plainTop } from '../support/plain-top.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hippo-load-'));
  onTestFinished(() => rm(folder, { recursive: true }));
});

const signal = new AbortController().signal;

async function load(options: ModelVersion): Promise<Model> {
  const { name, version, location, manifestSha256 } = await writeModel(folder, options);
  return loadModel({ location }, { name, version, manifestSha256, signal });
}

async function recommender(options: Omit<RecommenderVersion, 'kind'> = {}) {
  const model = await load({ kind: 'recommender', ...options });
  if (model.kind !== 'recommender') throw new Error(model.kind);
  return model;
}

/** What loading throws. */
async function refusal(options: ModelVersion): Promise<unknown> {
  return load(options).catch((error: unknown) => error);
}

describe('a classifier', () => {
  it('is loaded from its folder', async () => {
    const model = await load({ kind: 'classifier', metrics: { accuracy: 0.97 } });
    expect(model).toMatchObject({
      kind: 'classifier',
      name: 'iris',
      version: '20260101T000000Z-000001',
      classes: ['setosa', 'versicolor', 'virginica'],
      features: ['sepal_length', 'sepal_width', 'petal_length', 'petal_width'],
      bytes: 120,
      manifest: { metrics: { accuracy: 0.97 }, parent: null },
    });
  });

  it('may be named by a URL', async () => {
    const { name, version } = await writeModel(folder, { kind: 'classifier' });
    const place = { location: pathToFileURL(folder).href };
    expect(await loadModel(place, { name, version, signal })).toMatchObject({ kind: 'classifier' });
    expect(await readManifest(place, { name, version, signal })).toMatchObject({
      algorithm: 'logistic-regression',
    });
  });

  it('may have fields that this hippo does not know', async () => {
    const change = (manifest: JsonObject): void => {
      manifest['schema_version'] = '1.7';
      manifest['new'] = { field: 1 };
    };
    expect(await load({ kind: 'classifier', manifest: change })).toMatchObject({
      manifest: { new: { field: 1 } },
    });
  });
});

describe('a recommender', () => {
  it('gives the best items that a user does not know, with their scores', async () => {
    const model = await recommender();
    const { known, items } = model.top('u3', 10);
    expect(known).toBe(true);
    expect(items).toHaveLength(10);
    expect(items.map(({ item }) => item)).not.toContain('i6');
    expect(items.map(({ score }) => score)).toEqual(
      items.map(({ score }) => score).toSorted((a, b) => b! - a!),
    );
  });

  it('gives an unknown user the popular items, without a score', async () => {
    const model = await recommender();
    const popular = ['i49', 'i48', 'i47'].map((item) => ({ item, score: null }));
    expect(model.top('nobody', 3)).toEqual({ known: false, items: popular });
    expect(model.top('nobody', 1_000).items).toHaveLength(50);
    expect(model.top('nobody', 0)).toEqual({ known: false, items: [] });
  });

  it('gives what a plain loop over the factors gives', async () => {
    const shape = fc.record({
      users: fc.integer({ min: 1, max: 5 }),
      items: fc.integer({ min: 1, max: 80 }),
      rank: fc.integer({ min: 1, max: 9 }),
      count: fc.integer({ min: 0, max: 100 }),
      withKnown: fc.boolean(),
      seed: fc.nat(),
    });
    await fc.assert(
      fc.asyncProperty(shape, async ({ users, items, rank, count, withKnown, seed }) => {
        const factors = (rows: number): Float32Array =>
          Float32Array.from({ length: rows * rank }, (_, at) => ((at * 7 + seed) % 11) - 5);
        const [userFactors, itemFactors] = [factors(users), factors(items)];
        const known = ids('u', users).map((_, user) =>
          Array.from({ length: items }, (_, item) => item).filter(
            (item) => (item * 3 + user + seed) % 4 === 0,
          ),
        );
        const model = await recommender({
          ...{ rank, userFactors, itemFactors, known, popular: [] },
          ...{ users: ids('u', users), items: ids('i', items) },
        });
        for (let user = 0; user < users; user += 1) {
          const leftOut = new Set(withKnown ? [] : known[user]);
          const vector = userFactors.subarray(user * rank, (user + 1) * rank);
          const expected = plainTop(vector, { factors: itemFactors, rank, leftOut }, count);
          expect(model.top(`u${user}`, count, { withKnown })).toEqual({
            known: true,
            items: expected.map(({ row, score }) => ({ item: `i${row}`, score })),
          });
        }
      }),
      { numRuns: 60 },
    );
  });

  it('may have no users, or no items', async () => {
    const nobody = await recommender({ users: [] });
    expect(nobody.top('u0', 2)).toMatchObject({ known: false, items: [{ item: 'i49' }, { item: 'i48' }] });
    const nothing = await recommender({ items: [], known: [], users: [] });
    expect(nothing.top('u0', 2)).toEqual({ known: false, items: [] });
    const onlyUser = await recommender({ items: [], users: ['u0'] });
    expect(onlyUser.top('u0', 2)).toEqual({ known: true, items: [] });
  });

  it('lets its memory go', async () => {
    const model = await recommender();
    expect(model.bytes).toBeGreaterThan(100 * 8 * 4);
    model.dispose();
    model.dispose();
    expect(() => model.top('u1', 1)).toThrow('was disposed of');
  });
});

const CLASSIFIER = { kind: 'classifier' } as const;
const RECOMMENDER = { kind: 'recommender' } as const;

/** A classifier whose manifest has this at a key: `input.schema_version`. */
function manifestWith(
  key: string,
  value: JsonObject[string] | undefined,
  options: ModelVersion = CLASSIFIER,
): ModelVersion {
  return {
    ...options,
    manifest: (manifest) => {
      const keys = key.split('.');
      const last = keys.pop()!;
      const parent = keys.reduce((object, each) => object[each] as JsonObject, manifest);
      if (value === undefined) Reflect.deleteProperty(parent, last);
      else parent[last] = value;
    },
  };
}

function fileWith(file: string, content: string | Uint8Array, options: ModelVersion): ModelVersion {
  return { ...options, files: (files) => void (files[file] = Buffer.from(content)) };
}

const floats = (length: number, at: number, value: number): Uint8Array =>
  new Uint8Array(Float32Array.from({ length }, (_, index) => (index === at ? value : 1)).buffer);
const words = (...numbers: number[]): Uint8Array => new Uint8Array(Uint32Array.from(numbers).buffer);

describe('a version is refused', () => {
  it.each<[ModelVersion, string]>([
    [manifestWith('metrics.accuracy', '0.9'), '"metrics.accuracy" must be a number; it is "0.9"'],
    [manifestWith('files', undefined), '"files" is missing'],
    [manifestWith('kind', 'forest'), '"kind" must be ("classifier" | "recommender"); it is "forest"'],
    [manifestWith('format', 'mlflow'), '"format" must be "hippo-model"; it is "mlflow"'],
    [manifestWith('schema_version', '2.0'), '"schema_version" is "2.0", and this hippo knows 1.x only'],
    [
      manifestWith('input.schema_version', '3.1'),
      '"input.schema_version" is "3.1", and this hippo knows 1.x only',
    ],
    [
      manifestWith('output.schema_version', '0.9'),
      '"output.schema_version" is "0.9", and this hippo knows 1.x only',
    ],
    [manifestWith('schema_version', 1), '"schema_version" must be a text; it is 1'],
    [manifestWith('model', 'roses'), '"model" must be "iris"; it is "roses"'],
    [manifestWith('version', 'v2'), '"version" must be "20260101T000000Z-000001"; it is "v2"'],
    [manifestWith('output.classes', ['a']), '"output.classes" must have two entries or more; it is 1'],
    [manifestWith('output.classes', ['a', 'b', 'a']), '"output.classes" has "a" twice'],
    [manifestWith('output.rank', 0, RECOMMENDER), '"output.rank" must be 1 or more; it is 0'],
    [manifestWith('input.users', 2.5, RECOMMENDER), '"input.users" must be a whole number; it is 2.5'],
    [
      manifestWith('files', { '../x': { bytes: 1, sha256: '' } }),
      '"files.../x" must be a path inside of the version; it is "../x"',
    ],
    [manifestWith('files', {}), '"files.coefficients.json" is missing'],
    [
      manifestWith('statistics.petal_width.edges', [1]),
      '"statistics.petal_width.edges" must have one entry more than "shares"',
    ],
  ])('for its manifest, %#: %s', async (options, message) => {
    const error = await refusal(options);
    expect(error).toBeInstanceOf(ModelRefused);
    expect((error as ModelRefused).message).toContain(`is refused: manifest.json: ${message}`);
    expect(error).toMatchObject({
      exitCode: 1,
      place: { file: expect.stringMatching(/\/manifest\.json$/) as string },
    });
    expect((error as ModelRefused).next.length).toBeGreaterThan(0);
  });

  it.each<[ModelVersion, string]>([
    [fileWith('coefficients.json', '{', CLASSIFIER), 'coefficients.json: it is not JSON: '],
    [
      fileWith('coefficients.json', '{"coefficients":[[1,2,3,4]],"intercepts":[1]}', CLASSIFIER),
      'coefficients.json: "coefficients" has 1 rows, and the manifest 3 classes',
    ],
    [
      fileWith('coefficients.json', '{"coefficients":[[1,2],[1,2],[1,2]],"intercepts":[1,2,3]}', CLASSIFIER),
      'coefficients.json: "coefficients.0" has 2 numbers, and the manifest 4 features',
    ],
    [
      fileWith('coefficients.json', '{"coefficients":[[1],[1],[1]],"intercepts":[1]}', CLASSIFIER),
      'coefficients.json: "intercepts" must have 3 numbers; it has 1',
    ],
    [
      fileWith('coefficients.json', '{"coefficients":[[1e999]],"intercepts":[1]}', CLASSIFIER),
      'coefficients.json: "coefficients.0.0" must be rows of finite numbers; it is Infinity',
    ],
    [
      fileWith('item_factors.f32', floats(800, 17, Number.NaN), RECOMMENDER),
      'item_factors.f32: row 2 has the factor NaN',
    ],
    [
      fileWith('user_factors.f32', floats(240, 239, -Infinity), RECOMMENDER),
      'user_factors.f32: row 29 has the factor -Infinity',
    ],
    [
      fileWith('user_factors.f32', floats(8, 9, 1), RECOMMENDER),
      'user_factors.f32: it has 32 bytes, and must have 960',
    ],
    [fileWith('users.json', '["a"]', RECOMMENDER), 'users.json: it has 1 ids, fewer than the manifest'],
    [
      fileWith('known_offsets.u32', words(...Array<number>(30).fill(0), 1, 0), {
        ...RECOMMENDER,
        users: ids('u', 31),
      }),
      'known_offsets.u32: the items of user row 30 end before they begin',
    ],
    [
      fileWith('known_offsets.u32', words(...Array<number>(31).fill(1)), RECOMMENDER),
      'known_offsets.u32: its first number must be 0; it is 1',
    ],
    [
      { ...RECOMMENDER, known: [[100], ...Array<number[]>(29).fill([])] },
      'known_items.u32: number 0 is the item row 100, and there are 100 items',
    ],
    [
      { ...RECOMMENDER, popular: [100] },
      'popular.json: it must be a list of at most 1000 item rows, each below 100; it has 100',
    ],
    [{ ...RECOMMENDER, popular: [1, 2, 1] }, 'popular.json: it has an item row twice'],
  ])('for a file of it, %#: %s', async (options, message) => {
    const error = await refusal(options);
    expect(error).toBeInstanceOf(ModelRefused);
    expect((error as ModelRefused).message).toContain(`is refused: ${message}`);
  });

  it('where a byte is another, one is missing, or a file is', async () => {
    const { folder: into, name, version, location } = await writeModel(folder, CLASSIFIER);
    const file = join(into, 'coefficients.json');
    const content = await readFile(file);
    const again = () => loadModel({ location }, { name, version, signal });
    await again();
    const other = Buffer.from(content);
    other[5]! ^= 1;
    await writeFile(file, other);
    const hash = createHash('sha256').update(other).digest('hex');
    await expect(again()).rejects.toThrow(
      `coefficients.json: its SHA-256 is ${hash}, and manifest.json says `,
    );
    await writeFile(file, content.subarray(1));
    await expect(again()).rejects.toThrow(
      `it has ${content.length - 1} bytes, and must have ${content.length}`,
    );
    await rm(file);
    await expect(again()).rejects.toThrow(
      'coefficients.json: there is no such file, and the manifest lists it',
    );
    await symlink('/etc/hostname', file);
    await expect(again()).rejects.toThrow(/it is a link to .*, which is outside of the version's folder/);
    await rm(into, { recursive: true });
    await expect(again()).rejects.toThrow('manifest.json: there is no such file: the version was removed');
  });

  it('where its manifest is another than the pointer says', async () => {
    const { name, version, location } = await writeModel(folder, CLASSIFIER);
    const options = { name, version, signal, manifestSha256: '0'.repeat(64) };
    await expect(loadModel({ location }, options)).rejects.toThrow(
      /manifest\.json: its SHA-256 is [\da-f]{64}, and its builder has told 0{64}: it was changed or damaged/,
    );
  });
});

it('a folder that is not there says nothing of its versions', async () => {
  const { name, version, location } = await writeModel(join(folder, 'mount'), CLASSIFIER);
  await rename(location, join(folder, 'elsewhere'));
  const error = await loadModel({ location }, { name, version, signal }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ModelAway);
  expect(error).toMatchObject({
    message: `${location} cannot be read`,
    why: 'there is no such folder: check that it is mounted',
    exitCode: 3,
  });
});

it.each(['..', '.', '.staging-x', 'a/b', '', '../iris'])('"%s" is no version', async (version) => {
  await expect(loadModel({ location: folder }, { name: 'iris', version, signal })).rejects.toMatchObject({
    kind: 'user',
    exitCode: 2,
  });
});

it('loading ends when it is called off', async () => {
  const { name, version, location } = await writeModel(folder, RECOMMENDER);
  const stop = AbortSignal.abort(new Error('enough'));
  await expect(loadModel({ location }, { name, version, signal: stop })).rejects.toThrow('enough');
});

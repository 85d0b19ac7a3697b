import { describe, expect, it } from 'vitest';
import { ask, postJson } from '../http/app/support.ts';
import { newModelFolder, serves, startService } from './support.ts';

const V1 = '20260101T000000Z-000001';
/** Setosa where the first feature is the largest, virginica where the last one is, else versicolor. */
const COEFFICIENTS = [
  [1, 0, 0, 0],
  [0, 0.5, 0.5, 0],
  [0, 0, 0, 1],
];
const plain = { kind: 'classifier', coefficients: COEFFICIENTS, intercepts: [0, 0, 0] } as const;

async function iris(serve: Record<string, unknown> = {}) {
  const models = await newModelFolder();
  await models.write(plain);
  await models.point('iris', V1);
  const service = await startService(models, { serve });
  await serves(service.url, 'iris', V1);
  return { ...service, models };
}

async function films() {
  const models = await newModelFolder();
  await models.write({
    kind: 'recommender',
    users: ['1', 'ann/b'],
    items: ['10', '20', '30', '40'],
    rank: 1,
    userFactors: Float32Array.of(1, -1),
    itemFactors: Float32Array.of(0.5, 4, 3, 2),
    known: [[1], []],
    popular: [2, 3, 0],
  });
  await models.point('films', V1);
  const service = await startService(models);
  await serves(service.url, 'films', V1);
  return service;
}

const named = { model: 'iris', model_version: V1 };
const FEATURES = 'must have 4 numbers (sepal_length, sepal_width, petal_length, petal_width); it has';

describe('a classifier', () => {
  it('answers for one row by a path', async () => {
    const { url } = await iris();
    const answer = await ask(`${url}/features/9,3,4,1/class`);
    expect(answer).toMatchObject({ status: 200, body: { ...named, class: 'setosa' } });
    expect(answer.headers.get('hippo-model-version')).toBe(V1);
    const { body } = await ask(`${url}/features/9,3,4,1/probs`);
    const { probabilities } = body as { probabilities: Record<string, number> };
    expect(Object.keys(probabilities)).toEqual(['setosa', 'versicolor', 'virginica']);
    expect(probabilities['setosa']).toBeCloseTo(
      Math.exp(9) / (Math.exp(9) + Math.exp(3.5) + Math.exp(1)),
      12,
    );
    expect((await ask(`${url}/models/iris/features/-1,.5,2e0,9/class`)).body).toEqual({
      ...named,
      class: 'virginica',
    });
    expect((await ask(`${url}/features/1%2C2%2C3%2C1/class`)).body).toEqual({
      ...named,
      class: 'versicolor',
    });
  });

  it('answers for many rows, as lists and as objects', async () => {
    const { url } = await iris();
    const rows = [[9, 3, 4, 1], { petal_width: 9, sepal_length: 1, sepal_width: 1, petal_length: 1 }];
    expect(await postJson(`${url}/class`, { rows })).toMatchObject({
      status: 200,
      body: { ...named, predictions: ['setosa', 'virginica'] },
    });
    const { body } = await postJson(`${url}/models/iris/probs`, { rows });
    expect((body as { predictions: { virginica: number }[] }).predictions[1]?.virginica).toBeGreaterThan(0.9);
  });

  it.each([
    ['/features/2,3,4/class', 'path', '/values', `${FEATURES} 3`],
    ['/features/2,3,4,x/class', 'path', '/values', 'must match pattern'],
    ['/features/2,3,4,1e999/class', 'path', '/values', 'has a number that is too large'],
    ['/features/,,,/probs', 'path', '/values', 'must match pattern'],
  ])('refuses %s', async (path, part, pointer, detail) => {
    const { url } = await iris();
    const { status, body } = await ask(`${url}${path}`);
    expect([status, body]).toMatchObject([
      400,
      { errors: [{ in: part, pointer, detail: expect.stringContaining(detail) as string }] },
    ]);
  });

  it.each([
    [{ rows: [[1, 2, 3, 4], [1]] }, '/rows/1', `${FEATURES} 1`],
    [{ rows: [{ sepal_length: 1, sepal_width: 1, petal_length: 1 }] }, '/rows/0/petal_width', 'is missing'],
    [
      { rows: [{ sepal_length: 1, sepal_width: 1, petal_length: 1, petal_width: 1, 'a/b': 1 }] },
      '/rows/0/a~1b',
      'is not a feature of the model',
    ],
    [{ rows: [] }, '/rows', 'must NOT have fewer than 1 items'],
    [{ rows: Array.from({ length: 4 }, () => [1, 2, 3, 4]) }, '/rows', 'must NOT have more than 3 items'],
    [{}, '/rows', 'is missing'],
    [[], '', 'must be object'],
  ])('refuses the body %j', async (body, pointer, detail) => {
    const { url } = await iris({ limits: { batch: 3 } });
    const answer = await postJson(`${url}/class`, body);
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ in: 'body', pointer, detail }] } });
  });

  it('knows no users', async () => {
    const { url } = await iris();
    expect((await ask(`${url}/users/1/top/3`)).status).toBe(404);
    expect((await postJson(`${url}/top`, { users: ['1'] })).status).toBe(404);
  });

  it('counts its predictions, and how its features drift', async () => {
    const { url } = await iris();
    await ask(`${url}/features/9,3,4,1/class`);
    await postJson(`${url}/class`, { rows: Array.from({ length: 99 }, () => [3, 3, 3, 3]) });
    const { body } = await ask(`${url}/metrics`);
    for (const line of [
      `hippo_model_predictions_total{model="iris",version="${V1}"} 100`,
      `hippo_model_serving{model="iris",version="${V1}"} 1`,
      'hippo_model_behind{model="iris"} 0',
      'hippo_model_drift_rows{model="iris"} 100',
      'hippo_model_feature_mean{model="iris",feature="sepal_length"} 3.06',
      'hippo_model_feature_trained_mean{model="iris",feature="sepal_length"} 3',
    ])
      expect(body).toContain(line);
    expect(body).toMatch(/hippo_model_feature_psi\{model="iris",feature="petal_width"\} \d+\.\d+/);
  });
});

describe('a recommender', () => {
  it('answers with the best items, and with those that the user knows on demand', async () => {
    const { url } = await films();
    const films1 = { model: 'films', model_version: V1, user: '1', known: true };
    expect((await ask(`${url}/users/1/top/2`)).body).toEqual({
      ...films1,
      items: [
        { item: '30', score: 3 },
        { item: '40', score: 2 },
      ],
    });
    expect((await ask(`${url}/users/1/top/1?known=true`)).body).toEqual({
      ...films1,
      items: [{ item: '20', score: 4 }],
    });
    expect((await ask(`${url}/models/films/users/ann%2Fb/top/1`)).body).toMatchObject({
      user: 'ann/b',
      items: [{ item: '10' }],
    });
  });

  it('answers for an unknown user with the popular items', async () => {
    const { url } = await films();
    expect(await ask(`${url}/users/nobody/top/2`)).toMatchObject({
      status: 200,
      body: {
        known: false,
        items: [
          { item: '30', score: null },
          { item: '40', score: null },
        ],
      },
    });
  });

  it('answers for many users', async () => {
    const { url } = await films();
    const { body } = await postJson(`${url}/top`, { users: [1, 'nobody'], count: 1, known: true });
    expect(body).toEqual({
      model: 'films',
      model_version: V1,
      predictions: [
        { user: '1', known: true, items: [{ item: '20', score: 4 }] },
        { user: 'nobody', known: false, items: [{ item: '30', score: null }] },
      ],
    });
    expect(await postJson(`${url}/top`, { users: Array(100).fill('1'), count: 1_000 })).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '/count', detail: 'times the number of users must be <= 20000' }] },
    });
  });

  it.each([
    '/users/1/top/0',
    '/users/1/top/1001',
    '/users/1/top/x',
    '/users/1/top/1?known=yes',
    '/features/1,2/class',
  ])('refuses %s', async (path) => {
    const { url } = await films();
    expect((await ask(`${url}${path}`)).status).toBe(path.startsWith('/features') ? 404 : 400);
  });
});

describe('several models', () => {
  it('are below their names, and ready when all are', async () => {
    const models = await newModelFolder();
    await models.write(plain);
    await models.write({ kind: 'recommender' });
    await models.point('iris', V1);
    await models.point('films', null);
    const { url } = await startService(models);
    await serves(url, 'iris', V1);
    expect(await ask(`${url}/readyz`)).toMatchObject({
      status: 503,
      body: { ready: false, awaited: ['films'] },
    });
    expect((await ask(`${url}/models/iris/features/9,3,4,1/class`)).status).toBe(200);
    expect((await ask(`${url}/features/9,3,4,1/class`)).status).toBe(404);
    const waits = await ask(`${url}/models/films/users/u1/top/1`);
    expect([waits.status, waits.headers.get('retry-after'), waits.body]).toMatchObject([
      503,
      '5',
      { detail: 'the model films has no version yet: its first one is awaited' },
    ]);
    await models.point('films', V1);
    await serves(url, 'films', V1);
    const { status, headers } = await ask(`${url}/readyz`);
    expect([status, headers.get('hippo-models')]).toEqual([200, `iris=${V1}, films=${V1}`]);
  });
});

describe('a new version', () => {
  it('that is refused leaves the old one serving, and is told; rolling back ends that', async () => {
    const { url, log, models } = await iris();
    const version = '20260102T000000Z-000002';
    await models.write({ ...plain, version, manifest: (manifest) => (manifest['schema_version'] = '2.0') });
    await models.point('iris', version);
    await expect
      .poll(async () => (await ask(`${url}/readyz`)).body)
      .toMatchObject({
        ready: true,
        models: {
          iris: { version: V1, wanted: version, problem: expect.stringContaining(version) as string },
        },
      });
    expect((await ask(`${url}/features/9,3,4,1/class`)).body).toMatchObject({ model_version: V1 });
    expect(log).toContainEqual(
      expect.objectContaining({ level: 'error', model: 'iris', model_version: version }),
    );
    const { body } = await ask(`${url}/metrics`);
    expect(body).toContain('hippo_model_loads_total{model="iris",outcome="refused"} 1');
    expect(body).toContain('hippo_model_behind{model="iris"} 1');
    await models.point('iris', V1);
    await expect
      .poll(async () => (await ask(`${url}/readyz`)).body)
      .toEqual({ ready: true, models: { iris: { version: V1, wanted: V1 } } });
  });
});

import { describe, expect, it } from 'vitest';
import { ask, postJson } from '../http/app/support.ts';
import { newModelFolder, serves, startService } from './support.ts';

const V1 = '20260101T000000Z-000001';

async function both() {
  const models = await newModelFolder();
  await models.write({
    kind: 'classifier',
    coefficients: [
      [1, 0],
      [0, 1],
    ].concat([[0, 0]]),
    features: ['a', 'b'],
    intercepts: [0, 0, 0],
  });
  await models.write({
    kind: 'recommender',
    users: ['1'],
    items: ['x', 'y'],
    rank: 1,
    userFactors: Float32Array.of(1),
    itemFactors: Float32Array.of(2, 1),
    known: [[]],
    popular: [1],
  });
  await models.point('iris', V1);
  await models.point('films', V1);
  const service = await startService(models);
  await serves(service.url, 'iris', V1);
  await serves(service.url, 'films', V1);
  return service.url;
}

const input = (data: unknown, shape = [2, 2], datatype = 'FP64') => ({
  name: 'input',
  shape,
  datatype,
  data,
});
const infer = (url: string, body: unknown, model = 'iris') =>
  postJson(`${url}/v2/models/${model}/infer`, body);

it('tells the server, its health, and the models', async () => {
  const url = await both();
  expect(await ask(`${url}/v2/health/live`)).toMatchObject({ status: 200, body: { live: true } });
  expect(await ask(`${url}/v2/health/ready`)).toMatchObject({ status: 200, body: { ready: true } });
  expect((await ask(`${url}/v2`)).body).toMatchObject({ name: 'hippo', extensions: ['binary_tensor_data'] });
  const about = {
    name: 'iris',
    versions: [V1],
    inputs: [{ name: 'input', datatype: 'FP64', shape: [-1, 2] }],
    outputs: [
      { name: 'class', datatype: 'BYTES', shape: [-1] },
      { name: 'class_index', datatype: 'INT64', shape: [-1] },
      { name: 'probabilities', datatype: 'FP64', shape: [-1, 3] },
    ],
  };
  expect((await ask(`${url}/v2/models/iris`)).body).toMatchObject(about);
  expect((await ask(`${url}/v2/models/iris/versions/${V1}`)).body).toMatchObject(about);
  expect((await ask(`${url}/v2/models/iris/versions/${V1}/ready`)).body).toEqual({
    name: 'iris',
    ready: true,
  });
  expect((await ask(`${url}/v2/models/films`)).body).toMatchObject({
    inputs: [{ name: 'user', datatype: 'BYTES' }],
  });
});

describe('an inference', () => {
  it.each([
    ['one tensor', [input([5, 1, 1, 5])]],
    [
      'nested rows',
      [
        input([
          [5, 1],
          [1, 5],
        ]),
      ],
    ],
    ['whole numbers', [input([5, 1, 1, 5], [2, 2], 'INT64')]],
    [
      'a tensor for each feature',
      [
        { name: 'b', shape: [2], datatype: 'FP32', data: [1, 5] },
        { name: 'a', shape: [2, 1], datatype: 'FP32', data: [5, 1] },
      ],
    ],
  ])('takes %s', async (_, inputs) => {
    const url = await both();
    const { status, body, headers } = await infer(url, {
      id: '7',
      inputs,
      outputs: [{ name: 'class' }, { name: 'class_index' }],
    });
    expect([status, headers.get('hippo-model-version'), body]).toEqual([
      200,
      V1,
      {
        model_name: 'iris',
        model_version: V1,
        id: '7',
        outputs: [
          { name: 'class', datatype: 'BYTES', shape: [2], data: ['setosa', 'versicolor'] },
          { name: 'class_index', datatype: 'INT64', shape: [2], data: [0, 1] },
        ],
      },
    ]);
  });

  it('gives all outputs where none is named', async () => {
    const { body } = await infer(await both(), { inputs: [input([5, 1], [1, 2])] });
    const { outputs } = body as { outputs: { name: string; data: number[] }[] };
    expect(outputs.map(({ name }) => name)).toEqual(['class', 'class_index', 'probabilities']);
    expect(outputs[2]?.data.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
  });

  it('of a recommender pads short lists', async () => {
    const url = await both();
    const inputs = [{ name: 'user', shape: [2], datatype: 'BYTES', data: ['1', 'nobody'] }];
    const { body } = await infer(url, { parameters: { count: 2 }, inputs }, 'films');
    expect(body).toMatchObject({
      outputs: [
        { name: 'items', shape: [2, 2], data: ['x', 'y', 'y', ''] },
        { name: 'scores', shape: [2, 2], data: [2, 1, 0, 0] },
        { name: 'known', shape: [2], data: [true, false] },
      ],
    });
  });

  it.each([
    [{}, '/inputs is missing'],
    [{ inputs: [input([1], [1, 2])] }, 'must have 2 values; it has 1'],
    [{ inputs: [input([1, 2, 3], [1, 3])] }, 'must have the shape [rows,2] (a, b); it has [1,3]'],
    [{ inputs: [input(['1', 2], [1, 2])] }, 'has "1", which is not of FP64'],
    [{ inputs: [input([1, 2], [1, 2], 'BYTES')] }, 'numbers are wanted'],
    [{ inputs: [input([1, 2], [1, 2], 'FP16')] }, '/inputs/0/datatype must be one of'],
    [{ inputs: [input([1, 2], [1e9, 2])] }, 'values; at most 2000 are taken'],
    [{ inputs: [{ ...input([1], [1]), name: 'a' }] }, 'the model iris needs the input "b"'],
    [
      { inputs: [input([1, 2], [1, 2])], outputs: [{ name: 'x' }] },
      'has no output "x"; it has class, class_index, probabilities',
    ],
  ])('is refused as the protocol wants it: %j', async (body, message) => {
    const answer = await infer(await both(), body);
    expect(answer).toMatchObject({ status: 400, type: 'application/json; charset=utf-8' });
    expect((answer.body as { error: string }).error).toContain(message);
  });

  it.each([
    ['/v2/models/none', 404, 'there is no model none; there is iris, films'],
    ['/v2/models/iris/versions/v9', 404, `version v9 of the model iris is not served; ${V1} is`],
    ['/v2/nothing', 404, 'there is nothing at /v2/nothing'],
  ])('GET %s is answered %i', async (path, status, error) => {
    expect(await ask(`${await both()}${path}`)).toMatchObject({ status, body: { error } });
  });

  it('of no JSON is refused', async () => {
    const url = `${await both()}/v2/models/iris/infer`;
    const post = (body: string, type: string) =>
      ask(url, { method: 'POST', body, headers: { 'content-type': type } });
    expect(await post('{', 'application/json')).toMatchObject({
      status: 400,
      body: { error: 'the request is not JSON in UTF-8' },
    });
    expect(await post('a=b', 'text/plain')).toMatchObject({
      status: 415,
      body: { error: expect.any(String) as string },
    });
    expect(
      await post(JSON.stringify({ inputs: [], more: 'x'.repeat(2 ** 20) }), 'application/json'),
    ).toMatchObject({ status: 413, body: { error: expect.any(String) as string } });
  });
});

import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { HttpProblem } from '../../../src/http/index.ts';
import { answers } from '../../../src/http/app/index.ts';
import { ask, postJson, startApp } from './support.ts';

const BODY = {
  type: 'object',
  additionalProperties: false,
  required: ['rows'],
  properties: { rows: { type: 'array', items: { type: 'number' }, maxItems: 3 }, 'a/b': { type: 'integer' } },
} as const;

const withRoutes = () =>
  startApp((app) => {
    app.post(
      '/sum',
      { schema: { body: BODY, response: answers({ type: 'object' }, { hasBody: true }) } },
      (request) => ({
        sum: (request.body as { rows: number[] }).rows.reduce((a, b) => a + b, 0),
      }),
    );
    app.get(
      '/top/:count',
      {
        schema: {
          params: { type: 'object', properties: { count: { type: 'integer', minimum: 1, maximum: 9 } } },
          querystring: {
            type: 'object',
            additionalProperties: false,
            properties: { known: { type: 'boolean' } },
          },
        },
      },
      ({ params, query }) => ({ params, query }),
    );
    app.get('/bug', () => {
      throw new Error('the password is hunter2');
    });
    app.get('/teapot', () => {
      throw new HttpProblem(418, 'short and stout', { 'x-pot': 'tea' });
    });
  });

describe('a body', () => {
  it('is checked, and each wrong field is named', async () => {
    const { url } = await withRoutes();
    expect(await postJson(`${url}/sum`, { rows: [1, 2] })).toMatchObject({ status: 200, body: { sum: 3 } });
    const { status, type, body } = await postJson(`${url}/sum`, {
      rows: [1, '2', null],
      'a/b': 1.5,
      more: 1,
    });
    expect({ status, type }).toEqual({ status: 400, type: 'application/problem+json' });
    expect(body).toMatchObject({
      type: 'about:blank',
      title: 'Bad Request',
      status: 400,
      request_id: expect.any(String) as string,
      errors: expect.arrayContaining([
        { in: 'body', pointer: '/more', detail: 'is not known' },
        { in: 'body', pointer: '/rows/1', detail: 'must be number' },
        { in: 'body', pointer: '/rows/2', detail: 'must be number' },
        { in: 'body', pointer: '/a~1b', detail: 'must be integer' },
      ]) as unknown,
    });
  });

  it.each([
    ['{', { 'content-type': 'application/json' }, 400, 'the body is not JSON'],
    ['', { 'content-type': 'application/json' }, 400, 'the body is empty; it must be JSON'],
    ['{"rows":[1e999]}', { 'content-type': 'application/json' }, 400, 'body /rows/0 must be number'],
    [
      '{"rows":[1,2,3,4]}',
      { 'content-type': 'application/json' },
      400,
      'body /rows must NOT have more than 3 items',
    ],
    ['{}', { 'content-type': 'application/json' }, 400, 'body /rows is missing'],
    ['{"__proto__":{}}', { 'content-type': 'application/json' }, 400, 'the body is not JSON'],
    [
      'rows=1',
      { 'content-type': 'text/plain' },
      415,
      'the body must be JSON, with content-type: application/json',
    ],
    [
      'x',
      { 'content-type': 'application/x-www-form-urlencoded' },
      415,
      'the body must be JSON, with content-type: application/json',
    ],
    [
      '{}',
      { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      415,
      'the body must not be compressed',
    ],
    [
      `{"rows":[${'1,'.repeat(600_000)}1]}`,
      { 'content-type': 'application/json' },
      413,
      'the body is larger than this service takes',
    ],
  ])('is refused where it is wrong: %#', async (body, headers, status, detail) => {
    const { url } = await withRoutes();
    const answer = await ask(`${url}/sum`, { method: 'POST', body, headers });
    expect(answer).toMatchObject({ status, type: 'application/problem+json', body: { status, detail } });
  });
});

describe('a path', () => {
  it.each([
    ['/top/3', 200, { params: { count: 3 }, query: {} }],
    ['/top/3?known=true', 200, { params: { count: 3 }, query: { known: true } }],
    ['/top/03', 400, { errors: [{ in: 'path', pointer: '/count', detail: 'must be integer' }] }],
    ['/top/0x3', 400, { errors: [{ in: 'path', pointer: '/count', detail: 'must be integer' }] }],
    ['/top/%203', 400, { errors: [{ in: 'path', pointer: '/count', detail: 'must be integer' }] }],
    ['/top/10', 400, { errors: [{ in: 'path', pointer: '/count', detail: 'must be <= 9' }] }],
    ['/top/3?known=1', 400, { errors: [{ in: 'query', pointer: '/known', detail: 'must be boolean' }] }],
    ['/top/3?known=true&known=true', 400, { detail: 'query /known must be boolean' }],
    ['/top/3?more=1', 400, { errors: [{ in: 'query', pointer: '/more', detail: 'is not known' }] }],
    ['/top/%', 400, { detail: 'the path is not a valid percent-encoding' }],
    [`/top/${'9'.repeat(5_000)}`, 400, { detail: 'path /count must be integer' }],
    [`/top/3?known=${'t'.repeat(15_000)}`, 414, { detail: 'the request target is too long' }],
    ['/nothing', 404, { detail: 'there is nothing at /nothing' }],
    ['/top/3/', 404, { title: 'Not Found' }],
  ])('is read, or refused: %#', async (path, status, body) => {
    const { url } = await withRoutes();
    expect(await ask(`${url}${path}`)).toMatchObject({ status, body });
  });

  it('with another method is answered 405 with those that it has', async () => {
    const { url } = await withRoutes();
    const { status, headers, body } = await ask(`${url}/sum`);
    expect([status, headers.get('allow')]).toEqual([405, 'POST']);
    expect(body).toMatchObject({ detail: '/sum answers POST only' });
  });

  it.each([
    '/docs/../package.json',
    '/docs/%2e%2e/package.json',
    '/docs/..%2f..%2fpackage.json',
    '/docs/%252e%252e%252fpackage.json',
    '//etc/passwd',
    '/docs//etc/passwd',
  ])('%s leads out of no folder', async (path) => {
    const { url } = await withRoutes();
    const answer = await raw(url, `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 40[04] /);
    expect(answer).not.toMatch(/hippo-toolkit|root:/);
  });
});

describe('an error of a handler', () => {
  it('that is a fault tells the client nothing but the id, by which the log has it', async () => {
    const { url, log } = await withRoutes();
    const answer = await ask(`${url}/bug`);
    expect(answer).toMatchObject({ status: 500, type: 'application/problem+json' });
    expect(JSON.stringify(answer.body)).not.toMatch(/hunter2|at /);
    const { request_id: id } = answer.body as { request_id: string };
    expect(log).toContainEqual(
      expect.objectContaining({
        level: 'error',
        request_id: id,
        err: expect.objectContaining({ message: 'the password is hunter2' }) as unknown,
      }),
    );
  });

  it('that is a problem is told', async () => {
    const { url } = await withRoutes();
    const { status, headers, body } = await ask(`${url}/teapot`);
    expect([status, headers.get('x-pot'), body]).toMatchObject([418, 'tea', { detail: 'short and stout' }]);
  });
});

it('HEAD is answered as GET, without the body', async () => {
  const { url } = await withRoutes();
  expect(await ask(`${url}/top/3`, { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
});

it('an answer that takes too long is a 503, also where the request has a body, and its work is told to stop', async () => {
  const stopped: string[] = [];
  const { url } = await startApp(
    (app) =>
      app.post('/slow', async ({ stop }) => {
        await sleep(20_000, undefined, { signal: stop.signal }).catch(() =>
          stopped.push(String(stop.signal.reason)),
        );
        return {};
      }),
    { limits: { answer: 50 } },
  );
  const { status, headers, body } = await postJson(`${url}/slow`, {});
  expect([status, headers.get('retry-after'), body]).toMatchObject([
    503,
    '1',
    { detail: 'the answer takes longer than 0.05 s' },
  ]);
  await expect.poll(() => stopped).toEqual(['Error: the answer takes too long']);
});

it('a client that sends too slowly is cut off', async () => {
  const { url } = await startApp(undefined, { limits: { receive: 100 } });
  expect(await raw(url, 'POST /sum HTTP/1.1\r\nhost: x\r\ncontent-le')).toMatch(/^HTTP\/1\.1 408 /);
});

it.each([
  'NONSENSE\r\n\r\n',
  'GET / HTTP/1.1\r\n\r\n',
  'POST /sum HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
])('what is no HTTP is refused: %j', async (bytes) => {
  const { url } = await withRoutes();
  expect(await raw(url, bytes)).toMatch(/^HTTP\/1\.1 400 /);
});

/** All that the server answers to these bytes, until it closes the connection. */
async function raw(url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write(bytes);
  return text(socket);
}

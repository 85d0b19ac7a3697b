import { type Socket, connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import {
  HttpProblem,
  type HttpServer,
  type HttpServerOptions,
  type Route,
  json,
  serveHttp,
  text,
} from '../../src/http/index.ts';
import { UserError } from '../../src/core/errors.ts';

const servers: HttpServer[] = [];
const errors: string[] = [];
afterEach(async () => {
  errors.length = 0;
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function serve(routes: Route[], options: Partial<HttpServerOptions> = {}): Promise<HttpServer> {
  const server = await serveHttp({
    host: '127.0.0.1',
    port: 0,
    setting: 'client.http',
    routes,
    onError: (error) => errors.push(error),
    ...options,
    limits: { drain: 1_000, ...options.limits },
  });
  servers.push(server);
  return server;
}

const get = (path: string, handle: Route['handle']): Route => ({ method: 'GET', path, handle });
const post = (path: string, handle: Route['handle']): Route => ({ method: 'POST', path, handle });
const hello = get('/hello', () => text('hello'));

interface Answer {
  status: number;
  type: string | null;
  body: unknown;
}

async function ask({ address }: HttpServer, path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(`http://${address}${path}`, init);
  const body = await response.text();
  const type = response.headers.get('content-type');
  return { status: response.status, type, body: type?.endsWith('json') ? JSON.parse(body) : body };
}

function socketTo({ address }: HttpServer): Socket {
  const [host = '', port = ''] = address.split(':');
  return connect(Number(port), host);
}

/** All that the server answers to these bytes, until it closes the connection. */
async function raw(server: HttpServer, bytes: string): Promise<string> {
  const socket = socketTo(server);
  socket.write(bytes);
  let all = '';
  for await (const chunk of socket) all += String(chunk);
  return all;
}

function problem(status: number, title: string, detail: string): Answer {
  return { status, type: 'application/problem+json', body: { type: 'about:blank', title, status, detail } };
}

describe('a route', () => {
  it('answers with text or JSON, which nothing between may cache', async () => {
    const server = await serve([hello, get('/number', () => json({ answer: 42 }, 503))]);
    expect(await ask(server, '/hello')).toEqual({
      status: 200,
      type: 'text/plain; charset=utf-8',
      body: 'hello',
    });
    expect(await ask(server, '/number')).toEqual({
      status: 503,
      type: 'application/json',
      body: { answer: 42 },
    });
    const { headers } = await fetch(`http://${server.address}/hello`);
    expect(headers.get('cache-control')).toBe('no-store');
  });

  it('gets the segments of its path, the query and the body', async () => {
    const server = await serve([
      post('/runs/:job/:key', async ({ params, query, body }) =>
        json({ ...params, by: query.get('by'), body: (await body()).toString() }),
      ),
    ]);
    expect(await ask(server, '/runs/load/dt%3D2017%2F04?by=ann%20b', { method: 'POST', body: 'ü' })).toEqual({
      status: 200,
      type: 'application/json',
      body: { job: 'load', key: 'dt=2017/04', by: 'ann b', body: 'ü' },
    });
  });

  it('answers HEAD as GET, without the body', async () => {
    const server = await serve([hello]);
    const answer = await raw(server, 'HEAD /hello HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(answer).toMatch(/content-length: 5\r\n/);
    expect(answer).toMatch(/\r\n\r\n$/);
  });

  it('is found where the target is a whole URL (RFC 9112, section 3.2.2)', async () => {
    const server = await serve([hello]);
    expect(
      await raw(server, 'GET http://x.test/hello HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'),
    ).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nhello$/);
  });
});

describe('what no route answers is a problem+json:', () => {
  it('404 for a path that no route has', async () => {
    const server = await serve([hello, get('/runs/:job', () => text(''))]);
    for (const path of ['/', '/hello/', '/runs/', '/runs/a/b'])
      expect(await ask(server, path)).toEqual(problem(404, 'Not Found', `there is nothing at ${path}`));
  });

  it('405 for a path whose routes have other methods, which it names', async () => {
    const server = await serve([hello, post('/hello', () => text(''))]);
    const response = await fetch(`http://${server.address}/hello`, { method: 'DELETE' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST']);
    expect(await response.json()).toMatchObject({ detail: '/hello answers GET, HEAD, POST only' });
  });

  it.each([
    ['a path like a host', 'GET //', 404],
    ['an asterisk', 'OPTIONS *', 400],
    ['a bad escape', 'GET /runs/%ff', 400],
    ['a host of no name', 'GET http://', 400],
  ])('%s does not end the server', async (_, target, status) => {
    const server = await serve([hello, get('/runs/:job', () => text(''))]);
    const answer = await raw(server, `${target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
    expect(answer.split(' ')[1]).toBe(String(status));
    expect((await ask(server, '/hello')).status).toBe(200);
  });

  it.each([
    ['bytes that are not HTTP', 'hello\r\n\r\n', 400, 'this is not an HTTP/1.1 request'],
    [
      'headers of 20 kB',
      `GET /hello HTTP/1.1\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`,
      431,
      'the headers are too large',
    ],
  ])('%s', async (_, bytes, status, detail) => {
    const server = await serve([hello]);
    const answer = await raw(server, bytes);
    expect(answer.split(' ')[1]).toBe(String(status));
    expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toMatchObject({ status, detail });
  });
});

describe('a handler', () => {
  it('throws a problem, and the client gets it', async () => {
    const server = await serve([
      get('/late', () => {
        throw new HttpProblem(429, 'ask again in 3 s', { 'retry-after': '3' });
      }),
    ]);
    const response = await fetch(`http://${server.address}/late`);
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '3']);
    expect(await response.json()).toMatchObject({ title: 'Too Many Requests', detail: 'ask again in 3 s' });
    expect(errors).toEqual([]);
  });

  it('fails, and only the log says why', async () => {
    const server = await serve([
      get('/broken', () => {
        throw new Error('password is hunter2');
      }),
    ]);
    expect(await ask(server, '/broken')).toEqual(
      problem(500, 'Internal Server Error', 'the server failed to answer this request; its log says why'),
    );
    expect(errors).toEqual(['GET /broken failed: password is hunter2']);
  });

  it('learns that the client has gone', async () => {
    const gone = Promise.withResolvers<string>();
    const server = await serve([
      get('/slow', async ({ signal }) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        gone.resolve((signal.reason as Error).message);
        return text('');
      }),
    ]);
    const stop = new AbortController();
    const asking = ask(server, '/slow', { signal: stop.signal });
    await sleep(50);
    stop.abort();
    await expect(asking).rejects.toThrow();
    expect(await gone.promise).toBe('the client has closed the connection');
  });
});

describe('limits:', () => {
  const size = post('/size', async ({ body }) => json((await body()).length));

  it('a body of that size is taken, a larger one is 413', async () => {
    const server = await serve([size], { limits: { body: 1_000 } });
    expect((await ask(server, '/size', { method: 'POST', body: 'x'.repeat(1_000) })).body).toBe(1_000);
    expect(await ask(server, '/size', { method: 'POST', body: 'x'.repeat(1_001) })).toEqual(
      problem(413, 'Payload Too Large', 'the body is larger than 1000 bytes'),
    );
  });

  it('a body that does not say how large it is stops being read', async () => {
    const server = await serve([size], { limits: { body: 1_000 } });
    const chunk = `1f4\r\n${'x'.repeat(500)}\r\n`;
    const answer = await raw(
      server,
      `POST /size HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n${chunk.repeat(3)}`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('an answer that takes too long is 503, and its handler is told to stop', async () => {
    let reason: unknown;
    const server = await serve(
      [
        get('/slow', async ({ signal }) => {
          await sleep(60_000, undefined, { signal }).catch(() => undefined);
          reason = signal.reason;
          throw new Error('stopped');
        }),
      ],
      { limits: { answer: 100 } },
    );
    expect(await ask(server, '/slow')).toEqual(
      problem(503, 'Service Unavailable', 'the answer takes longer than 0.1 s'),
    );
    expect(reason).toEqual(new Error('the answer takes too long'));
    expect(errors).toEqual([]);
  });

  it('a request that does not arrive in time is 408', async () => {
    const server = await serve([hello], { limits: { receive: 300 } });
    expect(await raw(server, 'GET /hello HTTP/1.1\r\nhost: ')).toMatch(/^HTTP\/1\.1 408 /);
  });
});

describe('close()', () => {
  it('lets a running request finish, and refuses new connections', async () => {
    const begun = Promise.withResolvers<undefined>();
    const end = Promise.withResolvers<undefined>();
    const server = await serve([
      get('/slow', async () => {
        begun.resolve(undefined);
        await end.promise;
        return text('done');
      }),
    ]);
    const asking = ask(server, '/slow');
    await begun.promise;
    const closing = server.close();
    await expect(ask(server, '/slow')).rejects.toThrow();
    end.resolve(undefined);
    expect(await asking).toMatchObject({ status: 200, body: 'done' });
    await closing;
  });

  it('does not wait for idle connections, nor for a request longer than limits.drain', async () => {
    const begun = Promise.withResolvers<undefined>();
    const server = await serve(
      [
        hello,
        get('/forever', async () => {
          begun.resolve(undefined);
          return new Promise<never>(() => undefined);
        }),
      ],
      { limits: { drain: 200, answer: 60_000 } },
    );
    await ask(server, '/hello');
    const asking = ask(server, '/forever');
    asking.catch(() => undefined);
    await begun.promise;
    const before = performance.now();
    await server.close();
    expect(performance.now() - before).toBeLessThan(5_000);
    await expect(asking).rejects.toThrow();
  });
});

it('a port that is taken is an error of the setting', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  const { port } = taken.address() as { port: number };
  const error = await serve([hello], { port }).catch((failure: unknown) => failure);
  taken.close();
  expect(error).toBeInstanceOf(UserError);
  expect(error).toMatchObject({
    message: `client.http cannot listen on 127.0.0.1:${port}`,
    why: 'the port is taken',
    next: ['set client.http.port in hippo.yaml to a free port, or to 0 for any'],
  });
});

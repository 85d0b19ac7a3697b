import { Agent, type IncomingMessage, get } from 'node:http';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ask, startApp } from './support.ts';

describe('a trace', () => {
  const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
  it.each([
    [`00-${TRACE}-00f067aa0ba902b7-00`, `^00-${TRACE}-(?!00f067aa0ba902b7)[\\da-f]{16}-00$`],
    [`00-${TRACE}-00f067aa0ba902b7-01`, `^00-${TRACE}-[\\da-f]{16}-01$`],
    [`cc-${TRACE}-00f067aa0ba902b7-01-what-comes`, `^00-${TRACE}-[\\da-f]{16}-01$`],
    [`ff-${TRACE}-00f067aa0ba902b7-01`, `^00-(?!${TRACE})[\\da-f]{32}-[\\da-f]{16}-01$`],
    [`00-${'0'.repeat(32)}-00f067aa0ba902b7-01`, '^00-(?!0{32})'],
    [`00-${TRACE}-${'0'.repeat(16)}-01`, `^00-(?!${TRACE})`],
    [`00-${TRACE}-00f067aa0ba902b7-01-more`, `^00-(?!${TRACE})`],
    ['nonsense', '^00-[\\da-f]{32}-[\\da-f]{16}-01$'],
  ])('%s goes on as %s', async (traceparent, expected) => {
    const { url } = await startApp((app) => app.get('/', ({ trace }) => ({ trace })));
    const { headers, body } = await ask(url, { headers: { traceparent, tracestate: 'a=b' } });
    const { trace } = body as { trace: { traceparent: string; tracestate?: string } };
    expect(trace.traceparent).toMatch(new RegExp(expected));
    expect(headers.get('traceparent')).toBe(trace.traceparent);
    expect(trace.tracestate).toBe(trace.traceparent.includes(TRACE) ? 'a=b' : undefined);
  });

  it.each([
    ['job-17.a:b', true],
    ['a b', false],
    ['"', false],
    ['x'.repeat(129), false],
  ])('the id %s is taken over: %s', async (id, isTaken) => {
    const { url, log } = await startApp();
    const { headers } = await ask(`${url}/nothing`, { headers: { 'x-request-id': id } });
    expect(headers.get('x-request-id') === id).toBe(isTaken);
    await expect
      .poll(() => log)
      .toContainEqual(expect.objectContaining({ request_id: headers.get('x-request-id') }));
  });
});

it('too many requests of one caller are answered 429, and health is always answered', async () => {
  const { url } = await startApp((app) => app.get('/', () => ({})), { limits: { rate: 1 } });
  const all = await Promise.all(Array.from({ length: 30 }, () => ask(url)));
  const refused = all.filter(({ status }) => status === 429);
  expect(refused.length).toBeGreaterThan(0);
  expect(refused[0]).toMatchObject({
    type: 'application/problem+json',
    body: { detail: 'more than 1 requests in a second' },
  });
  expect(refused[0]?.headers.get('retry-after')).toBe('1');
  const unknown = await Promise.all(Array.from({ length: 30 }, () => ask(`${url}/nothing`)));
  expect(unknown.some(({ status }) => status === 429)).toBe(true);
  const health = await Promise.all(Array.from({ length: 30 }, () => ask(`${url}/healthz`)));
  expect(new Set(health.map(({ status }) => status))).toEqual(new Set([200]));
});

it('a process that is too busy answers 503 with when to try again, and tells how it is', async () => {
  const { url } = await startApp(
    (app) =>
      app.get('/block', () => {
        const end = performance.now() + 300;
        while (performance.now() < end);
        return {};
      }),
    { limits: { lateness: 20 } },
  );
  let refused = await ask(`${url}/block`);
  while (refused.status === 200) refused = await ask(`${url}/block`);
  expect(refused).toMatchObject({
    status: 503,
    type: 'application/problem+json',
    body: { detail: 'the service has more requests than it can answer in time' },
  });
  expect(refused.headers.get('retry-after')).toBe('1');
  for (const path of ['/healthz', '/readyz', '/metrics'])
    expect((await ask(`${url}${path}`)).status).toBe(200);
});

it('metrics count by route, not by path', async () => {
  const { url } = await startApp((app) => app.get('/users/:id', () => ({})));
  await Promise.all([1, 2, 3].map((id) => ask(`${url}/users/${id}`)));
  await ask(`${url}/nothing/at/all`);
  await expect
    .poll(async () => (await ask(`${url}/metrics`)).body)
    .toContain('hippo_http_request_duration_seconds_count{method="GET",route="/users/:id",status="200"} 3');
  const { body, type } = await ask(`${url}/metrics`);
  expect(type).toMatch(/^text\/plain/);
  expect(body).toContain(
    'hippo_http_request_duration_seconds_count{method="GET",route="none",status="404"} 1',
  );
  expect(body).not.toContain('/nothing/at/all');
  expect(body).toContain('process_resident_memory_bytes');
});

describe('the page', () => {
  it('comes from its own origin only, without inline scripts', async () => {
    const { url } = await startApp((app) => app.get('/hello', { schema: { summary: 'Greet.' } }, () => ({})));
    const page = await ask(`${url}/docs`);
    expect(page).toMatchObject({ status: 200, type: 'text/html; charset=utf-8' });
    expect(page.headers.get('content-security-policy')).toMatch(
      /default-src 'none'; script-src 'self'; style-src 'self'/,
    );
    const html = page.body as string;
    expect(html).not.toMatch(/https?:|<script>|style=|\son\w+=/);
    const files = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => file);
    expect(files).toHaveLength(4);
    for (const file of files) expect((await ask(`${url}/docs/${file}`)).status).toBe(200);
    const { body } = await ask(`${url}/openapi.json`);
    expect(body).toMatchObject({
      openapi: '3.1.0',
      info: { title: 'test', version: '1.0.0' },
      paths: { '/hello': { get: { summary: 'Greet.' } }, '/healthz': {} },
    });
  });

  it('can be left out', async () => {
    const { url } = await startApp(undefined, { hasPage: false });
    expect((await ask(`${url}/docs`)).status).toBe(404);
    expect((await ask(`${url}/openapi.json`)).status).toBe(404);
  });
});

describe('a drain', () => {
  it('tells it first, lets requests finish, and closes kept connections', async () => {
    const begun = Promise.withResolvers<undefined>();
    const go = Promise.withResolvers<undefined>();
    const { app, url } = await startApp(
      (fastify) =>
        fastify.get('/slow', async () => {
          begun.resolve(undefined);
          await go.promise;
          return { done: true };
        }),
      { limits: { notice: 3_000, drain: 20_000 } },
    );
    const agent = new Agent({ keepAlive: true });
    const statusBy = async (path: string): Promise<[number | undefined, string | undefined]> => {
      const [response] = (await once(get(`${url}${path}`, { agent }), 'response')) as [IncomingMessage];
      response.resume();
      await once(response, 'end');
      return [response.statusCode, response.headers.connection];
    };
    expect(await statusBy('/readyz')).toEqual([200, 'keep-alive']);
    const slow = statusBy('/slow');
    await begun.promise;
    const drained = app.drain();
    expect(await statusBy('/readyz')).toEqual([503, 'close']);
    expect(await statusBy('/healthz')).toEqual([200, 'close']);
    await expect.poll(() => ask(`${url}/healthz`).catch(() => 'refused')).toBe('refused');
    go.resolve(undefined);
    expect(await slow).toEqual([200, 'close']);
    expect(await drained).toEqual({ cut: 0 });
  });

  it('cuts off what takes longer than its limit', async () => {
    const begun = Promise.withResolvers<undefined>();
    const { app, url } = await startApp(
      (fastify) =>
        fastify.get('/slow', async ({ stop }) => {
          begun.resolve(undefined);
          await sleep(60_000, undefined, { signal: stop.signal }).catch(() => undefined);
          return {};
        }),
      { limits: { drain: 100 } },
    );
    const slow = ask(`${url}/slow`).catch(() => 'cut');
    await begun.promise;
    expect(await app.drain()).toEqual({ cut: 1 });
    expect(await slow).toBe('cut');
  });
});

it('a port that is taken is told', async () => {
  const { url } = await startApp();
  await expect(startApp(undefined, { port: Number(new URL(url).port) })).rejects.toMatchObject({
    message: `serve cannot listen on ${new URL(url).host}`,
    why: 'the port is taken',
  });
});

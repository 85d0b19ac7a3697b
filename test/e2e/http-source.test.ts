import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import getPort from 'get-port';
import { describe, expect } from 'vitest';
import { announced } from '../support/announced.ts';
import { type TestClient, test, until } from '../support/project.ts';

const TOKEN = 'a-token-of-the-tests';

const LOAD = `load:
  every: day
  needs: [{ table: shop.orders, partition: { dt: '{{ window }}' } }]
  run: ./job.sh`;

const source = (port = 0): string => `client: { session_timeout: 6s }
sources:
  landed: { table: shop.orders, http: { port: ${port}, token: ${TOKEN}, levels: [dt] } }`;

interface Answer {
  status: number;
  headers: Headers;
  body: unknown;
}

async function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

const landed = (dt: string, more: object = {}): object => ({ partition: { dt }, ...more });
const urlOf = async (client: TestClient): Promise<string> => (await client.event('listening')).url;

describe('an http source', () => {
  test.concurrent(
    'announces what is reported, once for each key, over kill -9 and a standby',
    async ({ makeProject }) => {
      const port = await getPort();
      const project = await makeProject(LOAD, 'exit 0', source(port));
      const url = `http://127.0.0.1:${port}/landed`;
      const first = project.startClient();
      expect(await urlOf(first)).toBe(url);
      const body = landed('2017-04-26', { exec_date: 1_493_300_000 });
      const key = { 'idempotency-key': '"load-1"' };
      const taken = await post(url, body, key);
      expect(taken).toMatchObject({
        status: 201,
        body: {
          announced: [
            { id: 'load-1', table: 'shop.orders', partition: 'dt=2017-04-26', exec_date: 1_493_300_000 },
          ],
        },
      });
      // It is answered when it is committed: another consumer reads it already.
      expect(await announced(project)).toEqual(['dt=2017-04-26 @1493300000']);
      await first.event('finished');
      const standby = project.startClient();
      await standby.event('standby');
      // Requests that are under way when the client is killed: whether they were taken is not known, so they are sent again.
      const days = Array.from({ length: 20 }, (_, index) => `2017-05-${String(index + 1).padStart(2, '0')}`);
      const send = (day: string) => post(url, landed(day, { id: `id-${day}` }));
      const sent = days.map((day) => send(day).catch(() => null));
      await Promise.any(sent);
      first.kill('SIGKILL');
      await Promise.all(sent);
      expect(await urlOf(standby)).toBe(url);
      for (const day of days) {
        const again = await until(() => send(day).catch(() => null), `${day} is taken`);
        expect(again.status).toBe(201);
      }
      const replayed = await post(url, body, key);
      expect([replayed.status, replayed.body]).toEqual([201, taken.body]);
      expect(replayed.headers.get('idempotency-replayed')).toBe('true');
      expect((await post(url, landed('2017-04-27'), key)).status).toBe(422);
      const events = (await announced(project)).map((event) => event.split(' ')[0]);
      expect(events.toSorted()).toEqual(['dt=2017-04-26', ...days.map((day) => `dt=${day}`)]);
      standby.kill('SIGTERM');
      expect((await standby.ended).exitCode).toBe(0);
      await expect(send('2017-06-01')).rejects.toThrow();
    },
  );

  test.concurrent('says what is wrong with a request', async ({ makeProject }) => {
    const project = await makeProject(LOAD, 'exit 0', source());
    const url = await urlOf(project.startClient());
    const body = landed('2017-04-28');
    const answers: [Promise<Answer>, number][] = [
      [post(url, body, { authorization: '' }), 401],
      [post(url, body, { authorization: 'Bearer wrong' }), 401],
      [post(url, { ...body, table: 'shop.sales' }), 403],
      [post(url, 'x'.repeat(70_000)), 413],
      [post(url, body, { 'content-type': 'text/csv' }), 415],
      [post(url, '{'), 400],
      [post(url, landed('')), 422],
      [post(url, { partition: { day: '2017-04-28' } }), 422],
      [post(url, landed('2017-04-28', { id: 'a' }), { 'idempotency-key': 'b' }), 422],
      [post(url, body, { 'idempotency-key': 'a b' }), 400],
    ];
    for (const [answer, status] of answers) {
      const { headers, ...problem } = await answer;
      expect(problem).toMatchObject({ status, body: { type: 'about:blank', status } });
      expect(headers.get('content-type')).toBe('application/problem+json');
    }
    expect(await announced(project)).toEqual([]);
    const both = await Promise.all([1, 2].map(() => post(url, body, { 'idempotency-key': 'twice' })));
    expect(both.map(({ body: answer }) => answer)[1]).toEqual(both[0]?.body);
    expect(await announced(project)).toHaveLength(1);
    const refused = await until(async () => {
      const many = await Promise.all(Array.from({ length: 100 }, () => post(url, '[]')));
      return many.find(({ status }) => status === 429);
    }, 'there are too many requests');
    expect(refused.headers.get('retry-after')).toBe('1');
    const api = await until(async () => {
      const headers = { authorization: `Bearer ${TOKEN}` };
      const response = await fetch(url.replace('landed', 'openapi.json'), { headers });
      return response.ok ? ((await response.json()) as { openapi: string }) : null;
    }, 'the document is served');
    expect(api.openapi).toBe('3.1.0');
  });

  test.concurrent(
    'is listed, paused and resumed, is not scanned, and does not listen with --once',
    async ({ makeProject }) => {
      const project = await makeProject(
        LOAD,
        'exit 0',
        source().replace(`token: ${TOKEN}`, 'token_file: token'),
      );
      await writeFile(join(project.directory, 'token'), `${TOKEN}\n`);
      const once = await project.hippo(['run', '--once']);
      expect([once.exitCode, once.stdout + once.stderr]).toEqual([
        0,
        expect.stringContaining('nothing listens'),
      ]);
      const client = project.startClient();
      const url = await urlOf(client);
      expect((await post(url, [landed('2017-04-27'), landed('2017-04-28')])).status).toBe(201);
      await client.event('finished', ({ run_key: key }) => key === '2017-04-28');
      const list = await project.hippo(['source', 'list', '--json']);
      expect(JSON.parse(list.stdout)).toMatchObject({
        sources: [{ scanned: false, known: 2, last_scan: null }],
      });
      const scan = await project.hippo(['source', 'scan', 'landed']);
      expect([scan.exitCode, scan.stderr]).toEqual([2, expect.stringContaining('http source')]);
      expect((await project.hippo(['job', 'pause', 'landed'])).exitCode).toBe(0);
      const paused = await until(async () => {
        const answer = await post(url, landed('2017-04-29', { id: 'a' }));
        return answer.status === 503 ? answer : null;
      }, 'it is paused');
      expect(paused.body).toMatchObject({ detail: 'the source landed is paused' });
      expect((await project.hippo(['job', 'resume', 'landed'])).exitCode).toBe(0);
      await until(
        async () => (await post(url, landed('2017-04-29', { id: 'a' }))).status === 201,
        'it is resumed',
      );
      await writeFile(join(project.directory, 'token'), 'another-token-is-in-force');
      expect((await post(url, landed('2017-04-30'))).status).toBe(401);
      const days = (await announced(project)).map((event) => event.split(' ')[0]);
      expect(days).toEqual(['dt=2017-04-27', 'dt=2017-04-28', 'dt=2017-04-29']);
    },
  );
});

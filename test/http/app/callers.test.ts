import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UserError } from '../../../src/core/errors.ts';
import { HttpProblem } from '../../../src/http/index.ts';
import { Keys, createApp } from '../../../src/http/app/index.ts';
import { ask, startApp } from './support.ts';

const KEY = 'k3y-of-the-test-0123';
const OTHER = 'k3y-of-another-45678';
const onError = (text: string): void => {
  throw new Error(text);
};
const keysOf = (settings: Parameters<typeof Keys.open>[0], report = onError) =>
  Keys.open(settings, { setting: 'serve', onError: report });

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hippo-keys-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function keyFile(name: string, text: string, mode = 0o600): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text);
  await chmod(file, mode);
  return file;
}

describe('with keys', () => {
  it.each([
    [{ authorization: `Bearer ${KEY}` }, 200],
    [{ authorization: `bearer  ${KEY} ` }, 200],
    [{ 'x-api-key': KEY }, 200],
    [{ 'x-api-key': OTHER }, 200],
    [{}, 401],
    [{ authorization: `Basic ${KEY}` }, 401],
    [{ authorization: `Bearer ${KEY}x` }, 401],
    [{ 'x-api-key': KEY.slice(1) }, 401],
    [{ 'x-api-key': '' }, 401],
  ])('%j is answered %i', async (headers, status) => {
    const keys = await keysOf({ keys: { web: KEY, batch: OTHER } });
    const { url } = await startApp((app) => app.get('/who', ({ caller }) => ({ caller })), { keys });
    const answer = await ask(`${url}/who`, { headers: headers as Record<string, string> });
    expect(answer.status).toBe(status);
    if (status === 401) expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
  });

  it('health and the page need none, and every other path does', async () => {
    const keys = await keysOf({ keys: { web: KEY } });
    const { url } = await startApp(undefined, { keys });
    const status = async (path: string) => (await ask(`${url}${path}`)).status;
    expect(
      await Promise.all(['/healthz', '/readyz', '/metrics', '/docs/', '/openapi.json'].map(status)),
    ).toEqual([200, 200, 200, 200, 200]);
    expect(await status('/nothing')).toBe(401);
  });

  it('wrong ones that come too fast are refused, and do not keep out the right one', async () => {
    const keys = await keysOf({ keys: { web: KEY } });
    const statusOf = (key: string): number => {
      try {
        keys?.callerOf({ 'x-api-key': key });
        return 200;
      } catch (error) {
        return error instanceof HttpProblem ? error.status : 500;
      }
    };
    const statuses = Array.from({ length: 40 }, () => statusOf('wrong'));
    expect(statuses.slice(0, 10)).toEqual(Array(10).fill(401));
    expect(statuses.at(-1)).toBe(429);
    expect(statusOf(KEY)).toBe(200);
  });

  it('no key, and no query, is in the log', async () => {
    const keys = await keysOf({ keys: { web: KEY } });
    const { url, log } = await startApp(
      (app) =>
        app.get('/', (request) => {
          request.log.info({ req: request }, 'own line');
          return {};
        }),
      { keys },
    );
    await ask(`${url}/?api_key=${OTHER}`, { headers: { authorization: `Bearer ${KEY}`, cookie: OTHER } });
    await ask(`${url}/nothing?key=${KEY}`, { headers: { 'x-api-key': OTHER } });
    await expect.poll(() => log.filter(({ message }) => message === 'request')).toHaveLength(2);
    expect(JSON.stringify(log)).not.toContain(KEY);
    expect(JSON.stringify(log)).not.toContain(OTHER);
    expect(log.find(({ status }) => status === 200)).toMatchObject({ caller: 'web', path: '/', route: '/' });
  });
});

describe('a file of keys', () => {
  it('is read again when it changes; a broken one changes nothing', async () => {
    const file = await keyFile('keys', `# callers\nweb ${KEY}\n`);
    const errors: string[] = [];
    const keys = await keysOf({ file }, (text) => errors.push(text));
    const caller = (key: string): string | null => {
      try {
        return keys?.callerOf({ 'x-api-key': key }) ?? null;
      } catch {
        return null;
      }
    };
    expect([caller(KEY), caller(OTHER)]).toEqual(['web', null]);
    await writeFile(file, `web ${KEY}\nbatch ${OTHER}\n`);
    await expect.poll(() => caller(OTHER)).toBe('batch');
    await writeFile(file, 'web\n');
    await expect.poll(() => (caller(KEY), errors)).toHaveLength(1);
    expect(errors[0]).toMatch(/^serve\.keys_file cannot be used: .*; the keys that were read before remain$/);
    expect(caller(OTHER)).toBe('batch');
  });

  it.each([
    ['open', `web ${KEY}\n`, 0o644, 'other users may read it: its mode is 0644'],
    [
      'short',
      'web secret\n',
      0o600,
      'line 1 is not NAME KEY with a key of at least 16 printable ASCII characters, without blanks',
    ],
    ['empty', '# none\n', 0o600, 'it has no keys'],
  ])('that is %s is refused', async (name, text, mode, why) => {
    const file = await keyFile(name, text, mode);
    await expect(keysOf({ file })).rejects.toMatchObject({ why, exitCode: 2 });
  });

  it('that is missing is refused', async () => {
    await expect(keysOf({ file: join(folder, 'none') })).rejects.toThrow(UserError);
  });
});

const bare = {
  port: 0,
  setting: 'serve',
  title: 't',
  description: 'd',
  version: '1',
  keys: null,
  readiness: () => ({ isReady: true, body: {} }),
  log: { write: () => undefined },
};

it.each(['0.0.0.0', '::', '192.0.2.1', 'example.org', '[::]'])('on %s a key is required', async (host) => {
  await expect(createApp({ ...bare, host })).rejects.toMatchObject({
    message: `serve would listen on ${host} without a key`,
    exitCode: 2,
  });
});

it.each(['127.0.0.1', '127.1.2.3', 'localhost', '::1'])('on %s none is', async (host) => {
  const app = await createApp({ ...bare, host });
  await app.drain();
});

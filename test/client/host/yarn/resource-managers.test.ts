import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  ManagerRefusedError,
  ResourceManagers,
  SilentError,
} from '../../../../src/client/host/yarn/resource-managers.ts';
import { FAKE_YARN_USER, FakeYarn } from '../../../support/fake-yarn.ts';

const { signal } = new AbortController();

function managers(
  addresses: readonly string[],
  { user = FAKE_YARN_USER, timeout = 10_000 } = {},
): ResourceManagers {
  return new ResourceManagers({ addresses, user, timeout });
}

describe('the active resource manager', () => {
  it('names the applications of a tag', async () => {
    await using yarn = await FakeYarn.start();
    const { id } = yarn.submit(['A', 'b']);
    yarn.submit(['c']);
    expect(await managers([yarn.url]).tagged('a', signal)).toEqual([
      { id, status: 'alive', report: 'RUNNING', tags: ['a', 'b'] },
    ]);
    expect(await managers([yarn.url]).tagged('nobody', signal)).toEqual([]);
    expect(yarn.requests[0]).toBe(`GET /ws/v1/cluster/apps?applicationTags=a&user.name=${FAKE_YARN_USER}`);
  });

  it('finds one by its id', async () => {
    await using yarn = await FakeYarn.start();
    const { id } = yarn.submit([]);
    expect(await managers([yarn.url]).find(id, signal)).toMatchObject({ id, status: 'alive' });
    expect(await managers([yarn.url]).find('application_1_1', signal)).toBeNull();
  });

  it('kills one, and minds none that is gone', async () => {
    await using yarn = await FakeYarn.start();
    const { id } = yarn.submit([]);
    await managers([yarn.url]).kill(id, signal);
    await managers([yarn.url]).kill('application_1_1', signal);
    yarn.end(id, 'SUCCEEDED');
    await managers([yarn.url]).kill(id, signal);
    expect(yarn.requests.every((request) => request.startsWith('PUT /ws/v1/cluster/apps/application_'))).toBe(
      true,
    );
  });

  it('refuses who may not', async () => {
    await using yarn = await FakeYarn.start();
    const { id } = yarn.submit([]);
    const killing = managers([yarn.url], { user: 'mallory' }).kill(id, signal);
    await expect(killing).rejects.toThrow(ManagerRefusedError);
    await expect(killing).rejects.toThrow(
      `${yarn.url} answers 403 to user mallory: User mallory does not have privilege to kill this application`,
    );
  });

  it.each(['../../conf', 'application_1_1/../..', '-x'])('is asked about no such id: %s', async (id) => {
    await using yarn = await FakeYarn.start();
    await expect(managers([yarn.url]).find(id, signal)).rejects.toThrow('is not an application id');
    expect(yarn.requests).toEqual([]);
  });
});

describe('of two resource managers', () => {
  it.each([false, true])(
    'the standby leads to the active one (and loses the query: %s)',
    async (losesQuery) => {
      await using yarn = await FakeYarn.start();
      yarn.losesQuery = losesQuery;
      const { id } = yarn.submit(['a']);
      yarn.submit(['somebody else']);
      const both = managers([yarn.standby, yarn.url]);
      expect((await both.tagged('a', signal)).map((application) => application.id)).toEqual([id]);
      await both.kill(id, signal);
      expect(yarn.requests.at(-1)).toBe(`PUT /ws/v1/cluster/apps/${id}/state?user.name=${FAKE_YARN_USER}`);
    },
  );

  it('the next is asked where one is dead', async () => {
    await using yarn = await FakeYarn.start();
    const both = managers(['http://127.0.0.1:1', yarn.url]);
    expect(await both.tagged('a', signal)).toEqual([]);
  });

  it('none answers: all are named, and why', async () => {
    await using yarn = await FakeYarn.start();
    yarn.condition = 'no-active';
    const asking = managers(['http://127.0.0.1:1', yarn.standby]).tagged('a', signal);
    await expect(asking).rejects.toThrow(SilentError);
    await expect(asking).rejects.toThrow(
      `http://127.0.0.1:1: no HTTP client connects to this port, because it belongs to another protocol: set another one; ${yarn.standby}: status 200: Can not find any active RM. Will retry in next 3 seconds.`,
    );
  });
});

describe('responses that are not answers', () => {
  it('none in time', async () => {
    await using yarn = await FakeYarn.start();
    yarn.condition = 'hangs';
    const asking = managers([yarn.url], { timeout: 100 }).tagged('a', signal);
    await expect(asking).rejects.toThrow(`${yarn.url}: no answer in time`);
  });

  it('a broken connection', async () => {
    await using yarn = await FakeYarn.start();
    yarn.condition = 'down';
    await expect(managers([yarn.url]).tagged('a', signal)).rejects.toThrow(`${yarn.url}: other side closed`);
  });

  it.each([
    [500, '{"RemoteException":{"message":"boom"}}'],
    [503, 'Service Unavailable'],
    [404, '<html>Not Found</html>'],
    [200, '<html>Sign in</html>'],
    [302, ''],
    [429, '{}'],
  ])('%i %s', async (status, body) => {
    await using server = await answering(status, body);
    await expect(managers([server.url]).find('application_1_1', signal)).rejects.toThrow(SilentError);
  });

  it('that Kerberos is wanted, which is another matter', async () => {
    await using server = await answering(401, '<html>Authentication required</html>');
    await expect(managers([server.url]).tagged('a', signal)).rejects.toThrow(
      `${server.url} answers 401 to user etl (hippo does not speak Kerberos)`,
    );
  });

  it('and what a caller no longer waits for', async () => {
    await using yarn = await FakeYarn.start();
    yarn.condition = 'hangs';
    const leaving = new AbortController();
    const asking = managers([yarn.url]).tagged('a', leaving.signal);
    leaving.abort(new Error('enough'));
    await expect(asking).rejects.toThrow('enough');
  });
});

async function answering(status: number, body: string): Promise<AsyncDisposable & { url: string }> {
  const server = createServer((_, response) => response.writeHead(status).end(body)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

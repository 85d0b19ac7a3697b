import getPort from 'get-port';
import { expect, it } from 'vitest';
import { networkReason } from '../../src/core/network-reason.ts';

async function failureOf(url: string): Promise<unknown> {
  return fetch(url).then(
    () => undefined,
    (error: unknown) => error,
  );
}

it.each(['localhost', '127.0.0.1'])('names why %s gives no answer, not "fetch failed"', async (host) => {
  const port = await getPort();
  expect(networkReason(await failureOf(`http://${host}:${port}`))).toMatch(
    new RegExp(`^connect ECONNREFUSED (::1|127\\.0\\.0\\.1):${port}$`),
  );
});

it('takes what is said of the first of several addresses', () => {
  const each = [new Error('connect ECONNREFUSED ::1:80'), new Error('connect ECONNREFUSED 127.0.0.1:80')];
  const failed = new TypeError('fetch failed', { cause: new AggregateError(each) });
  expect(networkReason(failed)).toBe('connect ECONNREFUSED ::1:80');
});

it('of an error without words, its name', () => {
  expect(networkReason(new RangeError(''))).toBe('RangeError');
});

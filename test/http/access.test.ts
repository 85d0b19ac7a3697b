import { describe, expect, it } from 'vitest';
import { BearerToken, HttpProblem, RateLimit, readJson } from '../../src/http/index.ts';

async function statusOf(asked: () => unknown): Promise<number> {
  try {
    await asked();
    return 200;
  } catch (error) {
    if (!(error instanceof HttpProblem)) throw error;
    return error.status;
  }
}

const TOKEN = 'a-token-of-the-test';

describe('a bearer token', () => {
  it.each([
    [`Bearer ${TOKEN}`, 200],
    [`bearer  ${TOKEN} `, 200],
    [undefined, 401],
    ['', 401],
    [TOKEN, 401],
    ['Bearer', 401],
    [`Bearer ${TOKEN}x`, 401],
    [`Bearer ${TOKEN.slice(1)}`, 401],
    [`Basic ${TOKEN}`, 401],
    [`Bearer ${TOKEN} ${TOKEN}`, 401],
  ])('authorization: %s', async (authorization, status) => {
    const gate = new BearerToken(() => Promise.resolve(TOKEN));
    const headers = authorization === undefined ? {} : { authorization };
    expect(await statusOf(() => gate.require({ headers }))).toBe(status);
  });

  it('that is wrong too often does not keep out the right one', async () => {
    const gate = new BearerToken(() => Promise.resolve(TOKEN));
    const ask = (token: string) =>
      statusOf(() => gate.require({ headers: { authorization: `Bearer ${token}` } }));
    const statuses = await Promise.all(Array.from({ length: 20 }, () => ask('wrong')));
    expect(statuses.slice(0, 10)).toEqual(Array(10).fill(401));
    expect(statuses.at(-1)).toBe(429);
    expect(await ask(TOKEN)).toBe(200);
  });
});

it('a rate lets as many through as it says, and more after a while', async () => {
  const limit = new RateLimit(20);
  const take = () => statusOf(() => limit.take('too many'));
  for (let taken = 0; taken < 20; taken += 1) expect(await take()).toBe(200);
  expect(await take()).toBe(429);
  await expect.poll(take).toBe(200);
});

it.each([
  ['application/json', '{"a":1}', 200],
  ['application/json; charset=utf-8', '[]', 200],
  ['application/vnd.shop+json', '5', 200],
  ['text/plain', '{}', 415],
  ['', '{}', 415],
  ['application/json', '{', 400],
  ['application/json', '', 400],
  ['application/json', Buffer.from([0x22, 0xff, 0x22]), 400],
])('a body of the type %s: %s', async (type, text, status) => {
  const body = () => Promise.resolve(Buffer.from(text as string));
  expect(await statusOf(() => readJson({ headers: { 'content-type': type }, body }))).toBe(status);
});

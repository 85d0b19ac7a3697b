import { expect, it } from 'vitest';
import { ask, postJson } from '../http/app/support.ts';
import { newModelFolder, serves, startService } from './support.ts';

const VERSIONS = ['20260101T000000Z-000001', '20260102T000000Z-000002', '20260103T000000Z-000003'];
const [FIRST = ''] = VERSIONS;

it('twenty swaps under load: no request fails, and no answer is of two versions', async () => {
  const models = await newModelFolder();
  // Each version knows one class only, so that an answer tells which version has computed it.
  for (const [index, version] of VERSIONS.entries())
    await models.write({ kind: 'classifier', version, classes: VERSIONS.map((_, at) => `v${index}-${at}`) });
  await models.point('iris', FIRST);
  const { url, log } = await startService(models);
  await serves(url, 'iris', FIRST);
  const rows = Array.from({ length: 100 }, (_, row) => [row % 7, row % 5, row % 3, row % 2]);
  const seen = new Set<string>();
  const failures: unknown[] = [];
  let isOver = false;
  const askOn = async (): Promise<void> => {
    while (!isOver) {
      const { status, headers, body } = await postJson(`${url}/class`, { rows });
      const { model_version: version, predictions } = body as {
        model_version: string;
        predictions: string[];
      };
      const mark = `v${VERSIONS.indexOf(version)}-`;
      const isWhole =
        predictions.length === rows.length && predictions.every((label) => label.startsWith(mark));
      if (status !== 200 || headers.get('hippo-model-version') !== version || !isWhole)
        failures.push({ status, body });
      seen.add(version);
    }
  };
  const clients = Array.from({ length: 4 }, askOn);
  for (let swap = 1; swap <= 20; swap += 1) {
    const version = VERSIONS[swap % VERSIONS.length] ?? '';
    await models.point('iris', version);
    await serves(url, 'iris', version);
  }
  isOver = true;
  await Promise.all(clients);
  expect(failures).toEqual([]);
  expect(seen).toEqual(new Set(VERSIONS));
  const count = (text: string): number => log.filter(({ message }) => String(message).includes(text)).length;
  expect(count('serves, loaded in')).toBe(21);
  await expect.poll(() => count('its memory is free')).toBe(20);
}, 300_000);

it('a stop under load: no request that was taken fails', async () => {
  const models = await newModelFolder();
  await models.write({ kind: 'classifier' });
  await models.point('iris', FIRST);
  const { url, stop } = await startService(models, { serve: { drain: { notice: '300ms' } } });
  await serves(url, 'iris', FIRST);
  const statuses: number[] = [];
  const outcomes: string[] = [];
  const askOn = async (): Promise<void> => {
    for (;;) {
      try {
        statuses.push((await ask(`${url}/features/1,2,3,4/class`)).status);
      } catch (error) {
        outcomes.push(String((error as { cause?: { code?: string } }).cause?.code));
        return;
      }
    }
  };
  const clients = Array.from({ length: 4 }, askOn);
  await expect.poll(() => statuses.length).toBeGreaterThan(20);
  const ended = stop();
  expect(await ended).toEqual({ cut: 0 });
  await Promise.all(clients);
  expect(new Set(statuses)).toEqual(new Set([200]));
  // The kernel resets a connection that was waiting to be accepted when the socket was closed.
  for (const outcome of outcomes) expect(['ECONNREFUSED', 'ECONNRESET', 'UND_ERR_SOCKET']).toContain(outcome);
});

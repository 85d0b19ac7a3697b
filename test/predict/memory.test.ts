import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it, onTestFinished } from 'vitest';
import { loadModel } from '../../src/predict/index.ts';
import { ids, writeModel } from '../support/model.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes outside of V8's heap: of ArrayBuffers, and of WebAssembly. V8 lets go in the background what it has collected. */
async function outside(): Promise<number> {
  for (let times = 0; times < 3; times += 1) {
    collect();
    await setTimeout(20);
  }
  return process.memoryUsage().external;
}

it('twenty swaps leave the memory of one model', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hippo-memory-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const [users, items] = [ids('u', 4_000), ids('i', 4_000)];
  const { name, version, location } = await writeModel(folder, {
    ...{ kind: 'recommender', rank: 64, users, items },
    known: users.map((_, user) => [user]),
  });
  const load = () => loadModel({ location }, { name, version, signal: new AbortController().signal });

  const before = await outside();
  let model = await load();
  const { bytes } = model;
  expect(bytes).toBeGreaterThan((4_000 + 4_000) * 64 * 4);
  const withOne = await outside();
  expect(withOne - before).toBeGreaterThan(bytes * 0.9);

  for (let swap = 0; swap < 20; swap += 1) {
    const next = await load();
    model.dispose();
    model = next;
  }
  expect((await outside()) - withOne).toBeLessThan(bytes * 0.1);

  // All but the memory of WebAssembly is let go at once.
  const buffers = process.memoryUsage().arrayBuffers;
  model.dispose();
  expect(buffers - process.memoryUsage().arrayBuffers).toBeGreaterThan(4_000 * 64 * 4);
  expect((await outside()) - before).toBeLessThan(bytes * 0.1);
});

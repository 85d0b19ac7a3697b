import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { installOnce } from '../../src/stack/install.ts';
import { exclusively } from '../../src/stack/lock.ts';

let cache: string;
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'hippo-install-'));
});
afterEach(() => rm(cache, { recursive: true, force: true }));

describe('an install into the cache', () => {
  test('happens once, however many processes ask', async () => {
    let fills = 0;
    const fill = async (temporary: string): Promise<void> => {
      fills++;
      await sleep(50);
      await writeFile(join(temporary, 'jar'), 'x');
    };
    const target = join(cache, 'kafka');
    await Promise.all([installOnce(target, fill), installOnce(target, fill), installOnce(target, fill)]);
    expect(fills).toBe(1);
    await expect(readFile(join(target, 'jar'), 'utf8')).resolves.toBe('x');
  });

  test('that fails leaves nothing behind, and can be repeated', async () => {
    const target = join(cache, 'kafka');
    const fails = async (temporary: string): Promise<void> => {
      await writeFile(join(temporary, 'half'), '');
      throw new Error('network');
    };
    await expect(installOnce(target, fails)).rejects.toThrow('network');
    await expect(readdir(cache)).resolves.toEqual([]);
    await installOnce(target, (temporary) => writeFile(join(temporary, 'jar'), ''));
    await expect(readdir(target)).resolves.toEqual(['jar']);
  });

  test('removes only what a killed install of the same thing has left behind', async () => {
    await mkdir(join(cache, '.kafka.dead01', 'lib'), { recursive: true });
    await mkdir(join(cache, 'spark'));
    await installOnce(join(cache, 'kafka'), () => Promise.resolve());
    await expect(readdir(cache)).resolves.toEqual(['kafka', 'spark']);
  });
});

describe('a lock between processes', () => {
  test('makes a second process wait, which says so', async () => {
    const order: string[] = [];
    const path = join(cache, 'stack');
    const held = Promise.withResolvers<undefined>();
    const waits = Promise.withResolvers<undefined>();
    const first = exclusively(path, async () => {
      order.push('first in');
      held.resolve(undefined);
      await waits.promise;
      order.push('first out');
    });
    await held.promise;
    const second = exclusively(path, () => Promise.resolve(order.push('second in')), {
      onWait: () => {
        order.push('waits');
        waits.resolve(undefined);
      },
    });
    await Promise.all([first, second]);
    expect(order).toEqual(['first in', 'waits', 'first out', 'second in']);
  });

  test('can be given up while it is waited for', async () => {
    const path = join(cache, 'stack');
    await exclusively(path, async () => {
      const second = exclusively(path, () => Promise.resolve(), { signal: AbortSignal.timeout(50) });
      await expect(second).rejects.toMatchObject({ name: 'TimeoutError' });
    });
    expect(existsSync(`${path}.lock`)).toBe(false);
  });
});

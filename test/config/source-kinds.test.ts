import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';

async function sourceOf(above: string, inProfile: string): Promise<unknown> {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'hippo-test-kinds-'));
  const file = join(folder.path, 'hippo.yaml');
  await writeFile(file, `sources: { a: ${above} }\nprofiles: { prod: { sources: { a: ${inProfile} } } }\n`);
  const { config } = await loadConfig({ file, cwd: folder.path, env: {}, profile: 'prod' });
  return config.sources['a'];
}

const FOLDER = '{ table: a.b, folder: "${NOWHERE}", mounted: true, levels: dt=*, complete: _SUCCESS }';

it('a profile replaces the kind of a source, with the keys that only the former kind has', async () => {
  const s3 = await sourceOf(FOLDER, '{ s3: { url: s3://lake/t } }');
  expect(s3).toMatchObject({
    table: 'a.b',
    s3: { url: 's3://lake/t' },
    levels: 'dt=*',
    complete: '_SUCCESS',
  });
  expect(s3).not.toHaveProperty('folder');
  expect(s3).not.toHaveProperty('mounted');
  const sql = await sourceOf(FOLDER, '{ sql: { url: "postgres://h/d", query: SELECT 1 } }');
  expect(sql).toMatchObject({ table: 'a.b', sql: { query: 'SELECT 1' } });
});

it('a profile changes single settings of the same kind', async () => {
  expect(
    await sourceOf('{ table: a.b, s3: { url: s3://lake/t, region: r } }', '{ s3: { region: q } }'),
  ).toMatchObject({
    s3: { url: 's3://lake/t', region: 'q' },
  });
});

it('two kinds in a profile, and a key that no kind has, are refused', async () => {
  await expect(sourceOf(FOLDER, '{ folder: x, s3: { url: s3://lake/t } }')).rejects.toThrow(/s3/);
  await expect(
    sourceOf('{ table: a.b, folder: x, foldr: y }', '{ s3: { url: s3://lake/t } }'),
  ).rejects.toThrow(/foldr/);
});

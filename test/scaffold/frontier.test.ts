import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { SOURCE_KINDS } from '../../src/config/schema.ts';
import { compileProject } from '../../src/client/host/project.ts';
import { listTemplates } from '../../src/scaffold/template.ts';
import { findingsOfShellcheck } from './critics.ts';
import { filesOf, makeProject } from './project.ts';

const ENV = {
  S3_URL: 's3://lake/landing/',
  HDFS_NAMENODES: 'http://nn1:9870,http://nn2:9870',
  DATABASE_URL: 'postgres://localhost/shop',
};
const SHOP = { table: 'shop.orders' };

/** What else a person may answer. */
const VARIANTS = {
  all: { ...SHOP, source: SOURCE_KINDS.join(','), partition: 'dt,region', dialect: 'arrays' },
  unpartitioned: { ...SHOP, source: 'folder,sql,http', partition: 'none', dialect: 'scalars' },
  addresses: {
    table: 'crm.call$s',
    source: 's3,hdfs',
    s3_url: 's3://lake/calls',
    s3_endpoint: 'http://minio:9000',
    hdfs_path: '/landing/calls',
    hdfs_namenodes: 'http://nn1:9870,http://nn2:9870',
  },
  database: { ...SHOP, source: 'sql', sql_from: 'sales.order_lines', watermark: 'id' },
};

const frontier = (given: Record<string, string>) => makeProject(given, { type: 'frontier', name: 'landing' });

describe('a frontier project', () => {
  it('can watch every kind of source', () => {
    const { questions } = listTemplates().find(({ type }) => type === 'frontier')!;
    const source = questions.find(({ name }) => name === 'source');
    expect(source?.type === 'choices' && source.choices.map(({ value }) => value)).toEqual(SOURCE_KINDS);
  });

  it.each(Object.entries(VARIANTS))('says in its own files what was answered: %s', async (name, answers) => {
    const directory = await frontier(answers);
    const files = (await filesOf(directory)).filter((file) => !/^(\.hippo|hippo\.schema)/.test(file));
    for (const file of files) {
      const text = await readFile(join(directory, file), 'utf8');
      await expect(text).toMatchFileSnapshot(`snapshots/frontier/${name}/${file}.snap`);
      expect(text).not.toMatch(/\[%|\[=/);
    }
    const loaded = await loadConfig({ cwd: directory, env: ENV });
    expect((await compileProject(loaded)).warnings).toEqual([]);
    expect(Object.values(loaded.config.sources)).toHaveLength(answers.source.split(',').length);
    expect(await findingsOfShellcheck(directory)).toBe('');
  });
});

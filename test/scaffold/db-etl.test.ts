import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import type { RawAnswers } from '../../src/scaffold/answer.ts';
import { findingsOfRuff, findingsOfShellcheck } from './critics.ts';
import { filesOf, makeProject } from './project.ts';

const IN = { direction: 'in', database_table: 'sales.orders', table: 'shop.orders' };
const OUT = { direction: 'out', database_table: 'dm.daily_sales', table: 'shop.sales' };
const VARIANTS: Readonly<Record<string, RawAnswers>> = {
  full: IN,
  hour: { ...IN, window: 'hour', load: 'incremental', watermark: 'id' },
  week: { ...IN, window: 'week' },
  month: { ...IN, window: 'month', load: 'incremental', watermark: 'changed at' },
  out: OUT,
  out_event: { ...OUT, every: 'event', partition: 'yyyymmdd,region' },
  out_unpartitioned: { ...OUT, partition: 'none' },
};
const SHOWN = /^(hippo\.yaml|README\.md|make-sample\.sh|sample\/.*\.sql)$/;

const make = (answers: RawAnswers): Promise<string> => makeProject(answers, { name: 'copy', type: 'db-etl' });

describe('a db-etl project', () => {
  it.each(Object.entries(VARIANTS))(
    'says in its own files what was answered: %s',
    async (variant, answers) => {
      const directory = await make(answers);
      for (const file of (await filesOf(directory)).filter((path) => SHOWN.test(path))) {
        await expect(await readFile(join(directory, file), 'utf8')).toMatchFileSnapshot(
          `snapshots/db-etl/${variant}/${file}.snap`,
        );
      }
    },
  );

  it.each([
    ['full', { every: 'day', at: '02:00', keep_result: false }],
    ['hour', { every: 'hour', at: '5m', keep_result: true }],
    ['week', { every: 'week', at: '02:00', keep_result: false }],
    ['month', { every: 'month', at: '02:00', keep_result: true }],
  ])('direction in, %s: is a timed job that announces its partition', async (variant, expected) => {
    const directory = await make(VARIANTS[variant] ?? {});
    const { config } = await loadConfig({ cwd: directory, env: {} });
    expect(config.jobs['extract']).toMatchObject({
      ...expected,
      needs: [],
      result: 'required',
      concurrency: 1,
    });
    expect(config.jobs['extract']?.produces).toMatchObject([{ table: 'shop.orders' }]);
    expect(config.stack).toEqual({
      with: ['postgres'],
      jars: ['org.postgresql:postgresql:42.7.8'],
      topics: {},
    });
  });

  it.each(['out', 'out_event', 'out_unpartitioned'])('direction %s: waits for the table', async (variant) => {
    const { config } = await loadConfig({ cwd: await make(VARIANTS[variant] ?? {}), env: {} });
    expect(config.jobs['load']).toMatchObject({ needs: [{ table: 'shop.sales' }], result: 'required' });
    expect(config.trigger.table).toBe('shop.sales');
  });

  it.each([
    ['tag', ['id', 'customer', 'amount', 'tags', 'details', 'tag']],
    ['Tags', ['id', 'order_customer', 'order_amount', 'order_tags', 'order_details', 'Tags']],
    ['ID', ['ID', 'customer', 'amount', 'tags', 'details', 'updated_at']],
  ])(
    'the sample of the watermark %s has no two columns that differ by case alone',
    async (watermark, columns) => {
      const directory = await make({ ...IN, load: 'incremental', watermark });
      const sql = await readFile(join(directory, 'sample/orders.sql'), 'utf8');
      const [, table = ''] = /CREATE TABLE [^(]*\((.*?)\n\);/s.exec(sql) ?? [];
      expect([...table.matchAll(/^ {2}"?(\w+)/gm)].map(([, name]) => name)).toEqual(columns);
    },
  );

  it('names a table as SQL and as a shell reads it, and a folder as Spark does', async () => {
    const at = 'at=%Y-%m-%dT%H:00';
    const directory = await make({ ...OUT, database_table: 'Dm.Daily-$ales', every: 'hour', partition: at });
    const [readme, sample, yaml] = await Promise.all(
      ['README.md', 'make-sample.sh', 'hippo.yaml'].map((file) => readFile(join(directory, file), 'utf8')),
    );
    expect(readme).toContain(`./sql.sh 'SELECT count(*) FROM "Dm"."Daily-$ales"'`);
    expect(sample).toContain(" --database-table 'Dm.Daily-$ales' --partition at=2024-01-01T00:00\n");
    // A message has the value; only folders have it escaped.
    expect(yaml).toContain('at: 2024-01-01T00:00\n');
    expect(await readFile(join(directory, 'spark-app/partition.py'), 'utf8')).toContain('%3A');
  });

  it('has the files of its direction only, without a finding of ruff and shellcheck', async () => {
    const directory = await make(OUT);
    expect((await filesOf(directory)).filter((path) => /^(spark-app|sample)\//.test(path))).toEqual([
      'sample/rows.csv',
      ...[
        'attempt',
        'database',
        'load',
        'make_sample',
        'partition',
        'run_sql',
        'run_tests',
        'test_database',
        'test_load',
        'testing',
      ].map((name) => `spark-app/${name}.py`),
    ]);
    expect(await findingsOfRuff(directory)).toBe('All checks passed!');
    expect(await findingsOfShellcheck(directory)).toBe('');
  });

  it.each([
    [{ ...IN, watermark: 'id' }, '--watermark does not go with --load full'],
    [{ ...OUT, load: 'full' }, '--load does not go with --direction out'],
    [{ ...OUT, watermark: 'id' }, '--watermark does not go with --direction out'],
    [{ ...IN, load: 'incremental' }, 'a db-etl needs --watermark'],
  ])('refuses what does not go together: %o', async (answers, message) => {
    await expect(make(answers)).rejects.toThrow(message);
  });
});

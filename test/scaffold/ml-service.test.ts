import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compileProject } from '../../src/client/host/project.ts';
import { loadConfig } from '../../src/config/load.ts';
import { execa } from '../../src/core/exec.ts';
import type { RawAnswers } from '../../src/scaffold/answer.ts';
import { findingsOfRuff, findingsOfShellcheck, findingsOfTsc } from './critics.ts';
import { filesOf, makeProject } from './project.ts';

const EXAMPLES = ['iris', 'recommender', 'blank'];

const make = (answers: RawAnswers): Promise<string> =>
  makeProject(answers, { name: 'shop', type: 'ml-service' });

describe.each(EXAMPLES)('an ml-service project, example %s', (example) => {
  it('says in its own files what was answered', async () => {
    const directory = await make({ example });
    const shown =
      /^(hippo\.yaml|README\.md|ask\.mjs|client-app\/.*|spark-app\/(dataset|algorithm|test_algorithm)\.py)$/;
    for (const file of (await filesOf(directory)).filter((path) => shown.test(path))) {
      await expect(await readFile(join(directory, file), 'utf8')).toMatchFileSnapshot(
        `snapshots/ml-service/${example}/${file}.snap`,
      );
    }
  });

  it('has the same files as the others, and a sample of its table', async () => {
    const directory = await make({ example });
    const files = await filesOf(directory);
    const { config } = await loadConfig({ cwd: directory, env: {} });
    expect(files).toContain(`data/input/${config.trigger.table ?? ''}/part-0.csv`);
    expect(files.filter((path) => /^(client|spark)-app/.test(path))).toEqual([
      ...['package.json', 'routes.test.ts', 'routes.ts'].map((name) => `client-app/${name}`),
      ...[
        ...['algorithm', 'builder', 'dataset', 'run_tests', 'table'],
        ...['test_algorithm', 'test_builder', 'test_table', 'test_version', 'testing', 'version'],
      ].map((name) => `spark-app/${name}.py`),
    ]);
  });

  it('has a model whose parameters are those of its algorithm', async () => {
    const directory = await make({ example });
    const loaded = await loadConfig({ cwd: directory, env: {} });
    expect((await compileProject(loaded)).warnings).toEqual([]);
    const [model] = Object.values(loaded.config.models);
    expect(model).toMatchObject({ builder: 'build', service: 'api' });
    const algorithm = await readFile(join(directory, 'spark-app/algorithm.py'), 'utf8');
    const fields = [...algorithm.matchAll(/^ {4}(\w+): (?:float|int) = ([\d.]+)$/gm)];
    expect(fields.map(([, name, value]) => [name, Number(value)])).toEqual(
      Object.entries(model?.params ?? {}).map(([name, param]) => [name, param.default]),
    );
  });

  it('has programs without a finding of ruff, shellcheck and tsc', async () => {
    const directory = await make({ example });
    expect(await findingsOfRuff(directory)).toBe('All checks passed!');
    expect(await findingsOfShellcheck(directory)).toBe('');
    // The sample is iris, which templates.test.ts has checked; blank has the same TypeScript.
    if (example === 'recommender') expect(await findingsOfTsc(directory)).toBe('');
  }, 300_000);
});

describe('an ml-service project', () => {
  it("has Fisher's irises: 150 rows, 50 of each species", async () => {
    const directory = await make({ example: 'iris' });
    const [, ...rows] = (await readFile(join(directory, 'data/input/flowers.iris/part-0.csv'), 'utf8'))
      .trim()
      .split('\n');
    const species = rows.map((row) => row.split(',')[4] ?? '');
    const counts = ['setosa', 'versicolor', 'virginica'].map(
      (name) => species.filter((each) => each === name).length,
    );
    expect([rows.length, ...counts]).toEqual([150, 50, 50, 50]);
  });

  it("has the sample ratings of Spark's examples", async () => {
    const directory = await make({ example: 'recommender' });
    const [, ...rows] = (await readFile(join(directory, 'data/input/movies.ratings/part-0.csv'), 'utf8'))
      .trim()
      .split('\n');
    const original = `${rows.map((row) => row.replaceAll(',', '::')).join('\n')}\n`;
    // sample_movielens_ratings.txt of pyspark 4.1.1.
    expect(createHash('sha256').update(original).digest('hex')).toBe(
      'f56ac8372e06370a0fab7ae86d02b505f7a9197cda7168128dfb1cfea9730e36',
    );
  });

  it('takes other names, and a free port', async () => {
    const directory = await make({
      example: 'blank',
      model: 'churn_2',
      table: 'crm.customers',
      port: 'auto',
    });
    const { config } = await loadConfig({ cwd: directory, env: {} });
    expect(Object.keys(config.models)).toEqual(['churn_2']);
    expect(config.jobs['build']).toMatchObject({
      needs: [{ table: 'crm.customers' }],
      args: ['--table', 'crm.customers'],
    });
    expect(config.services['api']).toMatchObject({
      port: 'auto',
      scope: 'each',
      ready: { http: '/readyz' },
    });
    expect(await filesOf(directory)).toContain('data/input/crm.customers/part-0.csv');
    // Then ask.mjs finds the port in the log of the service.
    const { stdout } = await execa(process.execPath, ['--check', join(directory, 'ask.mjs')]);
    expect(stdout).toBe('');
    expect(await readFile(join(directory, 'ask.mjs'), 'utf8')).toContain('.hippo/logs/api/');
  });

  it.each([
    [{ model: 'Iris' }, /at most 64 of a-z/],
    [{ port: '0' }, /a port, or auto/],
    [{ port: '70000' }, /a port is at most 65535/],
    [{ example: 'mnist' }, /iris/],
  ])('refuses %j', async (answers, said) => {
    await expect(make({ example: 'iris', ...answers })).rejects.toThrow(said);
  });
});

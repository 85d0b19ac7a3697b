import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { compileProject } from '../../src/client/host/project.ts';
import { loadConfig } from '../../src/config/load.ts';
import { jsonSchema } from '../../src/config/json-schema.ts';
import { execa } from '../../src/core/exec.ts';
import { ANSWERS_FILE, type RecordedProject } from '../../src/scaffold/answers-file.ts';
import { findingsOfRuff, findingsOfShellcheck } from './critics.ts';
import { MONTHLY, VARIANTS, filesOf, makeProject } from './project.ts';

/** Their content depends on hippo's version or schema. */
const VERSIONED = [ANSWERS_FILE, 'hippo.schema.json'];

async function record(directory: string): Promise<RecordedProject> {
  return parse(await readFile(join(directory, ANSWERS_FILE), 'utf8')) as RecordedProject;
}

describe('a batch-etl project', () => {
  it('is these files', async () => {
    const directory = await makeProject(MONTHLY);
    const files = await filesOf(directory);
    expect(files).toMatchInlineSnapshot(`
      [
        ".gitignore",
        ".hippo-answers.yaml",
        "README.md",
        "client-app/client.test.ts",
        "client-app/client.ts",
        "client-app/package.json",
        "data/input/nyc.flights/yyyymm=202401/part-0.csv",
        "hippo.schema.json",
        "hippo.yaml",
        "spark-app/run_tests.py",
        "spark-app/summarize.py",
        "spark-app/test_summarize.py",
        "start-client.sh",
        "start-spark.sh",
        "test.sh",
      ]
    `);
    for (const file of files.filter((path) => !VERSIONED.includes(path))) {
      await expect(await readFile(join(directory, file), 'utf8')).toMatchFileSnapshot(
        `snapshots/batch-etl/month/${file}.snap`,
      );
    }
  });

  it.each(Object.entries(VARIANTS))(
    'says in its own files what was answered: %s',
    async (variant, answers) => {
      const directory = await makeProject(answers);
      const files = await filesOf(directory);
      // The other answers leave the programs as they are.
      const changed =
        'input' in answers || 'language' in answers
          ? /^(hippo.yaml|README.md|data|build|test|spark-app)/
          : /^(hippo.yaml|README.md|data)/;
      for (const file of files.filter((path) => changed.test(path))) {
        await expect(await readFile(join(directory, file), 'utf8')).toMatchFileSnapshot(
          `snapshots/batch-etl/${variant}/${file}.snap`,
        );
      }
    },
  );

  it.each(Object.entries({ month: MONTHLY, ...VARIANTS }))(
    'has a hippo.yaml that loads: %s',
    async (_, answers) => {
      const directory = await makeProject(answers);
      const loaded = await loadConfig({ cwd: directory, env: {} });
      // A client can run with it: the templates of arguments and outputs are right, too.
      expect((await compileProject(loaded)).warnings).toEqual([]);
      const { config, file } = loaded;
      expect(file).toBe(join(directory, 'hippo.yaml'));
      expect(config.name).toBe('flights');
      expect(config.jobs['summarize']?.every).toBe(answers['every'] ?? 'day');
      // What `hippo trigger` publishes by default is the sample.
      const levels = Object.entries(config.trigger.partition ?? {}).map(
        ([level, value]) => `${level}=${value}`,
      );
      const sample = join('data/input', config.trigger.table ?? '', ...levels, 'part-0.csv');
      expect(await filesOf(directory)).toContain(sample);
    },
  );

  it.each([
    ['table', 'python'],
    ['table', 'scala'],
    ['files', 'scala'],
  ])('has programs without a finding of ruff and shellcheck: %s, %s', async (input, language) => {
    const directory = await makeProject({ ...MONTHLY, input, language });
    expect(await findingsOfRuff(directory)).toBe(language === 'scala' ? null : 'All checks passed!');
    expect(await findingsOfShellcheck(directory)).toBe('');
  });

  it('keeps a name that YAML would read as something else', async () => {
    const directory = await makeProject({ table: 'a.b' }, { name: '42' });
    expect((await loadConfig({ cwd: directory, env: {} })).config.name).toBe('42');
  });

  it('brings the schema that editors check hippo.yaml against', async () => {
    const directory = await makeProject(MONTHLY);
    const modeline = /^# yaml-language-server: \$schema=(.*)$/m.exec(
      await readFile(join(directory, 'hippo.yaml'), 'utf8'),
    );
    const schema: unknown = JSON.parse(await readFile(join(directory, modeline![1]!), 'utf8'));
    expect(schema).toEqual(JSON.parse(JSON.stringify(jsonSchema())));
  });

  it('records its answers, its template, and each file as git would name it', async () => {
    const directory = await makeProject(MONTHLY);
    const { files, ...rest } = await record(directory);
    expect(rest).toEqual({
      template: 'batch-etl',
      template_version: 1,
      hippo: expect.stringMatching(/^\d+\.\d+\.\d+/) as string,
      name: 'flights',
      answers: {
        ...MONTHLY,
        partition: 'yyyymm',
        schema: 'carrier STRING, dep_delay DOUBLE',
        input: 'files',
        language: 'python',
      },
    });
    const written = (await filesOf(directory)).filter((path) => path !== ANSWERS_FILE);
    const { stdout } = await execa('git', ['hash-object', '--no-filters', ...written], { cwd: directory });
    expect(files).toEqual(Object.fromEntries(stdout.split('\n').map((id, index) => [written[index], id])));
  });

  it.each(Object.entries({ month: MONTHLY, ...VARIANTS }))(
    'made again from its own record is the same: %s',
    async (_, answers) => {
      const first = await makeProject(answers);
      const second = await makeProject((await record(first)).answers);
      const { stdout } = await execa('diff', ['-r', first, second], { reject: false });
      expect(stdout).toBe('');
    },
  );
});

import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findKafka } from '../../src/stack/distribution.ts';
import { requireJava } from '../../src/stack/java.ts';
import { isRecentEnough, requirePython } from '../../src/stack/python.ts';
import { findSpark } from '../../src/stack/spark.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hippo-tools-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A program that prints a text. */
async function program(path: string, says: string): Promise<string> {
  const file = join(folder, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `#!/bin/sh\necho '${says}'\n`);
  await chmod(file, 0o755);
  return file;
}

describe('Java', () => {
  test('that is too old is refused, with the package to install', async () => {
    await program('old-java/bin/java', 'openjdk version "11.0.2"');
    await expect(requireJava({ JAVA_HOME: join(folder, 'old-java') })).rejects.toMatchObject({
      message: 'Java 11 is too old',
      exitCode: 2,
      next: [expect.stringContaining('openjdk-17'), expect.stringContaining('JAVA_HOME')],
    });
  });

  test('that is missing is refused', async () => {
    await expect(requireJava({ JAVA_HOME: join(folder, 'no-java') })).rejects.toMatchObject({
      message: 'Java was not found',
    });
  });
});

describe('Python', () => {
  test.each([
    ['3.11.7', true],
    ['3.10.0', true],
    ['3.14.0rc1', true],
    ['4.0.0', true],
    ['3.9.18', false],
    ['2.7.18', false],
  ])('%s is recent enough: %s', (version, verdict) => {
    expect(isRecentEnough(version)).toBe(verdict);
  });

  test('that is too old is refused, with the alternatives', async () => {
    await program('old-python/python3', 'Python 3.8.1');
    await expect(requirePython({ PATH: join(folder, 'old-python') })).rejects.toMatchObject({
      message: 'Python 3.8.1 is too old',
      next: expect.arrayContaining(['or hippo up --no-spark']) as string[],
    });
  });
});

describe('Spark', () => {
  test('is taken from SPARK_SUBMIT, else from SPARK_HOME, else from PATH', async () => {
    const submit = await program('a/spark-submit', 'version 1.0.0');
    await program('home/bin/spark-submit', 'version 2.0.0');
    await program('path/spark-submit', 'version 3.0.0');
    const env = { SPARK_SUBMIT: submit, SPARK_HOME: join(folder, 'home'), PATH: join(folder, 'path') };
    await expect(findSpark(env)).resolves.toEqual({
      sparkSubmit: submit,
      version: '1.0.0',
      source: 'SPARK_SUBMIT',
    });
    await expect(findSpark({ ...env, SPARK_SUBMIT: '' })).resolves.toMatchObject({
      version: '2.0.0',
      source: 'SPARK_HOME',
    });
    await expect(findSpark({ PATH: env.PATH })).resolves.toMatchObject({ version: '3.0.0', source: 'PATH' });
  });

  test('has its version from the name of a jar, without starting a JVM', async () => {
    await program('dist/bin/spark-submit', 'never asked');
    await mkdir(join(folder, 'dist/jars'));
    await writeFile(join(folder, 'dist/jars/spark-core_2.13-4.1.1.jar'), '');
    await expect(findSpark({ SPARK_HOME: join(folder, 'dist') })).resolves.toMatchObject({
      version: '4.1.1',
    });
  });

  test('is not looked for elsewhere if a variable names a missing one: that is an error', async () => {
    await expect(findSpark({ SPARK_HOME: join(folder, 'nowhere') })).rejects.toMatchObject({
      message: 'SPARK_HOME names no Spark',
      why: `There is no ${join(folder, 'nowhere/bin/spark-submit')}.`,
      exitCode: 2,
    });
    await expect(findSpark({ SPARK_SUBMIT: folder })).rejects.toMatchObject({
      message: 'SPARK_SUBMIT names no Spark',
      why: `${folder} cannot be executed.`,
    });
  });
});

describe('Kafka', () => {
  test('in KAFKA_HOME has its version from the name of a jar', async () => {
    await mkdir(join(folder, 'kafka/libs'), { recursive: true });
    await writeFile(join(folder, 'kafka/libs/kafka_2.13-3.9.2.jar'), '');
    await expect(findKafka({ KAFKA_HOME: join(folder, 'kafka') })).resolves.toEqual({
      classpath: join(folder, 'kafka/libs/*'),
      version: '3.9.2',
      source: 'KAFKA_HOME',
    });
  });

  test('that KAFKA_HOME does not contain is an error', async () => {
    await expect(findKafka({ KAFKA_HOME: folder })).rejects.toMatchObject({
      message: 'KAFKA_HOME holds no Kafka',
      exitCode: 2,
    });
  });
});

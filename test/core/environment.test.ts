import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sparkSubmit } from '../../src/client/host/spark-submit.ts';
import {
  askProgram,
  clientCommandFor,
  atLeast,
  findProgram,
  isAlive,
  javaCommand,
  javaVersionIn,
  parseProcesses,
  parseStat,
  pythonVersionIn,
  sparkPlace,
} from '../../src/core/environment/index.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hippo-environment-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(path: string, { text = '', mode = 0o755 } = {}): Promise<string> {
  const whole = join(folder, path);
  await mkdir(dirname(whole), { recursive: true });
  await writeFile(whole, text);
  await chmod(whole, mode);
  return whole;
}

/** PATH, of folders below the test's own. */
function path(...folders: string[]): { PATH: string } {
  return { PATH: folders.map((name) => (name === '' ? '' : join(folder, name))).join(delimiter) };
}

describe('a program', () => {
  test('is the first executable file of its name on PATH: no folder, and nothing that cannot be executed', async () => {
    await mkdir(join(folder, 'folders/tool'), { recursive: true });
    await file('data/tool', { mode: 0o644 });
    const first = await file('first/tool');
    await file('second/tool');
    expect(findProgram('tool', path('', 'nowhere', 'folders', 'data', 'first', 'second'))).toBe(first);
    expect(findProgram('tool', path('folders', 'data'))).toBeUndefined();
    expect(findProgram('tool', {})).toBeUndefined();
  });

  test('that is named by a path is not looked for on PATH', async () => {
    const tool = await file('named/tool');
    expect(findProgram(tool, {})).toBe(tool);
    expect(findProgram(join(folder, 'named/other'), path('named'))).toBeUndefined();
  });

  test('is asked with the given variables only', async () => {
    const tool = await file('ask/tool', {
      text: '#!/bin/sh\necho "$GREETING $HOME"; echo to stderr >&2; exit 3\n',
    });
    await expect(askProgram(tool, [], { env: { GREETING: 'hello' } })).resolves.toEqual({
      exitCode: 3,
      output: 'hello \nto stderr',
      timedOut: false,
    });
  });

  test('that does not exist, or does not end in time, has no exit code', async () => {
    await expect(askProgram(join(folder, 'none'), [], { env: {} })).resolves.toMatchObject({
      exitCode: null,
    });
    const slow = await file('ask/slow', { text: '#!/bin/sh\nexec sleep 100\n' });
    await expect(
      askProgram(slow, [], { env: { PATH: process.env['PATH'] }, timeout: 100 }),
    ).resolves.toMatchObject({ exitCode: null });
  });
});

describe('versions', () => {
  test.each([
    ['openjdk version "17.0.15" 2025-04-15', [17, 0, 15]],
    ['java version "1.8.0_392"', [8, 0]],
    ['openjdk version "21" 2023-09-19', [21]],
    ['java: command not found', undefined],
  ])('Java: %s', (output, version) => {
    expect(javaVersionIn(output)).toEqual(version);
  });

  test.each([
    ['Python 3.11.7', '3.11.7'],
    ['Python 3.14.0rc1', '3.14.0rc1'],
    ['/bin/sh: python3: not found', undefined],
  ])('Python: %s', (output, version) => {
    expect(pythonVersionIn(output)).toBe(version);
  });

  test.each([
    [[3, 10], [3, 10], true],
    [[3, 9, 18], [3, 10], false],
    [[4], [3, 10], true],
    [[3], [3, 0], true],
    [[], [3], false],
  ])('%j is at least %j: %s', (version, required, verdict) => {
    expect(atLeast(version, required)).toBe(verdict);
  });

  test('the Java of JAVA_HOME, else that on PATH', () => {
    expect(javaCommand({ JAVA_HOME: '/opt/java' })).toBe('/opt/java/bin/java');
    expect(javaCommand({ JAVA_HOME: '' })).toBe('java');
  });
});

describe('Spark', () => {
  test('is where SPARK_SUBMIT says, else SPARK_HOME, else PATH', async () => {
    const onPath = await file('spark/spark-submit');
    const env = { ...path('spark'), SPARK_HOME: '/opt/spark', SPARK_SUBMIT: '/opt/submit' };
    expect(sparkPlace(env)).toEqual({ file: '/opt/submit', source: 'SPARK_SUBMIT' });
    expect(sparkPlace({ ...env, SPARK_SUBMIT: '' })).toEqual({
      file: '/opt/spark/bin/spark-submit',
      source: 'SPARK_HOME',
    });
    expect(sparkPlace(path('spark'))).toEqual({ file: onPath, source: 'PATH' });
    expect(sparkPlace(path('nowhere'))).toBeUndefined();
  });

  test('for jobs is the first of these that can be executed, else that of the local stack', async () => {
    const home = await file('home/bin/spark-submit');
    const onPath = await file('spark/spark-submit');
    const stack = await file('stack/spark-submit');
    const none = join(folder, 'none');
    const SPARK_HOME = join(folder, 'home');
    expect(sparkSubmit({ ...path('spark'), SPARK_SUBMIT: none, SPARK_HOME }, stack)).toBe(home);
    expect(sparkSubmit({ ...path('spark'), SPARK_SUBMIT: none, SPARK_HOME: none }, stack)).toBe(onPath);
    expect(sparkSubmit({ SPARK_SUBMIT: none, SPARK_HOME: none }, stack)).toBe(stack);
    expect(sparkSubmit({}, none)).toBeNull();
    expect(sparkSubmit({}, null)).toBeNull();
  });
});

describe('processes', () => {
  test('the lines of ps', () => {
    expect(parseProcesses('    1 /sbin/init splash\n  420 java -cp /a b/* kafka.Kafka /x \n\n')).toEqual([
      { pid: 1, command: '/sbin/init splash' },
      { pid: 420, command: 'java -cp /a b/* kafka.Kafka /x' },
    ]);
  });

  const rest = `S 1 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 123456 2 3 ${'0 '.repeat(20)}`;
  test.each(['(sh)', '(a b)', '(evil) R 1 7 (x)', '(()'])('/proc/<pid>/stat of a program %s', (name) => {
    expect(parseStat(`4711 ${name} ${rest}`)).toEqual({ state: 'S', group: 42, startedAt: '123456' });
  });

  test.each(['', '4711 (sh) S'])('%j is no line of /proc/<pid>/stat', (text) => {
    expect(parseStat(text)).toBeNull();
  });

  test('this one is alive; one that cannot exist is not', async () => {
    expect(await isAlive(process.pid)).toBe(true);
    expect(await isAlive(2 ** 30)).toBe(false);
  });
});

describe('what starts the client of a project', () => {
  test('its own script, where it has one; hippo run elsewhere', async () => {
    await file('with/start-client.sh');
    await file('without/hippo.yaml');
    const [itsOwn, none] = [join(folder, 'with'), join(folder, 'without')];
    expect(clientCommandFor(join(itsOwn, 'hippo.yaml'), itsOwn)).toBe('./start-client.sh');
    expect(clientCommandFor(join(itsOwn, 'hippo.yaml'), folder)).toBe('cd with && ./start-client.sh');
    expect(clientCommandFor(join(none, 'hippo.yaml'), none)).toBe('hippo run');
    expect(clientCommandFor(join(none, 'other.yaml'), none)).toBe('hippo run --config other.yaml');
  });
});

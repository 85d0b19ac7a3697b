import { expect, test } from 'vitest';
import { java } from '../../../src/doctor/checks/java.ts';
import { node } from '../../../src/doctor/checks/node.ts';
import { python } from '../../../src/doctor/checks/python.ts';
import { sparkSubmit } from '../../../src/doctor/checks/spark-submit.ts';
import { lines, never, newMachine } from '../machine.ts';

const JAVA = {
  17: 'echo \'openjdk version "17.0.13" 2024-10-15\' >&2',
  8: 'echo \'java version "1.8.0_392"\' >&2',
  21: 'echo \'openjdk version "21" 2023-09-19 LTS\' >&2',
  broken: 'echo "libjvm.so: cannot open shared object file" >&2; exit 127',
};

test.each([
  { says: JAVA[17], summary: '17.0.13', found: (bin: string) => `ok: ${bin}/java` },
  { says: JAVA[21], summary: '21', found: (bin: string) => `ok: ${bin}/java` },
  {
    says: JAVA[8],
    summary: '8.0',
    found: (bin: string) => `error: ${bin}/java is Java 8.0; Kafka 4 and Spark 4 need 17 or later`,
  },
  {
    says: JAVA.broken,
    summary: 'does not run',
    found: (bin: string) => `error: ${bin}/java -version failed: libjvm.so: cannot open shared object file`,
  },
])('java on PATH: $summary', async ({ says, summary, found }) => {
  await using machine = await newMachine();
  await machine.program('java', says);
  const diagnosis = await java.run(await machine.environment(), never);
  expect(diagnosis.summary).toBe(summary);
  expect(lines(diagnosis)).toEqual([found(machine.bin)]);
});

test('JAVA_HOME wins over PATH, and a wrong one is an error with the way out', async () => {
  await using machine = await newMachine();
  await machine.program('java', JAVA[17]);
  const home = await machine.file('jdk/bin/java', `#!/bin/sh\n${JAVA[21]}\n`, 0o755);
  const right = await java.run(await machine.environment({ JAVA_HOME: `${machine.directory}/jdk` }), never);
  expect(lines(right)).toEqual([`ok: ${home}`]);
  const wrong = await java.run(await machine.environment({ JAVA_HOME: '/nowhere' }), never);
  expect(wrong.findings).toEqual([
    {
      status: 'error',
      text: 'JAVA_HOME points to no Java: there is no /nowhere/bin/java',
      remedy: { commands: ['unset JAVA_HOME'], text: 'Or point it to a Java that is there.' },
    },
  ]);
});

test('without a java the remedy is the command of this machine’s package manager', async () => {
  await using machine = await newMachine();
  await machine.program('apt-get', ':');
  const { findings } = await java.run(await machine.environment(), never);
  expect(findings).toEqual([
    {
      status: 'warning',
      text: 'There is no `java` on PATH and no JAVA_HOME: the local stack and Spark cannot start',
      remedy: { commands: ['sudo apt-get install openjdk-17-jre-headless'] },
    },
  ]);
});

test.each([
  { says: 'echo v24.21.0', expected: `ok: ${process.execPath}` },
  { says: 'echo v20.19.2', expected: 'warning: `node` on PATH (BIN/node) is 20.19.2: too old for hippo' },
  { says: undefined, expected: 'warning: There is no `node` on PATH: start-client.sh will not find one' },
])('node on PATH: $says', async ({ says, expected }) => {
  await using machine = await newMachine();
  if (says !== undefined) await machine.program('node', says);
  const diagnosis = await node.run(await machine.environment(), never);
  expect(lines(diagnosis)).toEqual([expected.replace('BIN', machine.bin)]);
});

test.each([
  { says: 'echo Python 3.11.2', expected: 'ok: BIN/python3' },
  {
    says: 'echo Python 3.9.18',
    expected: 'warning: BIN/python3 is Python 3.9.18; PySpark 4.1 needs 3.10 or later',
  },
  { says: undefined, expected: 'warning: There is no `python3` on PATH: PySpark jobs cannot run' },
])('python on PATH: $says', async ({ says, expected }) => {
  await using machine = await newMachine();
  if (says !== undefined) await machine.program('python3', says);
  const diagnosis = await python.run(await machine.environment(), never);
  expect(lines(diagnosis)).toEqual([expected.replace('BIN', machine.bin)]);
});

test('PYSPARK_PYTHON names the Python', async () => {
  await using machine = await newMachine();
  const path = await machine.file('venv/python', '#!/bin/sh\necho Python 3.12.1\n', 0o755);
  const right = await python.run(await machine.environment({ PYSPARK_PYTHON: path }), never);
  expect(lines(right)).toEqual([`ok: ${path}`]);
  const wrong = await python.run(await machine.environment({ PYSPARK_PYTHON: 'python9' }), never);
  expect(lines(wrong)).toEqual([
    'error: PYSPARK_PYTHON is python9, which is not there or cannot be executed',
  ]);
});

test('a Spark of the user whose Python lacks numpy cannot train the models of this project', async () => {
  await using machine = await newMachine();
  await machine.file(
    'hippo.yaml',
    'name: a\nmodels: { iris: { builder: build, location: models } }\njobs: { build: { needs: [{ table: a.b }] } }\n',
  );
  const path = await machine.program('python3', 'case $* in *numpy*) exit 1 ;; esac\necho Python 3.11.2');
  const own = await python.run(await machine.environment(), never);
  expect(lines(own)).toEqual([`ok: ${path}`]);
  const SPARK_HOME = `${machine.directory}/spark`;
  const { findings } = await python.run(await machine.environment({ SPARK_HOME }), never);
  expect(lines({ findings })).toEqual([
    `ok: ${path}`,
    `warning: ${path} has no numpy: the training of models by Spark's MLlib fails`,
  ]);
  expect(findings[1]?.remedy).toEqual({ commands: [`${path} -m pip install numpy`] });
  // The Python of a virtual environment lies beside its spark-submit.
  await machine.file('spark/bin/python3', '#!/bin/sh\nexit 0\n', 0o755);
  const venv = await python.run(await machine.environment({ SPARK_HOME }), never);
  expect(lines(venv)).toEqual([`ok: ${path}`]);
});

test('Spark: its version is told without starting it, and where it comes from', async () => {
  await using machine = await newMachine();
  const home = `${machine.directory}/spark`;
  await machine.file('spark/jars/spark-core_2.13-4.1.1.jar', '');
  const path = await machine.file('spark/bin/spark-submit', '#!/bin/sh\nexit 1\n', 0o755);
  const found = await sparkSubmit.run(await machine.environment({ SPARK_HOME: home }), never);
  expect(found).toEqual({ summary: '4.1.1, from $SPARK_HOME', findings: [{ status: 'ok', text: path }] });
});

/** What sources watch in the tests, in the cache of this user: moto (an S3), and the jars of HDFS. */
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from '../../src/core/exec.ts';
import { cacheDirectory } from '../../src/core/paths.ts';
import { installOnce } from '../../src/stack/install.ts';
import { pipInstall } from '../../src/stack/pip.ts';
import { pomOf } from '../../src/stack/pom.ts';
import { requirePython } from '../../src/stack/python.ts';

export const MOTO_VERSION = '5.2.5';
const MOTO = [`moto[s3]==${MOTO_VERSION}`, 'flask==3.1.3', 'flask-cors==6.0.5'];
export const HADOOP_VERSION = '3.4.2';
const HDFS = ['hadoop-common', 'hadoop-hdfs', 'hadoop-hdfs-client'].map((artifact) => ({
  group: 'org.apache.hadoop',
  artifact,
  version: HADOOP_VERSION,
}));

const motoFolder = (): string => join(cacheDirectory(), `moto-${MOTO_VERSION}`);
const hdfsFolder = (): string => join(cacheDirectory(), `hdfs-${HADOOP_VERSION}`);

export const hasMoto = (): boolean => existsSync(motoFolder());
export const hasHdfs = (): boolean => existsSync(hdfsFolder());

/** The Python that has moto. Its script moto_server names a folder that was renamed when it was complete. */
export const motoPython = (): string => join(motoFolder(), 'venv', 'bin', 'python');

/** Java's own wildcard form: `<folder>/*`. */
export const hdfsJars = (): string => join(hdfsFolder(), 'lib', '*');

/** Safe to repeat and to interrupt. @param update called with progress */
export async function installMoto(update: (detail: string) => void): Promise<void> {
  await installOnce(motoFolder(), async (temporary) => {
    const { command } = await requirePython(process.env);
    const venv = join(temporary, 'venv');
    await execa(command, ['-m', 'venv', venv]);
    const scratch = join(temporary, 'tmp');
    await mkdir(scratch);
    for (const requirement of MOTO) await pipInstall(venv, [requirement], { scratch, update });
    await rm(scratch, { recursive: true, force: true });
  });
}

/** By Maven. Safe to repeat and to interrupt. */
export async function installHdfs(): Promise<void> {
  await installOnce(hdfsFolder(), async (temporary) => {
    const [pom, lib] = [join(temporary, 'pom.xml'), join(temporary, 'lib')];
    await mkdir(lib);
    await writeFile(pom, pomOf('local-hdfs', HDFS));
    const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${lib}`];
    await execa('mvn', ['--batch-mode', '--quiet', '--file', pom, ...goal], { stdin: 'ignore' });
  });
}

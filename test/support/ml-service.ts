import { appendFile, mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises';
import { existsSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { newProject } from '../../src/scaffold/new-project.ts';
import { installSpark } from '../../src/stack/spark.ts';

/** An ml-service project for tests. */
export interface MlProject {
  folder: string;
  model: string;
  /** http://127.0.0.1:PORT of its API. */
  api: string;
  /** Also for the client. */
  env: Record<string, string>;
}

/** Spark starts faster with the first compiler alone, which is enough for tests. */
const QUICK_JAVA = '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC';
/** Of small data, compiling takes longer than interpreting. */
const QUICK_SPARK = ['spark.sql.codegen.wholeStage=false', 'spark.sql.shuffle.partitions=1'];
const BIN = fileURLToPath(new URL('../../node_modules/.bin', import.meta.url));

/**
 * @param sections further ones of hippo.yaml
 * @param port that is free; of its API
 */
export async function scaffoldMl(
  folder: string,
  { example, port, sections }: { example: string; port: number; sections: string },
): Promise<MlProject> {
  await newProject({
    ...{ type: 'ml-service', name: 'flowers', directory: folder },
    given: { example, port: String(port) },
    ...{ from: 'sample', force: true, dryRun: false },
  });
  await appendFile(join(folder, 'hippo.yaml'), sections);
  const model = example === 'recommender' ? 'movies' : example === 'iris' ? 'iris' : 'machines';
  const quick = QUICK_SPARK.map((setting) => `  --conf ${setting}\n`).join('');
  const project = {
    ...{ folder, model, api: `http://127.0.0.1:${port}` },
    env: await quickEnvironment(folder),
  };
  await change(project, 'start-spark.sh', 'options=(\n', `options=(\n${quick}`);
  await change(project, 'hippo.yaml', 'attempts: 1', 'attempts: 0');
  return project;
}

/** `hippo serve` of hippo.yaml is that of this repository. */
async function quickEnvironment(folder: string): Promise<Record<string, string>> {
  const { sparkSubmit } = await installSpark(() => undefined);
  const hippo = join(folder, 'bin-of-test/hippo');
  await mkdir(join(folder, 'bin-of-test'), { recursive: true });
  await symlink(fileURLToPath(new URL('../../bin/run.js', import.meta.url)), hippo);
  return {
    SPARK_SUBMIT: sparkSubmit,
    SPARK_MASTER: 'local[1]',
    JDK_JAVA_OPTIONS: QUICK_JAVA,
    PATH: `${join(folder, 'bin-of-test')}:${BIN}:${process.env['PATH'] ?? ''}`,
  };
}

/** Changes a text of one of the project's files that must be there. */
export async function change(
  { folder }: Pick<MlProject, 'folder'>,
  name: string,
  from: string,
  to: string,
): Promise<void> {
  const file = join(folder, name);
  const text = await readFile(file, 'utf8');
  if (!text.includes(from)) throw new Error(`${name} has no ${from}`);
  await writeFile(file, text.replace(from, to));
}

/** The versions that could be served: folders with a manifest whose name is theirs. */
export async function versionsOf({ folder, model }: MlProject): Promise<string[]> {
  const names = await readdir(join(folder, 'data/models', model)).catch(() => []);
  return names
    .filter(
      (name) =>
        !name.startsWith('.') && existsSync(join(folder, 'data/models', model, name, 'manifest.json')),
    )
    .toSorted();
}

/** What builders have begun to write. */
export function draftsOf({ folder, model }: MlProject): string[] {
  const place = join(folder, 'data/models', model);
  return existsSync(place) ? readdirSync(place).filter((name) => name.startsWith('.staging-')) : [];
}

export interface HeldOut {
  rows: { features: number[]; class: string; probabilities: number[] }[];
  users: { user: string; top: Scored[]; top_with_known: Scored[] }[];
}
export interface Scored {
  item: string;
  score: number;
}

/** Spark's own predictions of a version. */
export async function heldOut(project: MlProject, version: string): Promise<HeldOut> {
  return JSON.parse(await fileOf(project, version, 'held_out.json')) as HeldOut;
}

export function fileOf({ folder, model }: MlProject, version: string, name: string): Promise<string> {
  return readFile(join(folder, 'data/models', model, version, name), 'utf8');
}

/** A process of the project: Spark's JVM or Python, a service. */
export interface ProjectProcess {
  pid: number;
  program: string;
}

/**
 * The processes that the client has started for a job or a service of this project.
 *
 * @param name of the job or the service
 */
export function processesOf({ folder }: MlProject, name: string): ProjectProcess[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, 'latin1');
      if (!new RegExp(`\\0HIPPO_(?:JOB|SERVICE)=${name}\\0`).test(`\0${environment}`)) return [];
      if (!readlinkSync(`/proc/${pid}/cwd`).startsWith(folder)) return [];
      const [program = ''] = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
      return program === '' ? [] : [{ pid: Number(pid), program }];
    } catch {
      return [];
    }
  });
}

/** A port of 127.0.0.1 that is free now. */
export function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

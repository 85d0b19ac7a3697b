import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from '../src/core/exec.ts';
import { readState } from '../src/state/reader.ts';
import type { SourceList } from '../src/landings/list.ts';
import type { Measure, Stage, Suite } from './harness.ts';
import { kafkaAt } from './kafka.ts';
import { type Costs, costOf } from './processes.ts';

/** How scans grow: each is ten times as many partitions as the one before. */
const SIZES = [10_000, 100_000, 1_000_000];
const IN_A_FOLDER = 1_000;
/** A cold disk would be all that is measured. */
const IN_MEMORY = '/dev/shm';

/** A folder source: the first scan, which announces all, and a scan that finds nothing new. */
export const sources: Suite = {
  name: 'sources',
  async measures(stage: Stage): Promise<Measure[]> {
    const measures: Measure[] = [];
    for (const size of SIZES) measures.push(...(await measure(stage, size)));
    return measures;
  },
};

async function measure(stage: Stage, size: number): Promise<Measure[]> {
  const name = `source-${size}`;
  const folder = join(stage.folder, name);
  const landing = await mkdtemp(join(existsSync(IN_MEMORY) ? IN_MEMORY : stage.folder, 'hippo-landing-'));
  try {
    return await measureIn({ stage, size, name, folder, landing });
  } finally {
    await rm(landing, { recursive: true });
  }
}

interface Place {
  stage: Stage;
  size: number;
  name: string;
  /** The project. */
  folder: string;
  /** What the source watches. */
  landing: string;
}

async function measureIn({ stage, size, name, folder, landing }: Place): Promise<Measure[]> {
  const many = size.toLocaleString('en');
  stage.say(`making ${many} partitions`);
  await mkdir(folder);
  makePartitions(landing, size);
  await writeFile(
    join(folder, 'hippo.yaml'),
    `name: ${name}
topics: { prefix: ${name}- }
sources:
  s: { table: a.b, folder: ${JSON.stringify(landing)}, levels: x=*/y=*, complete: _SUCCESS }
`,
  );
  const hippo = async (...args: string[]): Promise<string> => {
    const [program = '', ...words] = stage.hippo;
    const { stdout } = await execa(program, [...words, ...args], { cwd: folder, env: stage.env });
    return stdout;
  };
  await hippo('up', '--no-spark');
  stage.say(`${many} partitions: the first scan`);
  const first = await runOnce(stage, folder);
  stage.say(`${many} partitions: a scan that finds nothing new`);
  const quiet = await runOnce(stage, folder);
  const { sources: listed } = JSON.parse(await hippo('source', 'list', '--json').catch(output)) as SourceList;
  const [source] = listed;
  if (source?.known !== size || source.last_scan?.announced !== 0)
    throw new Error(`not all was announced, or too much: ${JSON.stringify(source)}`);
  const find = await seconds(() =>
    execa('find', [landing, '-name', '_SUCCESS', '-printf', '%T@ %s %p\\n'], {
      stdout: 'ignore',
    }),
  );
  const bytes = await stateBytes(stage, `${name}-hippo-state`, name);
  const beside = `find -printf: ${find.toFixed(2)} s`;
  return [
    {
      what: `${many} partitions: a client's first scan, which announces them, and its end`,
      ours: costs(first.seconds, first),
      peer: beside,
    },
    {
      what: `${many} partitions: a scan that finds nothing new`,
      ours: costs(source.last_scan.took_ms / 1000, quiet),
      peer: beside,
    },
    {
      what: `${many} partitions: what the state topic keeps of them`,
      ours: `${(bytes / 1e6).toFixed(2)} MB`,
      peer: `the paths alone: ${((size * 'x=000/y=000000'.length) / 1e6).toFixed(2)} MB`,
    },
  ];
}

function makePartitions(folder: string, count: number): void {
  for (let index = 0; index < count; index += 1) {
    const parent = `x=${String(Math.floor(index / IN_A_FOLDER)).padStart(3, '0')}`;
    const path = join(folder, parent, `y=${String(index).padStart(6, '0')}`);
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, '_SUCCESS'), '');
  }
}

/** `1.52 s (1.90 s), 150 MB`: by the clock, and of the processors; of the whole client. */
function costs(seconds: number, { cpu, memory }: Costs): string {
  return `${seconds.toFixed(1)} s (${cpu.toFixed(1)} s), ${Math.round(memory)} MB`;
}

function runOnce(stage: Stage, folder: string): Promise<Costs> {
  return costOf([...stage.hippo, 'run', '--once', '--json'], { cwd: folder, env: stage.env });
}

/** Of the live records of a hippo: keys and values. */
async function stateBytes(stage: Stage, topic: string, hippo: string): Promise<number> {
  const sizes = new Map<string, number>();
  const kafka = await kafkaAt(stage.brokers);
  try {
    await readState(kafka, topic, ({ key, id, value }) => {
      if (key.hippo === hippo) sizes.set(id, id.length + (value?.length ?? 0));
    });
  } finally {
    await kafka.close();
  }
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}

/** `hippo source list` exits with 1 where no client runs. */
function output(error: unknown): string {
  return String((error as { stdout?: unknown }).stdout);
}

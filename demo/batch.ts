import { copyFile, mkdir, readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { flightsByMonth } from './flights.ts';
import type { Stack, Stage } from './stage.ts';

const TABLE = 'nyc.flights';
const PARTITION = 'yyyymm=201301';

/** The main job: one month of a table lands, and one batch-etl hippo summarizes it. */
export async function tellBatch(stage: Stage): Promise<void> {
  const { home } = stage;
  const project = join(home, 'flights');
  stage.say('One month of a table lands; a hippo hears of it, runs Spark and says that it is done.\n');
  const stack = await stage.hippo<Stack>(home, ['up']);
  stage.say(`  Kafka ${stack.kafka.version} at ${stack.brokers.join(', ')}, Spark ${stack.spark.version}`);

  const answers = '--every month --partition yyyymm --group-by carrier --measure dep_delay'.split(' ');
  const made = await stage.hippo<{ files: unknown[] }>(
    home,
    ['new', 'batch-etl', 'flights', '--table', TABLE, ...answers],
    ['--yes'],
  );
  stage.say(
    `  flights/: ${made.files.length} files, among them hippo.yaml, start-client.sh and start-spark.sh`,
  );

  stage.say('$ ./start-client.sh &');
  await stage.startClient(project);
  stage.say(`  waits for ${TABLE}, once a month`);

  const rows = await land(join(project, 'data', 'input', TABLE, PARTITION));
  stage.say(`  ${rows.toLocaleString('en')} departures from New York land as ${TABLE} ${PARTITION}`);
  await stage.tell(project, ['trigger', '--partition', PARTITION, '--wait']);
  await showResult(stage, project);
  await stage.doctor(project);
}

export function moralOfBatch(took: string): string[] {
  return [
    `\nThat was the whole job, in ${took}. Try next:`,
    '  npm run demo -- --keep    # the same, and it goes on running',
    '  npm run demo -- etl       # a chain of three hippos, from a file to a row in a database',
    '  export PATH="$PWD/node_modules/.bin:$PATH"    # hippo, and the Node for it',
    '  hippo new batch-etl NAME  # a hippo of your own; its README says how to go on',
    '  hippo --help              # all commands',
  ];
}

/** Puts a month of flights where the job looks for its input, as the warehouse's own load would. */
async function land(target: string): Promise<number> {
  const source = join(await flightsByMonth(), `${PARTITION.slice(-6)}.csv`);
  await mkdir(target, { recursive: true });
  await copyFile(source, join(target, 'part-0.csv'));
  const text = await readFile(source, 'utf8');
  return text.trimEnd().split('\n').length - 1;
}

/** Reads back what Spark wrote. */
async function showResult(stage: Stage, project: string): Promise<void> {
  const folder = join('data', 'output', `${TABLE}_summary`, PARTITION);
  const part = (await readdir(join(project, folder))).find((name) => name.endsWith('.parquet'));
  if (part === undefined) throw new Error(`no Parquet file in ${folder}`);
  const bytes = await readFile(join(project, folder, part));
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const rows = (await parquetReadObjects({ file })) as {
    carrier: string;
    rows: bigint;
    mean_dep_delay: number;
  }[];
  rows.sort((a, b) => b.mean_dep_delay - a.mean_dep_delay);
  stage.say(`  ${folder}: ${rows.length} rows. The latest to leave:`);
  stage.say('    carrier  flights  mean delay, minutes');
  for (const { carrier, rows: flights, mean_dep_delay: delay } of rows.slice(0, 3)) {
    stage.say(`    ${carrier.padEnd(7)}  ${String(flights).padStart(7)}  ${delay.toFixed(1).padStart(6)}`);
  }
}

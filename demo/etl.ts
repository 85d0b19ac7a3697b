import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { readStackFile } from '../src/config/stack-file.ts';
import { flightsByMonth } from './flights.ts';
import type { Stack, Stage } from './stage.ts';

const TABLE = 'nyc.flights';
const PARTITION = 'yyyymm=201301';
const DATABASE_TABLE = 'public.delays';

/** A chain of three hippos: a file lands, is announced, is summarized, and the summary is loaded into a database. */
export async function tellEtl(stage: Stage): Promise<void> {
  const { home } = stage;
  const [landing, flights, warehouse] = ['landing', 'flights', 'warehouse'].map((name) =>
    join(home, name),
  ) as [string, string, string];
  stage.say(
    'A file lands. Three hippos, each of which knows only the table before it, bring it into a database.\n',
  );
  const stack = await stage.hippo<Stack>(home, ['up', '--with', 'postgres']);
  stage.say(`  Kafka ${stack.kafka.version}, Spark ${stack.spark.version}, and a PostgreSQL`);

  const partition = ['--partition', 'yyyymm'];
  const monthly = ['--every', 'month', ...partition];
  const make = (type: string, name: string, ...answers: string[]): Promise<unknown> =>
    stage.hippo(home, ['new', type, name, ...answers, '--yes']);
  await make('frontier', 'landing', '--table', TABLE, ...partition);
  const columns = ['--group-by', 'carrier', '--measure', 'dep_delay'];
  await make('batch-etl', 'flights', '--table', TABLE, ...monthly, ...columns);
  const tables = ['--table', `${TABLE}_summary`, '--database-table', DATABASE_TABLE];
  await make('db-etl', 'warehouse', '--direction', 'out', ...tables, ...monthly);
  await stage.hippo(warehouse, ['up']);
  stage.say('  the driver of PostgreSQL for Spark, which the hippo.yaml of warehouse asks for');

  stage.say('$ ./start-client.sh &      # in each of the three');
  await stage.startClient(landing);
  await stage.startClient(flights, { HIPPO_INPUT_DIR: join(landing, 'data', 'landing') });
  await stage.startClient(warehouse, { HIPPO_INPUT_DIR: join(flights, 'data', 'output') });

  await land(join(landing, 'data', 'landing', TABLE, PARTITION));
  stage.say(`  a file, then the marker _SUCCESS: ${TABLE} ${PARTITION} has landed`);
  await stage.tell(home, ['tail', 'finish', '--from', 'beginning', '--max', '2']);
  await showRows(stage);

  stage.say('  It lands again: one command publishes that, and follows the chain to its end.');
  await stage.tell(flights, ['trigger', '--partition', PARTITION, '--wait']);
}

export function moralOfEtl(took: string): string[] {
  return [
    `\nThat was the chain, in ${took}. Try next:`,
    '  npm run demo -- etl --keep    # the same, and it goes on running',
    '  hippo new --list              # all types of hippos, each at its place in the flow',
  ];
}

/** As the program does that writes the file: the marker comes last. */
async function land(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await copyFile(join(await flightsByMonth(), `${PARTITION.slice(-6)}.csv`), join(folder, 'part-0.csv'));
  await writeFile(join(folder, '_SUCCESS'), '');
}

/** Reads what Spark has loaded, by PostgreSQL's own client. */
async function showRows(stage: Stage): Promise<void> {
  const url = readStackFile(stage.home)?.environment?.['DATABASE_URL'];
  if (url === undefined) throw new Error('the local stack has no database');
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ carrier: string; rows: string; delay: number }>(
      `SELECT carrier, rows, mean_dep_delay AS delay FROM ${DATABASE_TABLE} ORDER BY delay DESC`,
    );
    stage.say(`  ${DATABASE_TABLE} has ${rows.length} rows. The latest to leave:`);
    for (const { carrier, rows: count, delay } of rows.slice(0, 3))
      stage.say(`    ${carrier.padEnd(7)}  ${count.padStart(7)}  ${delay.toFixed(1).padStart(6)}`);
  } finally {
    await client.end();
  }
}

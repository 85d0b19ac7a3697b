import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from '../../src/core/exec.ts';
import { newProject } from '../../src/scaffold/new-project.ts';
import { installSpark } from '../../src/stack/spark.ts';
import { duckdb } from './duckdb.ts';

/** A stream-etl project for tests: it closes hours after seconds. */
export interface StreamProject {
  folder: string;
  topic: string;
  /** Also for the client. */
  env: Record<string, string>;
}

export interface StreamEvent {
  id: string;
  /** ISO 8601. */
  time: string;
  kind?: string;
  amount?: number;
}

/** Spark starts faster with the first compiler alone, which is enough for tests. */
const QUICK_JAVA = '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC';

/**
 * @param sections further ones of hippo.yaml
 * @param given answers besides those of the sample
 */
export async function scaffoldStream(
  folder: string,
  { topic, sections, given = {} }: { topic: string; sections: string; given?: Record<string, string> },
): Promise<StreamProject> {
  await newProject({
    ...{ type: 'stream-etl', name: 'clicks', directory: folder },
    given: { topic, table: 'shop.events', grace: '3s', ...given },
    ...{ from: 'sample', force: true, dryRun: false },
  });
  await appendFile(join(folder, 'hippo.yaml'), sections);
  const { sparkSubmit } = await installSpark(() => undefined);
  return { folder, topic, env: { SPARK_SUBMIT: sparkSubmit, JDK_JAVA_OPTIONS: QUICK_JAVA } };
}

/** Changes a text of the project's hippo.yaml that must be there. */
export async function changeConfig({ folder }: StreamProject, from: string, to: string): Promise<void> {
  const file = join(folder, 'hippo.yaml');
  const text = await readFile(file, 'utf8');
  if (!text.includes(from)) throw new Error(`hippo.yaml has no ${from}`);
  await writeFile(file, text.replace(from, to));
}

/** Writes records as another producer would. A value that is no event is written as it is. */
export async function produce(
  brokers: string,
  topic: string,
  records: readonly (StreamEvent | string)[],
): Promise<void> {
  const lines = records.map((record, index) => {
    if (typeof record === 'string') return `key-${index}\t${record}`;
    const { id, time, kind = 'view', amount = 1 } = record;
    return `${id}\t${JSON.stringify({ id, event_time: time, kind, amount })}`;
  });
  await execa('kcat', ['-P', '-b', brokers, '-t', topic, '-K', '\\t'], { input: lines.join('\n') });
}

/** A record in the archive. */
export interface ArchivedRecord {
  id: string;
  record: string;
  partition: string;
  file: string;
}

/** What DuckDB finds in the archive; nothing before the first landing. */
export async function archived(
  { folder }: StreamProject,
  archive = join(folder, 'data/archive'),
): Promise<ArchivedRecord[]> {
  const table = join(archive, 'shop.events');
  try {
    const found = await duckdb(
      `SELECT kafka_value ->> 'id' AS id, concat(kafka_partition, ':', kafka_offset) AS record,
         concat('dt=', dt, '/hour=', hour) AS partition, filename AS file
       FROM read_parquet('${table}/**/*.parquet', hive_partitioning = true, hive_types_autocast = false, filename = true)`,
    );
    return found as unknown as ArchivedRecord[];
  } catch (error) {
    if (String(error).includes('No files found')) return [];
    throw error;
  }
}

/** What occurs more than once. */
export function twice(values: readonly string[]): string[] {
  const seen = new Set<string>();
  return values.filter((value) => seen.has(value) || (seen.add(value), false));
}

/** What `hippo up` notes in stack.json, as its steps find it out. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type StackFile, readStackFile, writeStackFile } from '../config/stack-file.ts';
import type { RunningBroker } from './broker.ts';
import { exclusively } from './lock.ts';
import type { StackPlace } from './place.ts';
import { findPostgres } from './postgres/found.ts';
import type { RunningPostgres } from './postgres/server.ts';
import type { Spark } from './spark.ts';

/** The variable that names a database: of the local PostgreSQL, unless the environment has it. */
export const DATABASE_URL = 'DATABASE_URL';

/** For a hippo.yaml that names the variable before the PostgreSQL that it is of is started, or after it is stopped. */
export const ASSUMED = { [DATABASE_URL]: 'postgres://hippo@127.0.0.1/hippo' };

/** What runs or is there; what is left out stays as it was noted. */
export interface Noted {
  broker?: RunningBroker;
  spark?: Spark | null;
  postgres?: RunningPostgres;
  /** Paths, joined by commas; empty for none. */
  sparkJars?: string;
}

/**
 * Does what changes the stack, alone on this machine, and notes it.
 *
 * @param work returns what to note
 */
export async function noting(
  place: StackPlace,
  work: () => Promise<Noted>,
  options: { onWait: () => void; signal: AbortSignal | undefined },
): Promise<Noted> {
  await mkdir(place.state, { recursive: true });
  // Keeps everything in this folder out of git.
  await writeFile(join(place.state, '.gitignore'), '*\n');
  return exclusively(
    place.lock,
    async () => {
      const noted = await work();
      await writeStackFile(place.directory, await withNoted(place, noted));
      return noted;
    },
    options,
  );
}

async function withNoted(
  place: StackPlace,
  { broker, spark, postgres, sparkJars }: Noted,
): Promise<StackFile> {
  const before = readable(place.directory);
  const kafka = broker === undefined ? (before?.kafka ?? null) : ofBroker(broker);
  const jars = sparkJars ?? before?.sparkJars ?? '';
  const database = postgres === undefined ? await ofBefore(place, before) : ofPostgres(postgres);
  return {
    version: 1,
    brokers: broker?.brokers ?? before?.brokers ?? [],
    kafka,
    spark: spark === undefined ? (before?.spark ?? null) : ofSpark(spark),
    ...(jars !== '' && { sparkJars: jars }),
    ...database,
    // A broker that ran before keeps its start time.
    startedAt:
      before !== null && before.kafka?.pid === kafka?.pid ? before.startedAt : new Date().toISOString(),
  };
}

/** A stack.json that cannot be read is written again. */
function readable(directory: string): StackFile | null {
  try {
    return readStackFile(directory);
  } catch {
    return null;
  }
}

/** A PostgreSQL that was noted stays so while it runs. */
async function ofBefore(
  place: StackPlace,
  before: StackFile | null,
): Promise<Pick<StackFile, 'postgres' | 'environment'>> {
  const { postgres, environment } = before ?? {};
  if (postgres === undefined || environment === undefined) return {};
  return (await findPostgres(place.postgres))?.pid === postgres.pid ? { postgres, environment } : {};
}

function ofBroker({ pid, port, dataDirectory, logFile, version }: RunningBroker): StackFile['kafka'] {
  return { pid, port, dataDirectory, logFile, version };
}

function ofSpark(spark: Spark | null): StackFile['spark'] {
  return spark === null ? null : { sparkSubmit: spark.sparkSubmit, version: spark.version };
}

function ofPostgres(running: RunningPostgres): Pick<StackFile, 'postgres' | 'environment'> {
  const { pid, port, data, logFile, version, url } = running;
  return {
    postgres: { pid, port, dataDirectory: data, logFile, version },
    environment: { [DATABASE_URL]: url },
  };
}

/**
 * The main job, end to end, on a real Kafka and a real Spark: `npm run demo`.
 *
 * Everything happens in a folder of its own, with a Kafka of its own, and is gone afterwards; `--keep` leaves both,
 * to go on playing.
 */
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parquetReadObjects } from 'hyparquet';
import { execa, type ExecProcess } from '../src/core/exec.ts';
import { formatDuration } from '../src/core/duration.ts';
import { flightsByMonth } from './flights.ts';

const HIPPO = fileURLToPath(new URL('../bin/run.js', import.meta.url));
const MONTH = '201301';
const TABLE = 'nyc.flights';
const keep = process.argv.includes('--keep');

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort());

await main();

async function main(): Promise<void> {
  const started = performance.now();
  const home = await mkdtemp(join(tmpdir(), 'hippo-demo-'));
  const project = join(home, 'flights');
  let client: ExecProcess | undefined;
  try {
    say('One month of a table lands; a hippo hears of it, runs Spark, and says that it is done.\n');
    await hippo(['up'], home);
    await hippo(
      ['new', 'batch-etl', 'flights', '--table', TABLE, '--every', 'month', '--partition', 'yyyymm', '--group-by', 'carrier', '--measure', 'dep_delay', '--yes'],
      home,
      'hippo new batch-etl flights --table nyc.flights --every month --partition yyyymm …',
    );
    client = await startClient(project);
    await land(project);
    await hippo(['trigger', '--partition', `yyyymm=${MONTH}`, '--wait'], project);
    await showResult(project);
    await hippo(['doctor'], project);
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
    process.exitCode = 130;
  } finally {
    if (!keep) await cleanUp(client, home);
  }
}

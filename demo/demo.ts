/**
 * The main job, end to end, on a real Kafka and a real Spark: `npm run demo`.
 *
 * Everything happens in a folder of its own, with a Kafka of its own, and is gone afterwards; `--keep` leaves both,
 * to go on playing. Where it fails, the folder with the logs stays.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, open, readFile, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parquetReadObjects } from 'hyparquet';
import { pollStart } from '../src/core/deadline.ts';
import { formatDuration } from '../src/core/duration.ts';
import { type ErrorReport, ExitCode, messageOf } from '../src/core/errors.ts';
import { ExecaError, execa, spawnDetached } from '../src/core/exec.ts';
import { renderErrorReport } from '../src/ui/errors.ts';
import { flightsByMonth } from './flights.ts';

const HIPPO = fileURLToPath(new URL('../bin/run.js', import.meta.url));
const TABLE = 'nyc.flights';
const PARTITION = 'yyyymm=201301';
/** How long the client may take until it listens, and how long its log may stay as it is until then; milliseconds. */
const CLIENT_START = { millis: 300_000, quiet: 60_000 };
/** Exit codes of a doctor that found no error: on a busy machine a check may have had no time. */
const DOCTOR_FINE: readonly number[] = [ExitCode.ok, ExitCode.timeout];
const keep = process.argv.includes('--keep');

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopping.abort());

/** The error of a hippo that printed it as JSON. */
class HippoFailed extends Error {
  readonly report: ErrorReport;

  constructor(report: ErrorReport) {
    super(report.message);
    this.report = report;
  }
}

await main();

async function main(): Promise<void> {
  const started = performance.now();
  const home = await mkdtemp(join(tmpdir(), 'hippo-demo-'));
  const project = join(home, 'flights');
  let client: ChildProcess | undefined;
  try {
    say('One month of a table lands; a hippo hears of it, runs Spark and says that it is done.\n');
    const stack = await hippo<Stack>(home, ['up']);
    say(`  Kafka ${stack.kafka.version} at ${stack.brokers.join(', ')}, Spark ${stack.spark.version}`);

    const answers = [
      '--every',
      'month',
      '--partition',
      'yyyymm',
      '--group-by',
      'carrier',
      '--measure',
      'dep_delay',
    ];
    const made = await hippo<{ files: unknown[] }>(
      home,
      ['new', 'batch-etl', 'flights', '--table', TABLE, ...answers],
      ['--yes'],
    );
    say(`  flights/: ${made.files.length} files, among them hippo.yaml, start-client.sh and start-spark.sh`);

    say('$ ./start-client.sh &');
    client = await startClient(project);
    await listening(project, client);
    say(`  waits for ${TABLE}, once a month`);

    const rows = await land(project);
    say(`  ${rows.toLocaleString('en')} departures from New York land as ${TABLE} ${PARTITION}`);
    await tell(project, ['trigger', '--partition', PARTITION, '--wait']);
    await showResult(project);

    const { totals } = await hippo<{ totals: Record<string, number> }>(project, ['doctor'], [], DOCTOR_FINE);
    say(
      `  ${Object.entries(totals)
        .filter(([, count]) => count > 0)
        .map(([status, count]) => `${count} ${status}`)
        .join(', ')}`,
    );

    if (keep) {
      say(`\nIt all goes on in ${project}. When you have seen enough (hippo as below):`);
      say(`  kill ${client.pid}    # the client`);
      say(`  (cd ${home} && hippo down)`);
      say(`  rm -r ${home}`);
      client.unref();
    } else {
      await endClient(client);
      await hippo(home, ['down']);
    }
    say(`\nThat was the whole job, in ${formatDuration(performance.now() - started)}. Try next:`);
    say('  npm run demo -- --keep    # the same, and it goes on running');
    say('  export PATH="$PWD/node_modules/.bin:$PATH"    # hippo, and the Node for it');
    say('  hippo new batch-etl NAME  # a hippo of your own; its README says how to go on');
    say('  hippo --help              # all commands');
  } catch (error) {
    if (!stopping.signal.aborted) {
      say(`\n${whatFailed(error)}`);
      const log = await readFile(clientLog(project), 'utf8').catch(() => '');
      if (log !== '') say(`\nThe client's log:\n${log}`);
      say(`\nThe logs are kept. When you have read them: rm -r ${home}`);
    }
    process.exitCode = stopping.signal.aborted ? 130 : 1;
  } finally {
    if (!keep || process.exitCode !== undefined) await stopAll(client, home);
    const hasFailed = process.exitCode === 1;
    if (!keep && !hasFailed) await rm(home, { recursive: true, force: true });
  }
}

interface Stack {
  brokers: string[];
  kafka: { version: string };
  spark: { version: string };
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** An error as hippo itself prints it. */
function whatFailed(error: unknown): string {
  if (error instanceof HippoFailed) return renderErrorReport(error.report);
  return `✗ ${error instanceof ExecaError ? error.shortMessage : messageOf(error)}`;
}

/**
 * Runs a command as a script does, and returns what it says. Its progress is shown.
 *
 * @param quietly further words, which are not shown
 * @param fine the exit codes of a success
 */
async function hippo<Result>(
  cwd: string,
  args: string[],
  quietly: string[] = [],
  fine: readonly number[] = [ExitCode.ok],
): Promise<Result> {
  say(`$ hippo ${args.join(' ')}`);
  const run = await execa(process.execPath, [HIPPO, ...args, ...quietly, '--json'], {
    cwd,
    stderr: 'inherit',
    reject: false,
    cancelSignal: stopping.signal,
  });
  stopping.signal.throwIfAborted();
  const said = JSON.parse(run.stdout || '{}') as { error?: ErrorReport };
  if (said.error !== undefined) throw new HippoFailed(said.error);
  if (!fine.includes(run.exitCode ?? -1)) {
    throw new Error(`hippo ${args.join(' ')} ended with exit code ${run.exitCode}:\n${run.stdout}`);
  }
  return said as Result;
}

/** Runs a command as a person does. */
async function tell(cwd: string, args: string[]): Promise<void> {
  say(`$ hippo ${args.join(' ')}`);
  await execa(process.execPath, [HIPPO, ...args], {
    cwd,
    stdout: 'inherit',
    stderr: 'inherit',
    cancelSignal: stopping.signal,
  });
}

function clientLog(project: string): string {
  return join(project, '..', 'client.log');
}

/** Starts the project's client in the background. */
async function startClient(project: string): Promise<ChildProcess> {
  const log = await open(clientLog(project), 'a');
  const env = { ...process.env, HIPPO };
  const child = spawnDetached('./start-client.sh', {
    cwd: project,
    env,
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  });
  await log.close();
  return child;
}

/** The client is up when it has said so in `.hippo/client.json`. */
async function listening(project: string, child: ChildProcess): Promise<void> {
  const isUp = (): boolean => {
    if (child.exitCode !== null) throw new Error('the client ended at once');
    return existsSync(join(project, '.hippo', 'client.json'));
  };
  const sign = async (): Promise<number> => (await stat(clientLog(project))).size;
  const started = await pollStart(isUp, { every: 100, ...CLIENT_START, sign, signal: stopping.signal });
  if (started !== 'ready') throw new Error('the client did not start');
}

async function endClient(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

/** Puts a month of flights where the job looks for its input, as the warehouse's own load would. */
async function land(project: string): Promise<number> {
  const source = join(await flightsByMonth(), `${PARTITION.slice(-6)}.csv`);
  const target = join(project, 'data', 'input', TABLE, PARTITION);
  await mkdir(target, { recursive: true });
  await copyFile(source, join(target, 'part-0.csv'));
  const text = await readFile(source, 'utf8');
  return text.trimEnd().split('\n').length - 1;
}

/** Reads back what Spark wrote. */
async function showResult(project: string): Promise<void> {
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
  say(`  ${folder}: ${rows.length} rows. The latest to leave:`);
  say('    carrier  flights  mean delay, minutes');
  for (const { carrier, rows: flights, mean_dep_delay: delay } of rows.slice(0, 3)) {
    say(`    ${carrier.padEnd(7)}  ${String(flights).padStart(7)}  ${delay.toFixed(1).padStart(6)}`);
  }
}

/** Whatever happened: no process is left. */
async function stopAll(client: ChildProcess | undefined, home: string): Promise<void> {
  if (client !== undefined) await endClient(client);
  await execa(process.execPath, [HIPPO, 'down'], { cwd: home, reject: false });
}

/**
 * `npm run bench [SUITE…]`: hippo and its peers by turns, on a Kafka of its own. Prints a table of medians and ratios for each
 * suite; with `--write` they go into docs/BENCHMARKS.md too, each into its own section, with `--rounds=N` each runs N times.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, loadavg, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startBroker } from '../src/stack/broker.ts';
import { execa } from '../src/core/exec.ts';
import { client } from './client.ts';
import { writeEvents } from './events.ts';
import { fleet } from './fleet.ts';
import {
  type Measure,
  type Result,
  type Stage,
  type Suite,
  markdown,
  measuresTable,
  run,
} from './harness.ts';
import { predict } from './predict.ts';
import { query } from './query.ts';
import { serve } from './serve.ts';
import { sources } from './sources.ts';
import { startup } from './startup.ts';
import { tail } from './tail.ts';
import { trigger } from './trigger.ts';

const SUITES: readonly Suite[] = [startup, trigger, tail, client, sources, fleet, predict, serve, query];
const DOCUMENT = fileURLToPath(new URL('../docs/BENCHMARKS.md', import.meta.url));

const words = process.argv.slice(2);
const wanted = words.filter((word) => !word.startsWith('-'));
const suites = SUITES.filter(({ name }) => wanted.length === 0 || wanted.includes(name));

const rounds = words.map((word) => /^--rounds=(\d+)$/.exec(word)?.[1]).find((found) => found !== undefined);

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

const folder = await mkdtemp(join(tmpdir(), 'hippo-bench-'));
const say = (text: string): void => void process.stderr.write(`▸ ${text}\n`);
say('starting Kafka');
const broker = await startBroker({ directory: join(folder, 'kafka'), signal: stop.signal });
try {
  const brokers = broker.brokers.join(',');
  const stage: Stage = {
    brokers,
    env: { HIPPO_BROKERS: brokers, HIPPO_CONFIG: '', HIPPO_PROFILE: '' },
    hippo: [process.execPath, fileURLToPath(new URL('../bin/run.js', import.meta.url))],
    folder,
    events: join(folder, 'events.jsonl'),
    say,
  };
  await writeEvents(stage.events, 1_000_000);
  for (const suite of suites) {
    // More than the number of processors: the times by the clock say little.
    const [load = 0] = loadavg();
    const tables = await runSuite(suite, stage);
    const report = [await machine(broker.version, load), ...tables].join('\n\n');
    process.stdout.write(`${suite.name}\n\n${report}\n\n`);
    if (words.includes('--write')) await writeReport(suite.name, report);
  }
} catch (error) {
  if (!stop.signal.aborted) throw error;
  process.exitCode = 130;
} finally {
  await broker.stop();
  await rm(folder, { recursive: true, force: true });
}

/** @returns its tables, as Markdown */
async function runSuite(suite: Suite, stage: Stage): Promise<string[]> {
  const results: Result[] = [];
  for (const race of (await suite.races?.(stage)) ?? []) {
    stop.signal.throwIfAborted();
    const least = Math.min(Number(rounds ?? Infinity), race.rounds ?? Infinity);
    results.push(await run(rounds === undefined ? race : { ...race, rounds: least }, stage));
  }
  stop.signal.throwIfAborted();
  const measures: Measure[] = (await suite.measures?.(stage)) ?? [];
  return [
    ...(results.length > 0 ? [markdown(results)] : []),
    ...(measures.length > 0 ? [measuresTable(measures)] : []),
  ];
}

/**
 * What the numbers depend on.
 *
 * @param load the average before them
 */
async function machine(kafka: string, load: number): Promise<string> {
  const [cpu] = cpus();
  const parts = [
    `${cpus().length} × ${cpu?.model.trim() ?? 'unknown processor'}`,
    `${Math.round(totalmem() / 2 ** 30)} GiB of memory`,
    `Linux ${release()}`,
    `Node ${process.versions.node}`,
    `Kafka ${kafka} on the same machine`,
    await firstLine('kcat', ['-V'], /^Version (\S+) \(.*librdkafka (\S+)/m, 'kcat $1 with librdkafka $2'),
    await firstLine('jq', ['--version'], /^jq-(\S+)/, 'jq $1'),
  ];
  const busy = `load average before the run ${load.toFixed(1)}`;
  return `${[...parts, busy].filter((part) => part !== '').join(', ')}; ${new Date().toISOString().slice(0, 10)}.`;
}

async function firstLine(program: string, args: string[], pattern: RegExp, text: string): Promise<string> {
  const { all } = await execa(program, args, { reject: false, all: true });
  const found = pattern.exec(all)?.[0];
  return found === undefined ? '' : found.replace(pattern, text);
}

/** Between two comments that name the suite. */
async function writeReport(suite: string, report: string): Promise<void> {
  const [begin, end] = [`<!-- results: ${suite} -->`, `<!-- end of results: ${suite} -->`];
  const document = await readFile(DOCUMENT, 'utf8');
  const [before, rest] = document.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined)
    throw new Error(`${DOCUMENT} has no place for the results of ${suite}`);
  await writeFile(DOCUMENT, `${before}${begin}\n\n${report}\n\n${end}${after}`);
}

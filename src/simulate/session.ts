import { compileProject } from '../client/host/project.ts';
import { loadConfig, type LoadedConfig } from '../config/load.ts';
import { maskedJobs } from '../config/report.ts';
import { systemClock } from '../core/clock.ts';
import { UserError } from '../core/errors.ts';
import { existingTopics } from '../kafka/look-up.ts';
import { connectProject } from '../kafka/project.ts';
import { readSpan, readTopics } from '../records/reading.ts';
import { Intake, type IntakeReport, inputTopics } from './intake.ts';
import { readListing } from './listing.ts';
import { recordsOf } from './recorded.ts';
import { type Simulation, simulate } from './simulate.ts';
import { readTold } from './told.ts';

export interface SimulationOptions {
  /** `--config` and `--profile`. */
  file: string | undefined;
  profile: string | undefined;
  /** A file of records, `-` for standard input; undefined to read the topics. */
  source: string | undefined;
  /** Files of listings of sources. With them, the topics are not read. */
  listings: readonly string[];
  /** `SERVICE=FILE`: what services have announced. With them, the topics are not read. */
  announced: readonly string[];
  /** The range to read of the topics; undefined for everything. */
  from: string | undefined;
  to: string | undefined;
  /** Milliseconds. */
  jobDuration: number;
  signal: AbortSignal;
}

export interface SimulationReport extends Simulation {
  hippo: string;
  /** The time zone of the jobs, an IANA name. */
  timezone: string;
  /** The tables and jobs that this hippo's jobs need. */
  needs: string[];
  input: IntakeReport;
}

/**
 * What a client of this project would do with recorded messages. It writes nothing.
 *
 * @throws UserError for an invalid hippo.yaml, file or range; ServiceError if Kafka is read and cannot be reached
 */
export async function runSimulation(options: SimulationOptions): Promise<SimulationReport> {
  const { file, profile, jobDuration, source, listings: files } = options;
  const loaded = await loadConfig({ file, profile, cwd: process.cwd(), env: process.env });
  const { hippo, definition, sources } = await compileProject({
    ...loaded,
    // Arguments are part of the report, so secrets in them are masked.
    config: { ...loaded.config, jobs: maskedJobs(loaded, process.env) },
  });
  const intake = new Intake(definition, loaded.config);
  const listings = await Promise.all(files.map((each) => readListing(each, definition)));
  const told = await Promise.all(options.announced.map((each) => readTold(each, definition, loaded.config)));
  if (source !== undefined || listings.length + told.length === 0) await readInto(intake, loaded, options);
  const watching = new Map(
    sources.map(({ source: { name }, every, scanner: { lists = 'all' } }) => [name, { every, lists }]),
  );
  return {
    hippo,
    timezone: loaded.config.calendar.timezone,
    needs: [...new Set([...definition.jobs.values()].flatMap(({ needs }) => needs.map(({ id }) => id)))],
    ...simulate(definition, loaded.config, intake.messages(), {
      ...{ jobDuration, listings, told, letters: intake.letters(), recorded: intake.recordedVersions() },
      watching: (name) => watching.get(name),
    }),
    input: intake.report(),
  };
}

async function readInto(
  intake: Intake,
  loaded: LoadedConfig,
  { source, from, to, signal }: SimulationOptions,
): Promise<void> {
  if (source !== undefined) {
    for await (const record of recordsOf(source, signal)) intake.take(record);
    return;
  }
  const span = await readSpan({ from, to, exitAtEnd: true }, loaded.config, systemClock);
  const kafka = await connectProject(loaded, process.env, signal);
  try {
    const wanted = [...inputTopics(loaded.config).keys()];
    const existing = await existingTopics(kafka, wanted);
    const topics = wanted.filter((topic) => existing.has(topic));
    if (topics.length === 0) {
      throw new UserError('there is nothing to simulate: no input topic exists', {
        why: `Looked for ${wanted.join(', ')}.`,
        next: ['hippo up', 'hippo simulate events.jsonl'],
      });
    }
    await readTopics(
      kafka,
      { topics, span, exitAtEnd: true },
      { take: (record) => intake.take(record) },
      signal,
    );
  } finally {
    await kafka.close();
  }
  signal.throwIfAborted();
}

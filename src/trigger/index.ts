import { loadConfig } from '../config/load.ts';
import { topicName } from '../config/topics.ts';
import type { Config } from '../config/schema.ts';
import { type Millis, systemClock } from '../core/clock.ts';
import { HippoError } from '../core/errors.ts';
import type { Kafka } from '../kafka/port.ts';
import { connectProject } from '../kafka/project.ts';
import { type Output, Sink } from '../records/index.ts';
import { type BadLine, nothingLeftError } from './check-lines.ts';
import type { Destination, DryEvent } from './dry-run.ts';
import { type Source, type SourceContext, type TriggerWords, openSource, resumedSource } from './source.ts';
import { parseRate } from './throttle.ts';
import {
  type TriggerContext,
  type TriggerListener,
  type TriggerOptions,
  type TriggerReport,
  isOneByOne,
  trigger,
  warn,
} from './trigger.ts';

/** What the command line says. */
export interface TriggerRequest {
  /** `--config` and `--profile`. */
  config: string | undefined;
  profile: string | undefined;
  words: TriggerWords;
  wait: boolean;
  /** How long an event's outcome may take, milliseconds. */
  timeout: Millis;
  /** How many events may have runs that have not ended. */
  maxActive: number | undefined;
  /** As a person types it: `10/s`. */
  rate: string | undefined;
  /** Flags to give again, as a person types them, to go on. */
  repeat: readonly string[];
  /** Where the events are printed instead of published; null: they are published. */
  dryRun: DryRunOutput | null;
  listener: TriggerListener;
  signal: AbortSignal;
}

/** Connects to the Kafka of the project. */
type Connect = () => Promise<Kafka>;

/**
 * Publishes events, or with `dryRun` prints them.
 *
 * @throws UserError before anything is published, where the words or the lines of a file are not right
 * @throws ServiceError when Kafka is not there; a dry run needs Kafka only to resume
 */
export async function runTrigger(request: TriggerRequest): Promise<TriggerReport | DryRunReport> {
  const { config: file, profile, words, dryRun, listener, signal } = request;
  const { wait, timeout, maxActive, repeat } = request;
  const rate = request.rate === undefined ? undefined : parseRate(request.rate);
  const loaded = await loadConfig({ file, profile, cwd: process.cwd(), env: process.env });
  const options = { wait, timeout, maxActive, rate, repeat, clock: systemClock, signal };
  const run = {
    config: loaded.config,
    words,
    connect: () => connectProject(loaded, process.env, signal),
    options,
    listener,
  };
  return dryRun === null ? publish(run) : print(run, dryRun);
}

interface TriggerRun extends TriggerContext {
  config: Config;
  words: TriggerWords;
  connect: Connect;
}

async function publish({ config, words, connect, options, listener }: TriggerRun): Promise<TriggerReport> {
  const context = contextOf(config, options);
  // Before the connection: wrong words are reported without Kafka too.
  const opened = words.resume === undefined ? await openSource(words, context) : null;
  const kafka = await connect();
  try {
    const source = opened ?? (await resume(kafka, words, context));
    return await trigger(kafka, config, source, { options, listener });
  } finally {
    await kafka.close();
  }
}

export interface DryRunReport {
  dry_run: true;
  destination: Destination;
  /** How many events would be published. */
  events: number;
  /** How many lines of a file would be skipped. */
  skipped: number;
}

/** How a dry run shows its events: each as it comes, its newline included. */
export interface DryRunPrinter {
  heading(destination: Destination): string;
  event(event: DryEvent): string;
}

export interface DryRunOutput {
  printer: DryRunPrinter;
  output: Output;
}

/** Prints what the words would publish. */
async function print(
  { config, words, connect, options, listener }: TriggerRun,
  { printer, output }: DryRunOutput,
): Promise<DryRunReport> {
  const context = contextOf(config, options);
  const opened = words.resume === undefined ? await openSource(words, context) : null;
  const { dryEvents, findDestination } = await import('./dry-run.ts');
  const source = opened ?? (await withKafka(connect, (kafka) => resume(kafka, words, context)));
  const kafka = await connect().catch((error: unknown) => {
    if (error instanceof HippoError) return error;
    throw error;
  });
  const sink = new Sink(output);
  let events = 0;
  let skipped = 0;
  try {
    const destination = await findDestination(config, kafka);
    sink.write(printer.heading(destination));
    const onSkipped = (bad: BadLine): void => {
      skipped += 1;
      listener.onSkipped(bad);
    };
    for await (const event of dryEvents(source, destination, options.signal, onSkipped)) {
      events += 1;
      sink.write(printer.event(event));
      await sink.ready();
    }
    if (events === 0 && skipped > 0 && source.kind === 'lines' && !options.signal.aborted)
      throw nothingLeftError(source.file, skipped);
    if (source.kind === 'events') for (const other of source.otherOrders ?? []) listener.onOtherOrder(other);
    const tables = source.kind === 'events' ? source.tables : source.reader.tables();
    await warn(tables, config, kafka instanceof HippoError ? null : kafka, listener);
    return { dry_run: true, destination, events, skipped };
  } finally {
    sink.flush();
    if (!(kafka instanceof HippoError)) await kafka.close();
  }
}

async function resume(kafka: Kafka, words: TriggerWords, context: SourceContext): Promise<Source> {
  const { findBackfill } = await import('./resume.ts');
  const found = await findBackfill(kafka, topicName(context.config, 'frontier'), words.resume ?? '');
  return resumedSource(words, found, context);
}

async function withKafka<Result>(connect: Connect, use: (kafka: Kafka) => Promise<Result>): Promise<Result> {
  const kafka = await connect();
  try {
    return await use(kafka);
  } finally {
    await kafka.close();
  }
}

function contextOf(config: Config, options: TriggerOptions): SourceContext {
  return { config, clock: options.clock, signal: options.signal, oneByOne: isOneByOne(options) };
}

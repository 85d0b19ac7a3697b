import { topicName } from '../config/topics.ts';
import type { Config } from '../config/schema.ts';
import { HippoError } from '../core/errors.ts';
import type { Kafka } from '../kafka/port.ts';
import { type Output, Sink } from '../records/index.ts';
import type { BadLine } from './check-lines.ts';
import type { Destination, DryEvent } from './dry-run.ts';
import { type Source, type SourceContext, type TriggerWords, openSource, resumedSource } from './source.ts';
import {
  type TriggerContext,
  type TriggerListener,
  type TriggerOptions,
  type TriggerReport,
  isOneByOne,
  trigger,
  warn,
} from './trigger.ts';

export { parseRate } from './throttle.ts';

/** Connects to the Kafka of the project. */
export type Connect = () => Promise<Kafka>;

/**
 * Publishes what the words say.
 *
 * @throws UserError before anything is published, where the words or the lines of a file are not right
 * @throws ServiceError when Kafka is not there
 */
export async function runTrigger(
  config: Config,
  words: TriggerWords,
  { options, connect, listener }: TriggerContext & { connect: Connect },
): Promise<TriggerReport> {
  const context = contextOf(config, options);
  // What is wrong with the words is said without Kafka.
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
  /** How many lines of a file would be passed over. */
  skipped: number;
}

/** How a dry run shows its events: each as it comes, its newline included. */
export interface DryRunPrinter {
  heading(destination: Destination): string;
  event(event: DryEvent): string;
}

export interface DryRunContext {
  options: TriggerOptions;
  connect: Connect;
  printer: DryRunPrinter;
  output: Output;
  listener: Pick<TriggerListener, 'onSkipped' | 'onUnknownTable'>;
}

/** Prints what the words would publish, and publishes nothing. Only --resume needs Kafka for that. */
export async function dryRun(
  config: Config,
  words: TriggerWords,
  { options, connect, printer, output, listener }: DryRunContext,
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

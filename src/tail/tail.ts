import { loadConfig } from '../config/load.ts';
import { systemClock } from '../core/clock.ts';
import type { Config } from '../config/schema.ts';
import type { Kafka } from '../kafka/port.ts';
import { topicSpecs } from '../kafka/topics.ts';
import { connectProject } from '../kafka/project.ts';
import type { MessageKind } from '../messages/index.ts';
import type { Output } from '../records/index.ts';
import { selectTopics, topicKinds } from '../records/reading.ts';
import { type TailReport, type TailView, type TailWords, planTail, runTail } from './run.ts';

/** What a view has to know before the first record. */
export interface TailViewOptions {
  /** The topics that are read. */
  topics: readonly string[];
  /** The kind of message that a topic of hippo.yaml carries. */
  kinds: ReadonlyMap<string, MessageKind>;
  /** IANA name. */
  timezone: string;
  /** Epoch milliseconds. */
  now: number;
  /** Whether it goes on until Ctrl-C. */
  follows: boolean;
  /** `host:port` each. */
  brokers: readonly string[];
}

export interface TailOptions {
  /** Names and roles of topics; empty: the hippo topics. */
  topics: readonly string[];
  /** `--regex`: topics whose names match are read too. */
  pattern: string | undefined;
  words: TailWords;
  /** `--config` and `--profile`. */
  file: string | undefined;
  profile: string | undefined;
  /** The records are printed here. */
  output: Output;
  view: (options: TailViewOptions) => TailView;
  signal: AbortSignal;
}

/**
 * Prints or counts the records of topics.
 *
 * @throws UserError for a topic, a position, an expression or a format that is not right; ServiceError without Kafka
 */
export async function tail(options: TailOptions): Promise<TailReport> {
  const { topics: names, pattern, words, file, profile, output, signal } = options;
  const loaded = await loadConfig({ file, profile, cwd: process.cwd(), env: process.env });
  const { config } = loaded;
  // Before the connection: a wrong word is reported without Kafka too.
  const plan = await planTail(words, config, systemClock);
  const kafka = await connectProject(loaded, process.env, signal);
  try {
    const choose = (existing: readonly string[]): string[] =>
      selectTopics(config, existing, { names, pattern });
    const topics = choose(await existingNames(kafka, config, names));
    const place = { topics, kinds: topicKinds(config), ...(pattern && { choose }) };
    const { timezone } = config.calendar;
    const view = options.view({
      ...place,
      timezone,
      now: systemClock.now(),
      follows: plan.follows,
      brokers: kafka.brokers,
    });
    view.begin();
    const report = await runTail(kafka, plan, place, { view, output, signal });
    view.end(report);
    return report;
  } finally {
    await kafka.close();
  }
}

/** All topics that there are; with those of the wanted ones that this user may not see, which are named in the end. */
async function existingNames(kafka: Kafka, config: Config, names: readonly string[]): Promise<string[]> {
  const visible = (await kafka.topics()).map(({ topic }) => topic);
  const known = [...topicSpecs(config).map(({ topic }) => topic), ...names];
  const wanted = known.filter((name) => TOPIC_NAME.test(name) && !visible.includes(name));
  const { hidden } = await kafka.lookUp([...new Set(wanted)]);
  return [...visible, ...hidden.flatMap(({ topic }) => topic ?? [])];
}

/** Kafka refuses others. */
const TOPIC_NAME = /^[\w.-]{1,249}$/;

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BrokersOrigin, type FoundBrokers, adviceFor, findBrokers } from '../config/brokers.ts';
import { type LoadedConfig, loadConfig } from '../config/load.ts';
import type { KafkaConfig } from '../config/schema.ts';
import { type StackFile, readStackFile, writeStackFile } from '../config/stack-file.ts';
import type { Millis } from '../core/clock.ts';
import { clientCommandFor } from '../core/environment/index.ts';
import { UserError } from '../core/errors.ts';
import type { RunSteps, Step } from '../core/steps.ts';
import { connectKafka } from '../kafka/connect.ts';
import { topicSpecs } from '../kafka/topics.ts';
import { type RunningBroker, startBroker } from './broker.ts';
import { KAFKA_VERSION, type KafkaDistribution, findKafka, installKafka } from './distribution.ts';
import { type FoundBroker, findBroker } from './found-broker.ts';
import { requireJava } from './java.ts';
import { exclusively } from './lock.ts';
import { type StackPlace, stackPlace } from './place.ts';
import { proveRoundTrip } from './probe.ts';
import { requirePython } from './python.ts';
import { SPARK_VERSION, type Spark, findSpark, installSpark } from './spark.ts';

/** How long the local broker may take for an answer. */
const START_PATIENCE = 60_000;

export interface UpOptions {
  loaded: LoadedConfig;
  env: NodeJS.ProcessEnv;
  /** The port for clients. Default: the port of the last start, or a free one. */
  port?: number | undefined;
  /** Whether to fetch Spark if there is none. */
  spark: boolean;
  /** How long Kafka's start may take. Default: five minutes. */
  timeout?: Millis | undefined;
  signal?: AbortSignal | undefined;
}

export interface UpRequest extends Omit<UpOptions, 'loaded' | 'env'> {
  /** `--config` and `--profile`. */
  file: string | undefined;
  profile: string | undefined;
  /** Describe the steps and do nothing. */
  dryRun: boolean;
  runSteps: RunSteps;
}

/** The facts before anything is changed. */
export interface UpFacts {
  place: StackPlace;
  /** Configured brokers; with them no local stack is started. */
  configured: { brokers: string[]; origin: BrokersOrigin } | null;
  /** A broker that runs already. */
  broker: FoundBroker | null;
  /** The content of stack.json; null if it is missing or damaged. */
  recorded: StackFile | null;
  kafka: KafkaDistribution | null;
  spark: Spark | null;
}

/** What the steps find out as they run. */
export interface UpContext {
  brokers: string[];
  broker: RunningBroker | null;
  spark: Spark | null;
  topics: { created: string[]; present: string[] };
}

export interface UpResult {
  /** Whether this command started the broker; false if it ran already or is a configured one. */
  started: boolean;
  brokers: string[];
  /** The origin of configured addresses; null for the local stack. */
  configured: BrokersOrigin | null;
  /** The project's folder whose `.hippo` holds the stack. */
  directory: string;
  kafka: { pid: number; port: number; version: string; data: string; log: string } | null;
  spark: { submit: string; version: string } | null;
  topics: { created: string[]; present: string[] };
  /** The command that starts the project's client; null outside of a project and in one without jobs. */
  start_client: string | null;
}

/** A plan that was not executed, for `--dry-run`. */
export interface UpPlan {
  dry_run: true;
  steps: { title: string; skip: string | null }[];
}

/**
 * Starts a local Kafka, creates the topics and installs Spark, as far as they are missing.
 *
 * @throws UserError for a port together with configured brokers; what a step throws
 */
export async function up({
  file,
  profile,
  dryRun,
  runSteps,
  ...rest
}: UpRequest): Promise<UpResult | UpPlan> {
  const { env } = process;
  const loaded = await loadConfig({ file, profile, cwd: process.cwd(), env });
  const options = { ...rest, loaded, env };
  const facts = await gatherUpFacts(options);
  const steps = planUp(facts, options);
  if (dryRun) return describeUp(steps, facts);
  const context = upContext(facts);
  await runSteps(steps, context);
  return upResult(facts, context, startOf(loaded));
}

/**
 * Gathers the facts; changes nothing.
 *
 * @throws UserError for a port together with configured brokers
 */
async function gatherUpFacts({ loaded, env, port }: UpOptions): Promise<UpFacts> {
  const place = stackPlace(loaded.directory);
  const known = orNull(() => findBrokers(loaded, env));
  if (known !== null && known.origin.from !== 'stack') {
    if (port !== undefined) throw notOurs(known);
    return { place, configured: known, broker: null, recorded: null, kafka: null, spark: null };
  }
  const recorded = orNull(() => readStackFile(place.directory));
  const [broker, kafka, spark] = await Promise.all([findBroker(place.kafka), findKafka(env), findSpark(env)]);
  if (broker === null) await requireJava(env);
  return { place, configured: null, broker, recorded, kafka, spark };
}

function notOurs({ brokers, origin }: FoundBrokers): UserError {
  const by = origin.from === 'environment' ? `$${origin.variable}` : 'kafka.brokers in hippo.yaml';
  return new UserError('--port is for a Kafka that hippo up starts', {
    why: `${by} names ${brokers.join(', ')}: nothing is started then.`,
    next: [
      'hippo up    (creates the topics there)',
      origin.from === 'environment' ? `unset ${origin.variable}` : `take ${by} away`,
    ],
    ...(origin.from === 'configuration' && { place: origin.place }),
  });
}

/** A stack.json that cannot be read is written again. */
function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

/** The steps from the facts to a running stack. */
export function planUp(facts: UpFacts, options: UpOptions): Step<UpContext>[] {
  if (facts.configured !== null) return [createTopics(facts, options)];
  return [
    ...(facts.broker === null && facts.kafka === null ? [fetchKafka(options)] : []),
    ...(options.spark && facts.spark === null ? [fetchSpark(options)] : []),
    startKafka(facts, options),
    createTopics(facts, options),
    ...(facts.broker === null ? [prove(options)] : []),
  ];
}

function upContext(facts: UpFacts): UpContext {
  const brokers =
    facts.configured?.brokers ?? (facts.broker === null ? [] : [`127.0.0.1:${facts.broker.port}`]);
  return { brokers, broker: null, spark: facts.spark, topics: { created: [], present: [] } };
}

/** The plan as data. */
export async function describeUp(steps: readonly Step<UpContext>[], facts: UpFacts): Promise<UpPlan> {
  const context = upContext(facts);
  const described = steps.map(async (step) => ({
    title: step.title,
    skip: (await step.skip?.(context)) || null,
  }));
  return { dry_run: true, steps: await Promise.all(described) };
}

/** The result of the steps. */
/** The command that starts the project's client, as typed here. */
function startOf({ file, config }: LoadedConfig): string | null {
  if (file === null || Object.keys(config.jobs).length === 0) return null;
  return clientCommandFor(file, process.cwd());
}

function upResult(facts: UpFacts, context: UpContext, start: string | null): UpResult {
  const { broker, spark } = context;
  const recorded = facts.recorded?.kafka;
  const kafka =
    broker !== null
      ? {
          pid: broker.pid,
          port: broker.port,
          version: broker.version,
          data: broker.dataDirectory,
          log: broker.logFile,
        }
      : facts.broker !== null && recorded !== undefined
        ? { ...facts.broker, data: recorded.dataDirectory, log: recorded.logFile }
        : null;
  return {
    started: broker !== null && facts.broker === null,
    brokers: context.brokers,
    configured: facts.configured?.origin ?? null,
    directory: facts.place.directory,
    kafka,
    spark: spark === null ? null : { submit: spark.sparkSubmit, version: spark.version },
    topics: context.topics,
    start_client: start,
  };
}

function fetchKafka({ signal }: UpOptions): Step<UpContext> {
  return {
    title: `fetch Kafka ${KAFKA_VERSION} (44 MB, once)`,
    run: async (_, update) => {
      await installKafka(update, signal);
    },
  };
}

function fetchSpark({ env, signal }: UpOptions): Step<UpContext> {
  return {
    title: `fetch Spark ${SPARK_VERSION} (455 MB, once)`,
    run: async (context, update) => {
      await requirePython(env);
      context.spark = await installSpark(update, { env, signal });
    },
  };
}

function startKafka({ place, broker, recorded, kafka }: UpFacts, options: UpOptions): Step<UpContext> {
  return {
    title: `start Kafka ${broker?.version ?? kafka?.version ?? KAFKA_VERSION}`,
    skip: ({ spark }) =>
      broker !== null &&
      broker.pid === recorded?.kafka.pid &&
      (options.port ?? broker.port) === broker.port &&
      spark?.sparkSubmit === recorded.spark?.sparkSubmit
        ? `already up at 127.0.0.1:${broker.port}`
        : false,
    run: async (context, update) => {
      await mkdir(place.state, { recursive: true });
      // Keeps everything in this folder out of git.
      await writeFile(join(place.state, '.gitignore'), '*\n');
      const { env, port, signal, timeout } = options;
      const start = async (): Promise<RunningBroker> => {
        const running = await startBroker({ directory: place.kafka, port, env, signal, timeout, update });
        await writeStackFile(place.directory, stackFile(running, context.spark, recorded));
        return running;
      };
      context.broker = await exclusively(place.lock, start, {
        onWait: () => update('another hippo up is at it'),
        signal,
      });
      context.brokers = context.broker.brokers;
    },
  };
}

/** The content of stack.json. A broker that ran before keeps its start time. */
function stackFile(broker: RunningBroker, spark: Spark | null, recorded: StackFile | null): StackFile {
  const { pid, port, dataDirectory, logFile, version } = broker;
  return {
    version: 1,
    brokers: broker.brokers,
    kafka: { pid, port, dataDirectory, logFile, version },
    spark: spark === null ? null : { sparkSubmit: spark.sparkSubmit, version: spark.version },
    startedAt: recorded?.kafka.pid === pid ? recorded.startedAt : new Date().toISOString(),
  };
}

function createTopics({ configured }: UpFacts, { loaded }: UpOptions): Step<UpContext> {
  return {
    title: 'create the topics that are missing',
    run: async (context, update) => {
      const next = configured === null ? undefined : adviceFor(configured.origin);
      const own = loaded.config.kafka;
      const settings = configured === null ? patient(own) : own;
      const kafka = await connectKafka({ brokers: context.brokers, settings, next });
      try {
        const { brokers } = await kafka.cluster();
        const specs = topicSpecs(loaded.config, brokers.length);
        const created = await kafka.createTopics(specs);
        const present = specs.map(({ topic }) => topic).filter((topic) => !created.includes(topic));
        context.topics = { created, present };
        update(`${created.length} created, ${present.length} were there`);
      } finally {
        await kafka.close();
      }
    },
  };
}

/** A broker that has just started on a starved machine takes long to answer, too. */
function patient(settings: KafkaConfig): KafkaConfig {
  const { connect_timeout: connect, request_timeout: request } = settings;
  return {
    ...settings,
    connect_timeout: Math.max(connect, START_PATIENCE),
    request_timeout: Math.max(request, START_PATIENCE),
  };
}

function prove({ loaded }: UpOptions): Step<UpContext> {
  return {
    title: 'send an event through Kafka and read it back',
    run: async ({ brokers }) => {
      const kafka = await connectKafka({ brokers, settings: patient(loaded.config.kafka) });
      try {
        await proveRoundTrip(kafka, loaded.config.topics.prefix);
      } finally {
        await kafka.close();
      }
    },
  };
}

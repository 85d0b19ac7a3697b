import { type BrokersOrigin, type FoundBrokers, adviceFor, findBrokers } from '../config/brokers.ts';
import { type LoadedConfig, loadConfig } from '../config/load.ts';
import { type KafkaConfig, STACK_PARTS, type StackPart } from '../config/schema.ts';
import { didYouMean } from '../core/near.ts';
import { type StackFile, readStackFile } from '../config/stack-file.ts';
import type { Millis } from '../core/clock.ts';
import { clientCommandFor } from '../core/environment/index.ts';
import { UserError } from '../core/errors.ts';
import type { RunSteps, Step } from '../core/steps.ts';
import { connectKafka } from '../kafka/connect.ts';
import { stackTopicSpecs, topicSpecs } from '../kafka/topics.ts';
import { type RunningBroker, startBroker } from './broker.ts';
import { KAFKA_VERSION, type KafkaDistribution, findKafka, installKafka } from './distribution.ts';
import { type FoundBroker, findBroker } from './found-broker.ts';
import { requireJava } from './java.ts';
import { fetchJars, jarPath, missingJars } from './jars.ts';
import { type StackPlace, stackPlace } from './place.ts';
import { type ConfiguredDatabase, askDatabase, configuredDatabase } from './postgres/configured.ts';
import { type FoundPostgres, findPostgres } from './postgres/found.ts';
import { POSTGRES_VERSION, findPostgresPrograms, installPostgres } from './postgres/programs.ts';
import { type RunningPostgres, startPostgres } from './postgres/server.ts';
import { proveRoundTrip } from './probe.ts';
import { requirePython } from './python.ts';
import { ASSUMED, DATABASE_URL, noting } from './record.ts';
import { FETCH_SPARK, type Spark, findSpark, installSpark } from './spark.ts';

/** How long the local broker may take for an answer. */
const START_PATIENCE = 60_000;

export interface UpOptions {
  loaded: LoadedConfig;
  env: NodeJS.ProcessEnv;
  /** The port for clients. Default: the port of the last start, or a free one. */
  port?: number | undefined;
  /** Whether to fetch Spark if there is none. */
  spark: boolean;
  /** What to start besides Kafka, and besides what hippo.yaml names. */
  with: readonly StackPart[];
  /** How long Kafka's start may take. Default: five minutes. */
  timeout?: Millis | undefined;
  signal?: AbortSignal | undefined;
}

export interface UpRequest extends Omit<UpOptions, 'loaded' | 'env' | 'with'> {
  /** `--with`, not checked yet. */
  with: readonly string[];
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
  /** Null: none is wanted. */
  postgres: PostgresFacts | null;
  /** Of `stack.jars`. */
  jars: { wanted: readonly string[]; missing: readonly string[] };
}

/** Of a PostgreSQL that is wanted: the configured one, else a local one. */
export type PostgresFacts =
  | { configured: ConfiguredDatabase }
  | { configured: null; running: FoundPostgres | null; hasPrograms: boolean };

/** What the steps find out as they run. */
export interface UpContext {
  brokers: string[];
  broker: RunningBroker | null;
  spark: Spark | null;
  postgres: RunningPostgres | null;
  /** Of the configured PostgreSQL. */
  postgresVersion: string | null;
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
  /** Null: none is wanted. The local one's password is in stack.json. */
  postgres: UpPostgres | null;
  /** The jars of `stack.jars`: their paths. */
  spark_jars: string[];
  topics: { created: string[]; present: string[] };
  /** The command that starts the project's client; null outside of a project and in one without jobs. */
  start_client: string | null;
  /** The command after it that shows the client at work; null where nothing is to be typed, or there is no client. */
  then: { command: string; about: 'tables' | 'job' | 'sources' } | null;
}

export type UpPostgres =
  | { from: 'environment'; variable: typeof DATABASE_URL; place: string; version: string }
  | {
      from: 'stack';
      /** Whether this command started it; false if it ran already. */
      started: boolean;
      place: string;
      version: string;
      pid: number;
      port: number;
      data: string;
      log: string;
    };

/** A plan that was not executed, for `--dry-run`. */
export interface UpPlan {
  dry_run: true;
  steps: { title: string; skip: string | null }[];
}

/**
 * Starts a local Kafka, and a PostgreSQL where one is wanted, creates the topics and fetches Spark and jars, as far as they are
 * missing.
 *
 * @throws UserError for a port together with configured brokers; what a step throws
 */
export async function up({
  file,
  profile,
  dryRun,
  runSteps,
  with: parts,
  ...rest
}: UpRequest): Promise<UpResult | UpPlan> {
  const { env } = process;
  const loaded = await loadConfig({ file, profile, cwd: process.cwd(), env, assumed: ASSUMED });
  const options = { ...rest, loaded, env, with: parts.map(partNamed) };
  const facts = await gatherUpFacts(options);
  const steps = planUp(facts, options);
  if (dryRun) return describeUp(steps, facts);
  const context = upContext(facts);
  await runSteps(steps, context);
  return upResult(facts, context, loaded);
}

function partNamed(word: string): StackPart {
  const part = STACK_PARTS.find((each) => each === word);
  if (part !== undefined) return part;
  throw new UserError(`--with must be one of ${STACK_PARTS.join(', ')}; it is "${word}"`, {
    why: didYouMean(word, STACK_PARTS),
    next: ['hippo up --with postgres'],
  });
}

/**
 * Gathers the facts; changes nothing.
 *
 * @throws UserError for a port together with configured brokers
 */
async function gatherUpFacts({ loaded, env, port, with: parts }: UpOptions): Promise<UpFacts> {
  const place = stackPlace(loaded.directory);
  const { stack } = loaded.config;
  const isWanted = [...stack.with, ...parts].includes('postgres');
  const more = {
    recorded: orNull(() => readStackFile(place.directory)),
    postgres: isWanted ? await postgresFacts(place, env) : null,
    jars: { wanted: stack.jars, missing: missingJars(stack.jars) },
  };
  const known = orNull(() => findBrokers(loaded, env));
  if (known !== null && known.origin.from !== 'stack') {
    if (port !== undefined) throw notOurs(known);
    // Jars are for Spark: then it is wanted here, too.
    const spark = stack.jars.length > 0 ? await findSpark(env) : null;
    return { place, configured: known, broker: null, kafka: null, spark, ...more };
  }
  const [broker, kafka, spark] = await Promise.all([findBroker(place.kafka), findKafka(env), findSpark(env)]);
  if (broker === null) await requireJava(env);
  return { place, configured: null, broker, kafka, spark, ...more };
}

async function postgresFacts(place: StackPlace, env: NodeJS.ProcessEnv): Promise<PostgresFacts> {
  const url = env[DATABASE_URL] ?? '';
  if (url !== '') return { configured: configuredDatabase(url) };
  const [running, programs] = await Promise.all([findPostgres(place.postgres), findPostgresPrograms()]);
  return { configured: null, running, hasPrograms: programs !== null };
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
  const { configured, broker, kafka, spark, postgres, jars, recorded } = facts;
  const isLocal = configured === null;
  const mustFetch = postgres?.configured === null && postgres.running === null && !postgres.hasPrograms;
  const usesSpark = isLocal || jars.wanted.length > 0;
  const isAboutJars = jars.wanted.length > 0 || recorded?.sparkJars !== undefined;
  return [
    ...(isLocal && broker === null && kafka === null ? [fetchKafka(options)] : []),
    ...(usesSpark && options.spark && spark === null ? [fetchSpark(options)] : []),
    ...(mustFetch ? [fetchPostgres(options)] : []),
    ...(isAboutJars ? [takeJars(facts, options)] : []),
    ...(isLocal ? [startKafka(facts, options)] : []),
    ...postgresSteps(facts, options),
    createTopics(facts, options),
    ...(isLocal && broker === null ? [prove(options)] : []),
  ];
}

function upContext(facts: UpFacts): UpContext {
  const brokers =
    facts.configured?.brokers ?? (facts.broker === null ? [] : [`127.0.0.1:${facts.broker.port}`]);
  const topics = { created: [], present: [] };
  return { brokers, broker: null, spark: facts.spark, postgres: null, postgresVersion: null, topics };
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

/** The command that starts the project's client, as typed here; null if there is nothing for it to do. */
function startOf({ file, config }: LoadedConfig): string | null {
  const work = { ...config.jobs, ...config.sources, ...config.services };
  if (file === null || Object.keys(work).length === 0) return null;
  return clientCommandFor(file, process.cwd());
}

/** What starts a run, or shows what has landed. */
function thenOf({ jobs, sources }: LoadedConfig['config']): UpResult['then'] {
  const names = Object.entries(jobs);
  if (names.some(([, { needs }]) => needsTable(needs)))
    return { command: 'hippo trigger --wait', about: 'tables' };
  const byItself = names.find(([, { needs }]) => needs.length === 0);
  if (byItself !== undefined) return { command: `hippo job run ${byItself[0]} --wait`, about: 'job' };
  return Object.keys(sources).length > 0 ? { command: 'hippo source list', about: 'sources' } : null;
}

/** Needs may be groups of needs. */
function needsTable(needs: unknown): boolean {
  if (typeof needs !== 'object' || needs === null) return false;
  return 'table' in needs || Object.values(needs).some(needsTable);
}

/** The result of the steps. */
function upResult(facts: UpFacts, context: UpContext, loaded: LoadedConfig): UpResult {
  const start = startOf(loaded);
  const { broker, spark } = context;
  const recorded = facts.recorded?.kafka ?? null;
  const kafka =
    broker !== null
      ? {
          pid: broker.pid,
          port: broker.port,
          version: broker.version,
          data: broker.dataDirectory,
          log: broker.logFile,
        }
      : facts.broker !== null && recorded !== null
        ? { ...facts.broker, data: recorded.dataDirectory, log: recorded.logFile }
        : null;
  return {
    started: broker !== null && facts.broker === null,
    brokers: context.brokers,
    configured: facts.configured?.origin ?? null,
    directory: facts.place.directory,
    kafka,
    spark: spark === null ? null : { submit: spark.sparkSubmit, version: spark.version },
    postgres: postgresOf(facts.postgres, context),
    spark_jars: facts.jars.wanted.map(jarPath),
    topics: context.topics,
    start_client: start,
    then: start === null ? null : thenOf(loaded.config),
  };
}

function postgresOf(facts: PostgresFacts | null, context: UpContext): UpPostgres | null {
  if (facts === null) return null;
  if (facts.configured !== null) {
    const { place } = facts.configured;
    return {
      from: 'environment',
      variable: DATABASE_URL,
      place,
      version: context.postgresVersion ?? 'unknown',
    };
  }
  if (context.postgres === null) return null;
  const { pid, port, version, data, logFile, database } = context.postgres;
  const place = `postgres://127.0.0.1:${port}/${database}`;
  const started = facts.running?.pid !== pid;
  return { from: 'stack', started, place, version, pid, port, data, log: logFile };
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
    title: FETCH_SPARK,
    run: async (context, update) => {
      await requirePython(env);
      context.spark = await installSpark(update, { env, signal });
    },
  };
}

function fetchPostgres({ signal }: UpOptions): Step<UpContext> {
  return {
    title: `fetch PostgreSQL ${POSTGRES_VERSION} (60 MB, once)`,
    run: async (_, update) => {
      await installPostgres(update, signal);
    },
  };
}

function takeJars({ place, recorded, jars }: UpFacts, { signal }: UpOptions): Step<UpContext> {
  const { wanted, missing } = jars;
  const sparkJars = wanted.map(jarPath).join(',');
  const names = missing.length === 1 ? missing[0] : `${missing.length} jars`;
  return {
    title: missing.length > 0 ? `fetch ${names ?? ''} for Spark (once)` : 'note the jars for Spark',
    skip: ({ spark }) =>
      missing.length === 0 &&
      sparkJars === (recorded?.sparkJars ?? '') &&
      spark?.sparkSubmit === recorded?.spark?.sparkSubmit &&
      'all are there',
    run: async ({ spark }, update) => {
      await fetchJars(missing, update, signal);
      const onWait = (): void => update('another hippo up is at it');
      await noting(place, () => Promise.resolve({ sparkJars, spark }), { onWait, signal });
    },
  };
}

function postgresSteps({ place, postgres }: UpFacts, options: UpOptions): Step<UpContext>[] {
  if (postgres === null) return [];
  const { signal, timeout } = options;
  if (postgres.configured !== null) {
    const { configured } = postgres;
    return [
      {
        title: `connect to ${configured.place} ($${DATABASE_URL})`,
        run: async (context) => {
          context.postgresVersion = await askDatabase(configured);
        },
      },
    ];
  }
  const { running } = postgres;
  const start = running === null ? `start PostgreSQL ${POSTGRES_VERSION}` : undefined;
  return [
    {
      title: start ?? `check the PostgreSQL at 127.0.0.1:${running?.port ?? ''}`,
      run: async (context, update) => {
        const options = { directory: place.postgres, signal, timeout, update };
        const noted = await noting(place, async () => ({ postgres: await startPostgres(options) }), {
          onWait: () => update('another hippo up is at it'),
          signal,
        });
        context.postgres = noted.postgres ?? null;
      },
    },
  ];
}

function startKafka({ place, broker, recorded, kafka }: UpFacts, options: UpOptions): Step<UpContext> {
  return {
    title: `start Kafka ${broker?.version ?? kafka?.version ?? KAFKA_VERSION}`,
    skip: ({ spark }) =>
      broker !== null &&
      broker.pid === recorded?.kafka?.pid &&
      (options.port ?? broker.port) === broker.port &&
      spark?.sparkSubmit === recorded.spark?.sparkSubmit
        ? `already up at 127.0.0.1:${broker.port}`
        : false,
    run: async (context, update) => {
      const { env, port, signal, timeout } = options;
      const start = (): Promise<RunningBroker> =>
        startBroker({ directory: place.kafka, port, env, signal, timeout, update });
      const noted = await noting(place, async () => ({ broker: await start(), spark: context.spark }), {
        onWait: () => update('another hippo up is at it'),
        signal,
      });
      context.broker = noted.broker ?? null;
      context.brokers = noted.broker?.brokers ?? [];
    },
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
        const specs = [
          ...topicSpecs(loaded.config, brokers.length),
          ...stackTopicSpecs(loaded.config.stack, brokers.length),
        ];
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

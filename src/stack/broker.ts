import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import getPort from 'get-port';
import { tryToConnect } from '../core/connect.ts';
import { ChildError, TimeoutError, UserError } from '../core/errors.ts';
import { execa, spawnDetached } from '../core/exec.ts';
import { type KafkaDistribution, requireKafka } from './distribution.ts';
import { requireJava } from './java.ts';
import { type BrokerFiles, type FoundBroker, brokerFiles, findBroker, stopBroker } from './found-broker.ts';
import { isAlive } from '../core/environment/index.ts';
import {
  type BrokerPorts,
  type BrokerProperties,
  brokerFile,
  brokerProperties,
  readBrokerFile,
} from './properties.ts';
import type { Millis } from '../core/clock.ts';
import { pollStart } from '../core/deadline.ts';
import { formatDuration } from '../core/duration.ts';

/** How long a start may take at most, unless the caller says otherwise. */
const START_TIMEOUT = 300_000;
/** A broker whose log has not grown for so long is not starting any more. */
const START_QUIET = 60_000;
/** Another process can take a port between the check and Kafka's start; then other ports are tried. */
const START_ATTEMPTS = 3;

export interface BrokerOptions {
  /** Its own folder: `server.properties`, `data/` and `broker.log` are written there. */
  directory: string;
  /** The port for clients. Default: the port of the last start in this folder if it is free, else any free port. */
  port?: number | undefined;
  /** Settings to add or to replace, by Kafka's own names. */
  properties?: BrokerProperties | ((ports: BrokerPorts) => BrokerProperties);
  /** Further arguments of Kafka's `format`, e.g. `['--add-scram', 'SCRAM-SHA-256=[name=a,password=b]']`. */
  formatArguments?: readonly string[];
  env?: NodeJS.ProcessEnv;
  /** Default: the Kafka of this machine, fetched if there is none. */
  kafka?: KafkaDistribution;
  /** Called with progress, e.g. which files are being fetched. */
  update?: (detail: string) => void;
  /** How long the start may take at most. Default: five minutes. */
  timeout?: Millis | undefined;
  /** How long its log may stay as it is before the start is given up. Default: one minute. */
  quiet?: Millis | undefined;
  /** Aborts the start; no process is left. */
  signal?: AbortSignal | undefined;
}

export interface RunningBroker {
  /** `127.0.0.1:<port>` */
  brokers: string[];
  pid: number;
  port: number;
  dataDirectory: string;
  logFile: string;
  version: string;
  /** Sends SIGTERM, then SIGKILL after a grace period. The data stay. Safe to repeat. */
  stop(): Promise<void>;
}

/**
 * Starts a real Kafka on loopback and waits until it takes connections, which it does only when it is ready. The
 * process is a session of its own: it outlives the caller. One that already runs in this folder is taken as it is.
 *
 * @throws UserError without Java or Kafka, or when the demanded port is not to be had; ChildError with the end of its
 * log when it stops at once; TimeoutError when its log does not grow any more, or the time is over
 */
export async function startBroker(options: BrokerOptions): Promise<RunningBroker> {
  const { update = () => undefined, env = process.env, signal } = options;
  const files = brokerFiles(options.directory);
  const running = await findBroker(options.directory);
  if (running !== null) return adopt(running, files, options);

  const java = await requireJava(env);
  const kafka = options.kafka ?? (await requireKafka(env, update, signal));
  const jvm = [java.command, ...JVM_OPTIONS, '-cp', kafka.classpath] as const;
  await mkdir(files.data, { recursive: true });
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    const ports = await choosePorts(files, options.port, attempt > 1);
    await writeProperties(files, kafka.version, ports, options.properties);
    if (!existsSync(join(files.data, 'meta.properties'))) {
      update('formatting its storage');
      await format(jvm, files, options);
    }
    update(`starting on port ${ports.client}`);
    const pid = await spawnBroker(jvm, files, env);
    try {
      await untilListening(pid, ports.client, files, options);
    } catch (error) {
      await stopBroker(options.directory);
      if (error instanceof PortTaken && options.port === undefined && attempt < START_ATTEMPTS) continue;
      throw error;
    }
    return runningBroker({ pid, port: ports.client, version: kafka.version }, options.directory);
  }
}

async function adopt(found: FoundBroker, files: BrokerFiles, options: BrokerOptions): Promise<RunningBroker> {
  const { port, directory } = options;
  if (port !== undefined && port !== found.port) {
    throw new UserError(`Kafka is already up, on port ${found.port}`, {
      next: ['hippo down', `then hippo up --port ${port}`],
    });
  }
  await untilListening(found.pid, found.port, files, options);
  return runningBroker(found, directory);
}

function runningBroker(found: FoundBroker, directory: string): RunningBroker {
  const files = brokerFiles(directory);
  return {
    ...found,
    brokers: [`127.0.0.1:${found.port}`],
    dataDirectory: files.data,
    logFile: files.log,
    stop: async () => {
      await stopBroker(directory);
    },
  };
}

/** JVM options of a small node that starts quickly. */
const JVM_OPTIONS = [
  '-Xms64m',
  '-Xmx512m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-XX:+ExitOnOutOfMemoryError',
  '-Djava.awt.headless=true',
  // A Kafka from KAFKA_HOME brings Log4j, which would look for a configuration file.
  '-Dorg.apache.logging.log4j.level=INFO',
  '-Dorg.slf4j.simpleLogger.showDateTime=true',
  '-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss.SSS',
] as const;

class PortTaken extends ChildError {}

async function choosePorts(
  files: BrokerFiles,
  demanded: number | undefined,
  afresh: boolean,
): Promise<BrokerPorts> {
  const text = afresh ? '' : await readFile(files.properties, 'utf8').catch(() => '');
  const last = readBrokerFile(text)?.ports;
  const host = '127.0.0.1';
  const preferred = demanded ?? last?.client;
  const client = await getPort({ host, ...(preferred === undefined ? {} : { port: preferred }) });
  if (demanded !== undefined && client !== demanded) {
    throw new UserError(`port ${demanded} is taken`, {
      next: ['hippo up --port with another one', 'or hippo up without --port: it takes a free one'],
    });
  }
  const controller = await getPort({
    host,
    exclude: [client],
    ...(last === undefined ? {} : { port: last.controller }),
  });
  return { client, controller };
}

async function writeProperties(
  files: BrokerFiles,
  version: string,
  ports: BrokerPorts,
  more: BrokerOptions['properties'],
): Promise<void> {
  const further = typeof more === 'function' ? more(ports) : more;
  const text = brokerFile(version, { ...brokerProperties(ports, files.data), ...further });
  await writeFile(files.properties, text, { mode: 0o600 });
}

async function format(
  jvm: readonly [string, ...string[]],
  files: BrokerFiles,
  options: BrokerOptions,
): Promise<void> {
  const [java, ...words] = jvm;
  const id = newClusterId();
  const result = await execa(
    java,
    [
      ...words,
      'kafka.tools.StorageTool',
      'format',
      '-t',
      id,
      '-c',
      files.properties,
      ...(options.formatArguments ?? []),
    ],
    {
      reject: false,
      all: true,
      stdin: 'ignore',
      ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
    },
  );
  options.signal?.throwIfAborted();
  if (result.failed) {
    throw new ChildError("Kafka's storage could not be formatted", {
      why: result.all.split('\n').slice(-3).join('\n'),
      next: [`look at ${files.properties}`],
    });
  }
}

/** A UUID in Kafka's form, without a dash at the start: the tool would take it for an option, and Kafka makes none either. */
export function newClusterId(bytes: Uint8Array = randomBytes(16)): string {
  const id = Buffer.from(bytes).toString('base64url');
  return id.startsWith('-') ? newClusterId() : id;
}

async function spawnBroker(
  jvm: readonly [string, ...string[]],
  files: BrokerFiles,
  env: NodeJS.ProcessEnv,
): Promise<number> {
  const [java, ...words] = jvm;
  // The log of the previous start is kept, because it may say why that broker ended.
  await rename(files.log, `${files.log}.1`).catch(() => undefined);
  const log = await open(files.log, 'w', 0o600);
  try {
    const broker = spawnDetached(java, [...words, 'kafka.Kafka', files.properties], {
      cwd: dirname(files.data),
      env,
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    });
    await once(broker, 'spawn');
    broker.unref();
    return broker.pid ?? Number.NaN;
  } finally {
    await log.close();
  }
}

async function untilListening(
  pid: number,
  port: number,
  files: BrokerFiles,
  { timeout = START_TIMEOUT, quiet = START_QUIET, signal }: BrokerOptions,
): Promise<void> {
  const isListening = async (): Promise<boolean> => {
    if (await accepts(port)) return true;
    if (await isAlive(pid)) return false;
    throw await whyItDied(files);
  };
  const sign = (): Promise<number> => sizeOf(files.log);
  const outcome = await pollStart(isListening, { every: 50, millis: timeout, quiet, sign, signal });
  if (outcome !== 'ready') {
    throw new TimeoutError(
      outcome === 'silent'
        ? `Kafka is not ready, and its log has not grown for ${formatDuration(quiet)}`
        : `Kafka was not ready within ${formatDuration(timeout)}`,
      {
        why: await endOfLog(files.log),
        next: [
          ...(outcome === 'late' ? ['give it more time: hippo up --timeout 15m'] : []),
          `look at ${files.log}`,
        ],
      },
    );
  }
  // Another process may be listening on the port while this broker is about to fail.
  if (!(await isAlive(pid))) throw await whyItDied(files);
}

async function whyItDied(files: BrokerFiles): Promise<ChildError> {
  const log = await readFile(files.log, 'utf8').catch(() => '');
  const details = { why: await endOfLog(files.log), next: [`look at ${files.log}`] };
  return /Address already in use|BindException/.test(log)
    ? new PortTaken('Kafka stopped at once: its port is taken', details)
    : new ChildError('Kafka stopped at once', details);
}

async function sizeOf(file: string): Promise<number> {
  const found = await stat(file).catch(() => undefined);
  return found?.size ?? 0;
}

/** The end of a log: its last errors, else its last lines. */
async function endOfLog(file: string): Promise<string> {
  const lines = (await readFile(file, 'utf8').catch(() => '')).trimEnd().split('\n');
  const errors = lines.filter((line) => /\b(ERROR|FATAL|Exception)\b/.test(line));
  return (errors.length > 0 ? errors : lines)
    .slice(-4)
    .map((line) => line.trim().slice(0, 300))
    .join('\n');
}

async function accepts(port: number): Promise<boolean> {
  return (await tryToConnect({ host: '127.0.0.1', port }, AbortSignal.timeout(1_000))) === null;
}

import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Variables } from '../core/environment/index.ts';
import { UserError } from '../core/errors.ts';
import { cacheDirectory } from '../core/paths.ts';
import { installOnce } from './install.ts';
import { fetchArtifacts } from './maven.ts';
import type { Artifact } from './pom.ts';

/** The version that is fetched if `KAFKA_HOME` is not set: the newest one that hippo is tested with. */
export const KAFKA_VERSION = '4.3.1';
/** The oldest version that hippo is tested with. */
export const OLDEST_KAFKA_VERSION = '3.9.2';

/** The classes of a Kafka. */
export interface KafkaDistribution {
  /** Java's own wildcard form: `<folder>/*`. */
  classpath: string;
  version: string;
  source: 'KAFKA_HOME' | 'cache';
}

/** The Kafka of this machine: `KAFKA_HOME`, else this user's cache; null if it must be fetched. */
export async function findKafka(env: Variables): Promise<KafkaDistribution | null> {
  const home = env['KAFKA_HOME'];
  if (home !== undefined && home !== '') return kafkaOfHome(home);
  const directory = cachedKafka(KAFKA_VERSION);
  return existsSync(directory)
    ? { classpath: join(directory, 'lib', '*'), version: KAFKA_VERSION, source: 'cache' }
    : null;
}

/**
 * Fetches Kafka's jars into the user's cache with Maven. Safe to repeat, to interrupt and to run twice at once.
 *
 * @param update called with progress
 * @param version each one has a folder of its own
 * @throws UserError if there is no Maven, ChildError if it fails
 */
export async function installKafka(
  update: (detail: string) => void,
  signal?: AbortSignal,
  version = KAFKA_VERSION,
): Promise<KafkaDistribution> {
  const directory = cachedKafka(version);
  await installOnce(directory, (temporary) => resolveJars(temporary, version, update, signal), {
    onWait: () => update('another hippo is fetching it'),
    signal,
  });
  return { classpath: join(directory, 'lib', '*'), version, source: 'cache' };
}

/** {@link findKafka}, else {@link installKafka}. */
export async function requireKafka(
  env: Variables,
  update: (detail: string) => void = () => undefined,
  signal?: AbortSignal,
): Promise<KafkaDistribution> {
  return (await findKafka(env)) ?? installKafka(update, signal);
}

function cachedKafka(version: string): string {
  return join(cacheDirectory(), `kafka-${version}`);
}

async function kafkaOfHome(home: string): Promise<KafkaDistribution> {
  const libs = join(home, 'libs');
  const names = await readdir(libs).catch(() => []);
  const version = names
    .map((name) => /^kafka_2\.\d+-(\d[\w.]*?)\.jar$/.exec(name)?.[1])
    .find((found) => found !== undefined);
  if (version === undefined) {
    throw new UserError('KAFKA_HOME holds no Kafka', {
      why: `There is no kafka_2.*.jar in ${libs}.`,
      next: ['point KAFKA_HOME at an unpacked Kafka release', 'or unset KAFKA_HOME: hippo then fetches one'],
    });
  }
  return { classpath: join(libs, '*'), version, source: 'KAFKA_HOME' };
}

async function resolveJars(
  directory: string,
  version: string,
  update: (detail: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  await fetchArtifacts(directory, {
    name: 'local-kafka',
    artifacts: artifacts(version),
    what: 'Kafka',
    instead: [
      'or unpack a Kafka release (https://kafka.apache.org/downloads) and point KAFKA_HOME at it',
      'or name running brokers in hippo.yaml: kafka.brokers',
    ],
    update,
    signal,
  });
}

/** Kafka's broker and a logger. Versions that are not pinned here are pinned by Kafka's own pom. */
const artifacts = (version: string): Artifact[] => [
  { group: 'org.apache.kafka', artifact: 'kafka_2.13', version },
  { group: 'org.slf4j', artifact: 'slf4j-simple', version: '1.7.36' },
];

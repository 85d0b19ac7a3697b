import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, rmdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { GROUP_PREFIX, identityOfGroup } from '../config/groups.ts';
import { findUpward } from '../config/find.ts';
import { CONFIG_FILE, type LoadOptions, type LoadedConfig, loadConfig } from '../config/load.ts';
import { type KafkaConfig, parseConfig } from '../config/schema.ts';
import { removeStackFile } from '../config/stack-file.ts';
import { UserError } from '../core/errors.ts';
import type { RunSteps, Step } from '../core/steps.ts';
import { connectKafka } from '../kafka/connect.ts';
import type { GroupInfo } from '../kafka/port.ts';
import { type FoundBroker, findBroker, stopBroker } from './found-broker.ts';
import { exclusively } from './lock.ts';
import { ASSUMED } from './record.ts';
import { type StackPlace, stackPlace } from './place.ts';
import { type FoundPostgres, findPostgres, sharedDataOf, stopPostgres } from './postgres/found.ts';

export interface DownRequest {
  /** `--config` and `--profile`. */
  file: string | undefined;
  profile: string | undefined;
  /** Remove the data too. */
  purge: boolean;
  /** Describe the steps and do nothing. */
  dryRun: boolean;
  /** Asks the operator before data are removed; false changes nothing. */
  confirm: (question: string) => Promise<boolean>;
  runSteps: RunSteps;
}

/** The facts before anything is changed. */
export interface DownFacts {
  place: StackPlace;
  /** null if none runs. */
  broker: FoundBroker | null;
  /** null if none runs. */
  postgres: FoundPostgres | null;
  /** The folders that a purge would remove, of Kafka and of PostgreSQL. */
  data: string[];
  /** Clients of hippos that are connected to it now. */
  clients: ConnectedClient[];
  /** The problem of hippo.yaml; null if there is none. */
  problem: string | null;
}

export interface ConnectedClient {
  /** Its identity, `<prefix>/<name>`: hippos of all prefixes lose this Kafka. */
  hippo: string;
  /** The host, as Kafka reports it. */
  host: string;
}

type Outcome = 'gone' | 'stopped' | 'killed';

interface DownContext {
  outcome: Outcome;
  postgres: Outcome;
}

export interface DownResult {
  /**
   * `gone`: nothing ran; `killed`: it did not stop in time, and its log is recovered on the next start; `declined`: the
   * user declined the purge, and nothing was changed.
   */
  outcome: Outcome | 'declined';
  kafka: { pid: number; port: number; version: string } | null;
  /** null if none ran. */
  postgres: { outcome: Outcome | 'declined'; pid: number; port: number; version: string } | null;
  /** Clients that were connected. They keep trying until Kafka is back. */
  clients: ConnectedClient[];
  /** The folder of Kafka's data; null if there are none (any more). */
  data: string | null;
  /** The folder of PostgreSQL's data; null if there are none (any more). */
  postgres_data: string | null;
  /** The problem of hippo.yaml, which does not keep the stack from being stopped; null if there is none. */
  problem: string | null;
}

/** A plan that was not executed, for `--dry-run`. */
export interface DownPlan {
  dry_run: true;
  steps: string[];
}

/** How long a broker that does not answer may keep `down` from stopping it. */
const ASK_DEADLINE = 3_000;

/**
 * Stops the local Kafka and, with `purge`, removes its data.
 *
 * @throws UserError if the given hippo.yaml does not exist; what a step throws
 */
export async function down(request: DownRequest): Promise<DownResult | DownPlan> {
  const { file, profile, purge, dryRun, confirm, runSteps } = request;
  const project = await findDownProject({
    file,
    profile,
    cwd: process.cwd(),
    env: process.env,
    assumed: ASSUMED,
  });
  const facts = await gatherDownFacts(project);
  const steps = planDown(facts, { purge });
  if (dryRun) return { dry_run: true, steps: steps.map(({ title }) => title) };
  if (purge && facts.data.length > 0 && !(await confirm(purgeQuestion(facts))))
    return downResult(facts, { outcome: 'declined', postgres: 'declined' });
  const context: DownContext = { outcome: 'gone', postgres: 'gone' };
  await runSteps(steps, context);
  return downResult(facts, context);
}

function purgeQuestion({ place, data }: DownFacts): string {
  const events = data.includes(place.kafka) ? [`all topics and events in ${place.kafka}`] : [];
  const databases = data.includes(place.postgres) ? [`all databases in ${place.postgres}`] : [];
  return `Remove ${[...events, ...databases].join(', and ')}?`;
}

/** Gathers the facts; changes nothing. */
async function gatherDownFacts(project: DownProject): Promise<DownFacts> {
  const { directory, problem } = project;
  const place = stackPlace(directory);
  const [broker, postgres] = await Promise.all([findBroker(place.kafka), findPostgres(place.postgres)]);
  return {
    place,
    broker,
    postgres,
    data: [place.kafka, place.postgres].filter((folder) => existsSync(folder)),
    clients: broker === null ? [] : await connectedClients(broker, project),
    problem,
  };
}

/** A hippo.yaml with problems must not keep the stack from being stopped. */
interface DownProject extends Pick<LoadedConfig, 'directory'> {
  kafka: KafkaConfig;
  /** The problem of hippo.yaml; null if there is none. */
  problem: string | null;
}

/** @throws UserError if the given hippo.yaml does not exist */
async function findDownProject(options: LoadOptions): Promise<DownProject> {
  try {
    const { directory, config } = await loadConfig(options);
    return { directory, kafka: config.kafka, problem: null };
  } catch (error) {
    const file =
      options.file === undefined ? findUpward(options.cwd, CONFIG_FILE) : resolve(options.cwd, options.file);
    if (!(error instanceof UserError) || file === undefined || !existsSync(file)) throw error;
    return { directory: dirname(file), kafka: parseConfig({}).kafka, problem: error.message };
  }
}

/** The steps from the facts to a stopped stack. */
export function planDown(
  { place, broker, postgres, data }: DownFacts,
  { purge }: { purge: boolean },
): Step<DownContext>[] {
  const lock = (update: (detail: string) => void, work: () => Promise<void>): Promise<void> =>
    exclusively(place.lock, work, { onWait: () => update('another hippo up or down is at it') });
  return [
    ...(data.includes(place.postgres)
      ? [
          {
            title: `stop PostgreSQL${postgres === null ? '' : ` (pid ${postgres.pid}, port ${postgres.port})`}`,
            skip: () => (postgres === null ? 'none runs' : false),
            run: (context: DownContext, update: (detail: string) => void) =>
              lock(update, async () => {
                context.postgres = await stopPostgres(place.postgres);
              }),
          },
        ]
      : []),
    {
      title: `stop Kafka${broker === null ? '' : ` (pid ${broker.pid}, port ${broker.port})`}`,
      skip: () => (existsSync(place.state) ? false : 'nothing runs'),
      run: async (context, update) => {
        await mkdir(place.state, { recursive: true });
        await lock(update, async () => {
          context.outcome = await stopBroker(place.kafka);
          await removeStackFile(place.directory);
        });
      },
    },
    ...(purge
      ? [
          {
            title: `remove ${data.length === 0 ? place.kafka : data.join(' and ')}`,
            skip: () => (data.length > 0 ? false : 'there are no data'),
            run: async () => {
              const shared = await sharedDataOf(place.postgres);
              for (const folder of [...(shared === null ? [] : [shared]), ...data])
                await rm(folder, { recursive: true, force: true });
              await removeIfEmpty(place.state);
            },
          },
        ]
      : []),
  ];
}

function downResult(
  { place, broker, postgres, clients, problem }: DownFacts,
  ended: { outcome: DownResult['outcome']; postgres: DownResult['outcome'] },
): DownResult {
  const ifThere = (folder: string): string | null => (existsSync(folder) ? folder : null);
  return {
    outcome: ended.outcome,
    kafka: broker,
    postgres:
      postgres === null
        ? null
        : { outcome: ended.postgres, pid: postgres.pid, port: postgres.port, version: postgres.version },
    clients,
    data: ifThere(place.kafka),
    postgres_data: ifThere(place.postgres),
    problem,
  };
}

/** Removes the folder and the .gitignore that `hippo up` created; other files stay. */
async function removeIfEmpty(state: string): Promise<void> {
  const names = await readdir(state);
  if (names.some((name) => name !== '.gitignore')) return;
  await rm(join(state, '.gitignore'), { force: true });
  await rmdir(state);
}

/** The members of the hippos' groups; empty if the broker does not answer. */
async function connectedClients(
  { port }: FoundBroker,
  { kafka: own }: DownProject,
): Promise<ConnectedClient[]> {
  try {
    const settings = { ...own, connect_timeout: ASK_DEADLINE, request_timeout: ASK_DEADLINE };
    const kafka = await connectKafka({ brokers: [`127.0.0.1:${port}`], settings });
    try {
      return (await kafka.groups(GROUP_PREFIX)).flatMap(clientsOf);
    } finally {
      await kafka.close();
    }
  } catch {
    // The clients are only for a warning, so an error here does not matter: the broker is about to be stopped.
    return [];
  }
}

/** The clients in a hippo's group. */
export function clientsOf({ group, members }: Pick<GroupInfo, 'group' | 'members'>): ConnectedClient[] {
  return members.map(({ clientHost }) => ({
    hippo: identityOfGroup(group),
    host: clientHost.replace(/^\//, ''),
  }));
}

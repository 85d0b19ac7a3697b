import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { GROUP_PREFIX } from '../config/groups.ts';
import type { LoadedConfig } from '../config/load.ts';
import { removeStackFile } from '../config/stack-file.ts';
import type { Step } from '../core/steps.ts';
import { connectKafka } from '../kafka/connect.ts';
import type { GroupInfo } from '../kafka/port.ts';
import { type FoundBroker, findBroker, stopBroker } from './found-broker.ts';
import { exclusively } from './lock.ts';
import { type StackPlace, stackPlace } from './place.ts';

/** What is here before anything is done. */
export interface DownFacts {
  place: StackPlace;
  /** null: none runs. */
  broker: FoundBroker | null;
  /** Whether there are data that a purge would remove. */
  data: boolean;
  /** Clients of hippos that are connected to it now. */
  clients: ConnectedClient[];
}

export interface ConnectedClient {
  hippo: string;
  /** Where it runs, as Kafka tells it. */
  host: string;
}

export interface DownContext {
  outcome: 'gone' | 'stopped' | 'killed';
}

export interface DownResult {
  /**
   * `gone`: nothing ran; `killed`: it did not stop in time, its log is recovered on the next start; `declined`: the
   * person said no to the purge, nothing was changed.
   */
  outcome: DownContext['outcome'] | 'declined';
  kafka: { pid: number; port: number; version: string } | null;
  /** Clients that were connected: they keep on trying until Kafka is back. */
  clients: ConnectedClient[];
  /** Where Kafka's data are; null when there are none (any more). */
  data: string | null;
}

/** A plan that has not been carried out, for `--dry-run`. */
export interface DownPlan {
  dry_run: true;
  steps: string[];
}

/** How long a broker that does not answer may keep `down` from stopping it. */
const ASK_DEADLINE = 3_000;

/** Looks at what is here; changes nothing. */
export async function gatherDownFacts(loaded: LoadedConfig): Promise<DownFacts> {
  const place = stackPlace(loaded.directory);
  const broker = await findBroker(place.kafka);
  return {
    place,
    broker,
    data: existsSync(place.kafka),
    clients: broker === null ? [] : await connectedClients(broker, loaded),
  };
}

/** The steps that lead from the facts to a stack that is down. */
export function planDown(
  { place, broker, data }: DownFacts,
  { purge }: { purge: boolean },
): Step<DownContext>[] {
  return [
    {
      title: `stop Kafka${broker === null ? '' : ` (pid ${broker.pid}, port ${broker.port})`}`,
      skip: () => (existsSync(place.state) ? false : 'nothing runs'),
      run: async (context, update) => {
        await mkdir(place.state, { recursive: true });
        await exclusively(
          place.lock,
          async () => {
            context.outcome = await stopBroker(place.kafka);
            await removeStackFile(place.directory);
          },
          { onWait: () => update('another hippo up or down is at it') },
        );
      },
    },
    ...(purge
      ? [
          {
            title: `remove ${place.kafka}`,
            skip: () => (data ? false : 'there are no data'),
            run: async () => {
              await rm(place.kafka, { recursive: true, force: true });
              await removeIfEmpty(dirname(place.kafka));
            },
          },
        ]
      : []),
  ];
}

export function downResult(
  { place, broker, clients }: DownFacts,
  outcome: DownResult['outcome'],
): DownResult {
  return { outcome, kafka: broker, clients, data: existsSync(place.kafka) ? place.kafka : null };
}

/** `hippo up` made the folder and its .gitignore; what others put there stays. */
async function removeIfEmpty(state: string): Promise<void> {
  const names = await readdir(state);
  if (names.some((name) => name !== '.gitignore')) return;
  await rm(join(state, '.gitignore'), { force: true });
  await rmdir(state);
}

/** By the members of the hippos' groups; none where the broker does not tell. */
async function connectedClients({ port }: FoundBroker, { config }: LoadedConfig): Promise<ConnectedClient[]> {
  try {
    const settings = { ...config.kafka, connect_timeout: ASK_DEADLINE, request_timeout: ASK_DEADLINE };
    const kafka = await connectKafka({ brokers: [`127.0.0.1:${port}`], settings });
    try {
      return (await kafka.groups(GROUP_PREFIX)).flatMap(clientsOf);
    } finally {
      await kafka.close();
    }
  } catch {
    // A warning is not worth more: a broker that does not answer is about to be stopped.
    return [];
  }
}

/** The clients in a hippo's group, which is named `hippo.<name>`. */
export function clientsOf({ group, members }: Pick<GroupInfo, 'group' | 'members'>): ConnectedClient[] {
  return members.map(({ clientHost }) => ({
    hippo: group.replace(/^hippo\./, ''),
    host: clientHost.replace(/^\//, ''),
  }));
}

/** What the clients of this hippo say of its services: in their health messages, because only they know. */
import { topicName } from '../../config/topics.ts';
import type { LoadedConfig } from '../../config/load.ts';
import { type Json, isJsonObject } from '../../core/json.ts';
import type { Kafka } from '../../kafka/port.ts';
import { readUntilNow } from '../../kafka/read-until-now.ts';
import { parseMessage } from '../../messages/index.ts';
import { type StateEntry, readState, recordOfEntry } from '../../state/reader.ts';
import { type Finding, error, ok, warning } from '../check.ts';

/** A client that has not been heard for so many intervals is gone. */
const INTERVALS = 3;

/** A service as one client tells of it. */
export interface ToldService {
  /** `<address>, pid <pid>` */
  client: string;
  name: string;
  status: string;
  error: string | null;
  /** By model: the version that it says it serves; null: none. */
  models: Readonly<Record<string, string | null>>;
}

/** Which version of a model is to be served, and since when, epoch milliseconds. */
export interface Pointer {
  version: string;
  since: number;
}

/** By model of the hippo that has a version that serves. */
export async function pointersOf(
  kafka: Kafka,
  { config }: Pick<LoadedConfig, 'config'>,
  hippo: string,
): Promise<Map<string, Pointer>> {
  const found = new Map<string, Pointer>();
  if (Object.keys(config.models).length === 0) return found;
  const take = (entry: StateEntry): void => {
    if (entry.key.kind !== 'model') return;
    const record = recordOfEntry(entry);
    const state = record?.kind === 'model' ? record.state : undefined;
    if (state === undefined || state.serving === null) found.delete(entry.key.model);
    else found.set(entry.key.model, { version: state.serving, since: state.since ?? 0 });
  };
  await readState(kafka, topicName(config, 'state'), take, hippo);
  return found;
}

/** @returns null where no client has been heard lately */
export async function toldServices(
  kafka: Kafka,
  { config }: Pick<LoadedConfig, 'config'>,
  hippo: string,
): Promise<ToldService[] | null> {
  const since = Date.now() - INTERVALS * config.client.health_interval;
  const latest = new Map<string, ToldService[]>();
  await readUntilNow(kafka, topicName(config, 'health'), since, ({ value }) => {
    const parsed = value === null ? undefined : parseMessage('health', value);
    if (parsed?.ok !== true || parsed.message.serviceName !== hippo) return;
    const { clientIp, servicePid, extra } = parsed.message;
    const client = `${clientIp}, pid ${servicePid}`;
    const services = Array.isArray(extra['services']) ? extra['services'].filter(isJsonObject) : [];
    latest.set(
      client,
      services.map(({ name, status, error: why, models = null }) => ({
        client,
        name: typeof name === 'string' ? name : '?',
        status: typeof status === 'string' ? status : '?',
        error: typeof why === 'string' ? why : null,
        models: versionsIn(models),
      })),
    );
  });
  return latest.size === 0 ? null : [...latest.values()].flat();
}

function versionsIn(models: Json): Record<string, string | null> {
  if (!isJsonObject(models)) return {};
  return Object.fromEntries(
    Object.entries(models).map(([name, version]) => [name, typeof version === 'string' ? version : null]),
  );
}

/** A service has loaded a version after so long, unless it cannot, milliseconds. */
const LOADING = 60_000;

/** A version that is to be served, and that a service does not serve although it had the time to load it. */
function notServed(
  { client, name, status, models }: ToldService,
  pointers: ReadonlyMap<string, Pointer>,
  now: number,
): Finding[] {
  if (status === 'paused' || status === 'given-up' || status === 'stopped') return [];
  return Object.entries(models).flatMap(([model, version]) => {
    const pointer = pointers.get(model);
    if (pointer === undefined || pointer.version === version || now - pointer.since < LOADING) return [];
    const instead = version === null ? 'no version of it' : `${version} instead`;
    return [
      warning(`Service ${name} at ${client} does not serve ${pointer.version} of ${model}, but ${instead}`, {
        commands: [`hippo model show ${model}`],
        text: `Its log in .hippo/logs/${name}/ says why.`,
      }),
    ];
  });
}

/** Those that need a person, or, where there are none, that all are ready. */
export function findingsOf(
  told: readonly ToldService[],
  pointers: ReadonlyMap<string, Pointer> = new Map(),
  now: number = Date.now(),
): Finding[] {
  const behind = told.flatMap((service) => notServed(service, pointers, now));
  const findings = told.flatMap(({ client, name, status, error: why }): Finding[] => {
    const resume = { commands: [`hippo job resume ${name}`] };
    const reason = why === null ? '' : `: ${why}`;
    switch (status) {
      case 'given-up':
        return [
          error(
            `Service ${name} is given up at ${client}, because it ended again and again${reason}`,
            resume,
          ),
        ];
      case 'paused':
        return [warning(`Service ${name} is paused at ${client}`, resume)];
      case 'not-ready':
      case 'restarting':
        return [warning(`Service ${name} is ${status} at ${client}${reason}`)];
      default:
        return [];
    }
  });
  if (findings.length + behind.length > 0 || told.length === 0) return [...findings, ...behind];
  return [ok(`Services: ${told.map(({ name, status }) => `${name} ${status}`).join(', ')}`)];
}

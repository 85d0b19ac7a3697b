/** What the clients of this hippo say of its services: in their health messages, because only they know. */
import { topicName } from '../../config/topics.ts';
import type { LoadedConfig } from '../../config/load.ts';
import { isJsonObject } from '../../core/json.ts';
import type { Kafka } from '../../kafka/port.ts';
import { readUntilNow } from '../../kafka/read-until-now.ts';
import { parseMessage } from '../../messages/index.ts';
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
      services.map(({ name, status, error: why }) => ({
        client,
        name: typeof name === 'string' ? name : '?',
        status: typeof status === 'string' ? status : '?',
        error: typeof why === 'string' ? why : null,
      })),
    );
  });
  return latest.size === 0 ? null : [...latest.values()].flat();
}

/** Those that need a person, or, where there are none, that all are ready. */
export function findingsOf(told: readonly ToldService[]): Finding[] {
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
  if (findings.length > 0 || told.length === 0) return findings;
  return [ok(`Services: ${told.map(({ name, status }) => `${name} ${status}`).join(', ')}`)];
}

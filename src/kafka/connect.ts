import type { KafkaConfig } from '../config/schema.ts';
import type { Kafka } from './port.ts';

export interface ConnectOptions {
  /** `host:port` each; the first one that answers is used. */
  brokers: readonly string[];
  /** The section `kafka` of hippo.yaml. */
  settings: KafkaConfig;
  /** Left out: `kafka.client_id`. */
  clientId?: string;
  /** The remedies if no broker answers. */
  next?: readonly string[] | undefined;
  /** Gives up connecting when it is aborted, and throws its reason. */
  signal?: AbortSignal | undefined;
}

/**
 * Loads the Kafka client, and checks that a broker answers and accepts our credentials.
 *
 * @throws ServiceError within `connect_timeout` (5 s by default), naming each broker that was tried and why it failed
 * @throws UserError for a broken section `kafka`
 */
export async function connectKafka({
  brokers,
  settings,
  clientId,
  next,
  signal,
}: ConnectOptions): Promise<Kafka> {
  const { openKafka } = await import('./kafkajs.ts');
  const { connectionSettings } = await import('./settings.ts');
  try {
    return await openKafka(connectionSettings(brokers, settings, clientId), signal);
  } catch (error) {
    const { advised } = await import('./errors.ts');
    const { UnreachableError } = await import('./failures.ts');
    throw next !== undefined && error instanceof UnreachableError ? advised(error, next) : error;
  }
}

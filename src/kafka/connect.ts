import type { KafkaConfig } from '../config/schema.ts';
import type { Kafka } from './port.ts';

export interface ConnectOptions {
  /** `host:port` each; the first one that answers is used. */
  brokers: readonly string[];
  /** The section `kafka` of hippo.yaml. */
  settings: KafkaConfig;
  /** Left out: `kafka.client_id`. */
  clientId?: string;
}

/**
 * Loads the Kafka client, and proves that a broker answers and lets us in.
 *
 * @throws ServiceError within `connect_timeout` (5 s by default), naming each broker that was tried and why it failed
 * @throws UserError for a broken section `kafka`
 */
export async function connectKafka({ brokers, settings, clientId }: ConnectOptions): Promise<Kafka> {
  const { openKafka } = await import('./kafkajs.ts');
  const { connectionSettings } = await import('./settings.ts');
  return openKafka(connectionSettings(brokers, settings, clientId));
}

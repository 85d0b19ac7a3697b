import { resolveBrokers } from '../config/brokers.ts';
import { type LoadOptions, type LoadedConfig, loadConfig } from '../config/load.ts';
import { connectKafka } from './connect.ts';
import type { Kafka } from './port.ts';

/**
 * Reads hippo.yaml and connects to its Kafka: what every command that talks to Kafka begins with.
 *
 * @throws UserError for a broken hippo.yaml, or when no broker is known
 * @throws ServiceError when none answers in time
 */
export async function connectProject(options: LoadOptions): Promise<{ loaded: LoadedConfig; kafka: Kafka }> {
  const loaded = await loadConfig(options);
  const brokers = await resolveBrokers(loaded, options.env);
  return { loaded, kafka: await connectKafka({ brokers, settings: loaded.config.kafka }) };
}

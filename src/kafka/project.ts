import { adviceFor, requireBrokers } from '../config/brokers.ts';
import type { LoadedConfig } from '../config/load.ts';
import { connectKafka } from './connect.ts';
import type { Kafka } from './port.ts';

/**
 * Connects to the Kafka of a loaded hippo.yaml.
 *
 * @throws UserError when no broker is known
 * @throws ServiceError when none answers in time
 */
export async function connectProject(loaded: LoadedConfig, env: NodeJS.ProcessEnv): Promise<Kafka> {
  const { brokers, origin } = requireBrokers(loaded, env);
  return connectKafka({ brokers, settings: loaded.config.kafka, next: adviceFor(origin) });
}

import { adviceFor, requireBrokers } from '../config/brokers.ts';
import type { LoadedConfig } from '../config/load.ts';
import { connectKafka } from './connect.ts';
import type { Kafka } from './port.ts';

/**
 * Connects to the Kafka of a loaded hippo.yaml.
 *
 * @param signal gives up when it is aborted, and throws its reason
 * @throws UserError when no broker is known
 * @throws ServiceError when none answers in time
 */
export async function connectProject(
  loaded: LoadedConfig,
  env: NodeJS.ProcessEnv,
  signal?: AbortSignal,
): Promise<Kafka> {
  const { brokers, origin } = requireBrokers(loaded, env);
  return connectKafka({ brokers, settings: loaded.config.kafka, next: adviceFor(origin), signal });
}

import envPaths from 'env-paths';

/** Where hippo keeps what can be fetched again (Kafka's jars, Spark's virtual environment), per user. */
export function cacheDirectory(): string {
  return process.env['HIPPO_CACHE'] ?? envPaths('hippo', { suffix: '' }).cache;
}

/** A project's own folder for run-time state; never committed. */
export const PROJECT_STATE_DIRECTORY = '.hippo';

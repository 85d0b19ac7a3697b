/** `hippo serve`: what it serves follows from its environment and hippo.yaml. */
import { loadConfig } from '../config/load.ts';
import { type ServeOptions, type ServeReport, serveModels } from './models-server.ts';

export type { ServeOptions, ServeReport };

/**
 * Serves the models of `$HIPPO_MODEL_FILE` where the client has set it, else `queries` of hippo.yaml, until it is told to stop.
 *
 * @throws UserError for a setting that cannot be used
 */
export async function serve(options: ServeOptions): Promise<ServeReport> {
  if ((options.env['HIPPO_MODEL_FILE'] ?? '') !== '') return serveModels(options);
  const loaded = await loadConfig({ ...options, cwd: options.cwd ?? process.cwd() });
  if (loaded.config.queries === undefined) return serveModels(options);
  const { serveQueries } = await import('./queries-server.ts');
  return serveQueries(options, loaded);
}

/** Serves `queries` of hippo.yaml over HTTP. */
import { resolve } from 'node:path';
import { type LoadedConfig, hippoName } from '../config/load.ts';
import type { QueriesConfig } from '../config/schema.ts';
import { type HttpApp, Keys, createApp } from '../http/app/index.ts';
import { type Queries, openQueries } from '../query/index.ts';
import { version } from '../version.ts';
import { type ServeOptions, type ServeReport, aborted, defaults, portOf } from './models-server.ts';

/** For a query that ends at its timeout to be answered with that. */
const ANSWERING = 1_000;

type Log = (level: 'info' | 'warning', text: string) => void;

/** @throws UserError for a route, a key or an address that cannot be used */
export async function serveQueries(options: ServeOptions, loaded: LoadedConfig): Promise<ServeReport> {
  const { env, stop, log } = options;
  // Before the application is there, which has the log, what DuckDB finds is kept for it.
  const early: Parameters<Log>[] = [];
  let notice: Log = (level, text) => void early.push([level, text]);
  const queries = await openQueries({ loaded, env, notice: (level, text) => notice(level, text) });
  try {
    const app = await openApp({ loaded, queries, env, log, onKeys: (text) => notice('warning', text) });
    const { log: logger } = app.fastify;
    notice = (level, text) => (level === 'info' ? logger.info(text) : logger.warn(text));
    for (const said of early) notice(...said);
    await queries.addTo(app);
    logger.info({ address: await app.listen() }, 'serving');
    await aborted(stop);
    logger.info('draining');
    return await app.drain();
  } finally {
    await queries.close();
  }
}

interface AppParts {
  loaded: LoadedConfig;
  queries: Queries;
  env: NodeJS.ProcessEnv;
  log: ServeOptions['log'];
  onKeys: (text: string) => void;
}

async function openApp({ loaded, queries, env, log, onKeys }: AppParts): Promise<HttpApp> {
  const { config, directory } = loaded;
  const settings = config.serve ?? defaults();
  const { host, page, limits, drain, keys_file: file } = settings;
  const keys = await Keys.open(
    { keys: settings.keys, file: file === undefined ? undefined : resolve(directory, file) },
    { setting: 'serve', onError: onKeys },
  );
  const name = hippoName(loaded);
  return createApp({
    host,
    port: portOf(env, settings),
    setting: 'serve',
    title: name,
    description: `Queries of the hippo ${name}. Each answer has the header hippo-data-version.`,
    version,
    keys,
    hasPage: page,
    limits: {
      ...limits,
      answer: Math.max(limits.answer, longestQuery(config.queries) + ANSWERING),
      notice: drain.notice,
      drain: drain.limit,
    },
    readiness: () => queries.readiness(),
    log,
  });
}

function longestQuery(queries: QueriesConfig | undefined): number {
  if (queries === undefined) return 0;
  return Math.max(...Object.values(queries.routes).map(({ timeout }) => timeout ?? queries.timeout));
}

/** The queries of one hippo.yaml, from opening DuckDB to its end. */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { LoadedConfig } from '../config/load.ts';
import type { QueriesConfig } from '../config/schema.ts';
import { UserError } from '../core/errors.ts';
import { PROJECT_STATE_DIRECTORY } from '../core/paths.ts';
import type { HttpApp, Readiness } from '../http/app/index.ts';
import { type Route, compileRoutes } from './compile.ts';
import { Data } from './data.ts';
import { Engine } from './engine.ts';
import type { History, HistoryOptions } from './history.ts';
import { eventOf, landingsOf } from './landings.ts';
import { addQueryMetrics } from './metrics.ts';
import type { TableSpec } from './partitions.ts';
import { addQueryRoutes } from './routes.ts';
import { takeSlot } from './slot.ts';

export interface QueriesOptions {
  loaded: LoadedConfig;
  env: NodeJS.ProcessEnv;
  notice: (level: 'info' | 'warning', text: string) => void;
}

export interface Queries {
  /** Adds its routes and metrics, before the application listens. */
  addTo(app: HttpApp): Promise<void>;
  readiness(): Readiness;
  /** After the last request. */
  close(): Promise<void>;
}

/**
 * Opens DuckDB, makes the first data version and checks the routes.
 *
 * @throws ConfigError with every problem of the routes
 * @throws UserError where hippo.yaml has no queries, or a path that DuckDB would take for something else
 */
export async function openQueries({ loaded, env, notice }: QueriesOptions): Promise<Queries> {
  const { queries } = loaded.config;
  if (queries === undefined)
    throw new UserError('hippo.yaml has no queries', { next: ['add the section queries: docs/QUERIES.md'] });
  const tables = tablesOf(loaded, queries);
  const parent = join(loaded.directory, PROJECT_STATE_DIRECTORY, 'queries', env['HIPPO_SERVICE'] ?? 'serve');
  for (const path of [parent, ...tables.map(({ location }) => location)]) refusePattern(path);
  const slot = await takeSlot(parent);
  const engine = await Engine.open({
    memory: queries.memory,
    threads: queries.threads,
    connections: connectionsFor(queries.connections, env, notice),
    waiting: queries.waiting,
    readable: [join(slot.folder, 'snapshots'), ...tables.map(({ location }) => location)],
    scratch: join(slot.folder, 'scratch'),
  });
  try {
    // Before the first look at the folders: what lands meanwhile has an event that is read.
    const history = await historyOf({
      loaded,
      env,
      folder: slot.folder,
      tables,
      notice,
      land: (landings) => data.land(landings),
    });
    const data = await Data.open({ tables, folder: slot.folder, engine, keep: queries.keep, notice });
    const routes = await compileRoutes({ loaded, queries, engine, data });
    return running({ tables, routes, engine, data, env, history, release: () => slot.release() });
  } catch (error) {
    await engine.close();
    await slot.release();
    throw error;
  }
}

interface Running {
  tables: readonly TableSpec[];
  routes: readonly Route[];
  engine: Engine;
  data: Data;
  env: NodeJS.ProcessEnv;
  history: History | null;
  release: () => Promise<void>;
}

/** null: no client runs this process, so that nothing is told. */
async function historyOf(options: HistoryOptions): Promise<History | null> {
  if (options.env['HIPPO_RELOAD_FILE'] === undefined || options.env['HIPPO_KAFKA_BROKERS'] === undefined)
    return null;
  const { History: Opened } = await import('./history.ts');
  return Opened.open(options);
}

function running({ tables, routes, engine, data, env, history, release }: Running): Queries {
  const land = async (text: string): Promise<void> => {
    const event = eventOf(text);
    if (event !== null) await data.land(landingsOf(event, tables));
  };
  const reload = async (body: unknown): Promise<void> => {
    // The client has written the file before: nobody else can say what has landed.
    const { HIPPO_RELOAD_FILE: file } = env;
    await land(file === undefined ? JSON.stringify(body) : await readFile(file, 'utf8'));
    history?.look();
  };
  return {
    addTo: async ({ fastify, registry }) => {
      addQueryRoutes(fastify, { routes, engine, data, reload });
      await addQueryMetrics(registry, { engine, data });
      // What landed while no process was there to be told.
      if (env['HIPPO_RELOAD_FILE'] !== undefined) await reload(null);
    },
    readiness: () => {
      const { missing } = data;
      return {
        isReady: missing.length === 0,
        body: missing.length === 0 ? {} : { awaited: missing, why: 'these tables have no data yet' },
      };
    },
    close: async () => {
      await history?.close();
      await data.close();
      await engine.close();
      await release();
    },
  };
}

function tablesOf({ directory }: Pick<LoadedConfig, 'directory'>, queries: QueriesConfig): TableSpec[] {
  return Object.entries(queries.tables).map(([name, { location, partition, columns }]) => ({
    name,
    location: resolve(directory, location),
    levels: Object.entries(partition).map(([level, type]) => ({ name: level, type })),
    columns,
  }));
}

/** In a list of files DuckDB takes these characters for a pattern, and "=" for a partition. */
function refusePattern(path: string): void {
  const [found] = /[*?[\]=]/.exec(path) ?? [];
  if (found === undefined) return;
  throw new UserError(`queries cannot read ${path}`, {
    why: `DuckDB would not take the "${found}" in the path for a part of its name`,
    next: ['move the folder to a path without * ? [ ] and ='],
  });
}

/** Node's own threads for files, which a query occupies one of as long as it runs. */
const USUAL_POOL = 4;
/** Threads that are kept for the reads of files. */
const SPARE = 2;

/** As many as hippo.yaml says, but fewer than libuv has threads: else slow queries would hold up every read of a file. */
function connectionsFor(wanted: number, env: NodeJS.ProcessEnv, notice: QueriesOptions['notice']): number {
  const pool = Number(env['UV_THREADPOOL_SIZE'] ?? USUAL_POOL);
  const most = Math.max(1, (Number.isInteger(pool) && pool > 0 ? pool : USUAL_POOL) - SPARE);
  if (wanted > most)
    notice(
      'warning',
      `${most} queries run at the same time, not ${wanted}: set UV_THREADPOOL_SIZE=${wanted + SPARE} in the environment of the service`,
    );
  return Math.min(wanted, most);
}

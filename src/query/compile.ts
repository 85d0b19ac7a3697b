/** The routes of hippo.yaml, checked by DuckDB before the first request: what they read, and what they answer. */
import { createHash } from 'node:crypto';
import type { LoadedConfig } from '../config/load.ts';
import type { ConfigPath } from '../config/path.ts';
import { type Problem, problemsError } from '../config/problems.ts';
import { RESERVED_PARAMETERS } from '../config/queries-schema.ts';
import type { QueriesConfig, QueryRouteConfig } from '../config/schema.ts';
import { messageOf } from '../core/errors.ts';
import { isJsonObject, parseJson } from '../core/json.ts';
import { didYouMean } from '../core/near.ts';
import { type Column, columnOf } from './columns.ts';
import type { Data } from './data.ts';
import { bindingsOf, literal } from './duck.ts';
import { type Engine, QueryFailure } from './engine.ts';
import type { Key, Paging } from './paging.ts';
import { type Parameter, WrongValue, parameterOf, sampleOf } from './parameters.ts';
import { type OrderColumn, type SqlRules, type SqlShape, SqlProblem, shapeOf } from './sql.ts';

/** A route that can be answered. */
export interface Route {
  name: string;
  config: QueryRouteConfig;
  tables: readonly string[];
  parameters: readonly Parameter[];
  /** Those that are parts of the path. */
  inPath: ReadonlySet<string>;
  timeout: number;
  /** Changes with its SQL. */
  fingerprint: string;
  /** null: its tables have no data yet, from which DuckDB could tell its columns. */
  shape: RouteShape | null;
}

export interface RouteShape {
  columns: readonly Column[];
  paging: Paging;
}

interface Parts {
  loaded: Pick<LoadedConfig, 'config' | 'place'>;
  queries: QueriesConfig;
  engine: Engine;
  data: Data;
}

/** Milliseconds for DuckDB to tell the columns of a query. */
const DESCRIBING = 30_000;

/**
 * @throws ConfigError that lists every problem with its line: unknown tables and parameters, statements other than one SELECT,
 *   rows without an order
 */
export async function compileRoutes(parts: Parts): Promise<Route[]> {
  const { queries, loaded } = parts;
  const problems: Problem[] = [];
  const unstable = await unstableFunctions(parts.engine);
  const routes: Route[] = [];
  for (const [name, config] of Object.entries(queries.routes)) {
    const path = ['queries', 'routes', name];
    const complain = (at: ConfigPath, message: string, lines = 0): void => {
      const place = loaded.place([...path, ...at]);
      problems.push({ place: { ...place, ...(lines > 0 && { line: (place.line ?? 0) + lines }) }, message });
    };
    const route = await compileRoute({ ...parts, unstable }, { name, config, complain });
    if (route !== null) routes.push(route);
  }
  samePaths(routes, (name, message) =>
    problems.push({ place: loaded.place(['queries', 'routes', name, 'path']), message }),
  );
  if (problems.length > 0) throw problemsError(problems[0]?.place.file ?? 'hippo.yaml', problems);
  return routes;
}

type Complain = (at: ConfigPath, message: string, lines?: number) => void;

async function compileRoute(
  parts: Parts & { unstable: ReadonlySet<string> },
  { name, config, complain }: { name: string; config: QueryRouteConfig; complain: Complain },
): Promise<Route | null> {
  const parameters = readParameters(config, complain);
  if (parameters === null) return null;
  const { queries, engine, data, unstable } = parts;
  const rules: SqlRules = {
    tables: new Set(Object.keys(queries.tables)),
    parameters: new Set(Object.keys(config.parameters)),
    unstable,
  };
  try {
    const { shape, sql } = await parse(engine, config.sql, rules);
    checkUse(config, shape);
    const route: Route = {
      name,
      config,
      tables: shape.tables,
      parameters,
      inPath: new Set(pathParameters(config.path)),
      timeout: config.timeout ?? queries.timeout,
      fingerprint: createHash('sha256')
        .update(`${name}\n${sql}\n${JSON.stringify(shape.order)}`)
        .digest('base64url'),
      shape: null,
    };
    const describe = (): Promise<RouteShape | null> =>
      shapeOfRoute({ engine, data }, route, { sql, order: shape.order });
    route.shape = await describe();
    later.set(route, describe);
    return route;
  } catch (error) {
    if (error instanceof SqlProblem)
      complain(['sql'], withHint(error, rules), linesBefore(config.sql, error.offset));
    else if (error instanceof QueryFailure) complain(['sql'], `cannot be run: ${reasonOf(error)}`);
    else throw error;
    return null;
  }
}

/** How a route finds its shape once its tables have data. */
const later = new WeakMap<Route, () => Promise<RouteShape | null>>();

/** @returns null: its tables still have no data */
export async function shapeWhenThere(route: Route): Promise<RouteShape | null> {
  return (route.shape ??= (await later.get(route)?.()) ?? null);
}

function readParameters(config: QueryRouteConfig, complain: Complain): Parameter[] | null {
  const read: Parameter[] = [];
  let isFine = true;
  for (const [name, parameter] of Object.entries(config.parameters)) {
    try {
      read.push(parameterOf(name, parameter));
    } catch (error) {
      if (!(error instanceof WrongValue)) throw error;
      isFine = false;
      complain(['parameters', name], error.message);
    }
    if (!RESERVED_PARAMETERS.includes(name)) continue;
    isFine = false;
    complain(['parameters', name], 'is a name that each route has already; take another one');
  }
  for (const name of pathParameters(config.path)) {
    if (Object.hasOwn(config.parameters, name)) continue;
    isFine = false;
    complain(['path'], `has {${name}}, which is not in parameters`);
  }
  return isFine ? read : null;
}

function pathParameters(path: string): string[] {
  return [...path.matchAll(/\{([^}]+)\}/g)].map(([, name = '']) => name);
}

async function parse(
  engine: Engine,
  sql: string,
  rules: SqlRules,
): Promise<{ shape: SqlShape; sql: string }> {
  const serialised = parseJson(await textOf(engine, `SELECT json_serialize_sql(${literal(sql)})`));
  if (!isJsonObject(serialised)) throw new SqlProblem('is not SQL of DuckDB');
  const shape = shapeOf(serialised, rules);
  // Without comments and a semicolon it can stand in a larger statement.
  return { shape, sql: await textOf(engine, `SELECT json_deserialize_sql(${literal(shape.unordered)})`) };
}

async function textOf(engine: Engine, sql: string): Promise<string> {
  const result = await engine.control([sql]);
  return String(result?.getRows()[0]?.[0] ?? '');
}

async function unstableFunctions(engine: Engine): Promise<Set<string>> {
  const result = await engine.control([
    `SELECT DISTINCT function_name FROM duckdb_functions() WHERE stability <> 'CONSISTENT'`,
  ]);
  return new Set((result?.getRows() ?? []).map(([name]) => String(name)));
}

function checkUse(config: QueryRouteConfig, { parameters, order, tables }: SqlShape): void {
  const unused = Object.keys(config.parameters).find((name) => !parameters.includes(name));
  if (unused !== undefined) throw new SqlProblem(`does not use $${unused}, which is in parameters`);
  if (tables.length === 0) throw new SqlProblem('reads no table');
  if (config.answer === 'rows' && order.length === 0)
    throw new SqlProblem(
      'has no ORDER BY, without which its pages have no order; for a single row set answer: row',
    );
}

function withHint(problem: SqlProblem, rules: SqlRules): string {
  const [, table] = /^reads (\S+), which/.exec(problem.message) ?? [];
  const [, parameter] = /^uses \$(\w+), which/.exec(problem.message) ?? [];
  const hint =
    table === undefined
      ? parameter === undefined
        ? undefined
        : didYouMean(parameter, rules.parameters)
      : didYouMean(table, rules.tables);
  return hint === undefined ? problem.message : `${problem.message}. ${hint}`;
}

/** A text of several lines begins in the line after its key. */
function linesBefore(sql: string, offset: number | null): number {
  if (offset === null || !sql.includes('\n')) return 0;
  return 1 + (sql.slice(0, offset).match(/\n/g)?.length ?? 0);
}

/** What DuckDB says of a query, in one line, and without the query. */
function reasonOf({ cause, kind }: QueryFailure): string {
  const [first = ''] = messageOf(cause ?? kind).split('\n');
  return first.replace(/^(Binder|Catalog|Parser) Error: /, '');
}

async function shapeOfRoute(
  { engine, data }: Pick<Parts, 'engine' | 'data'>,
  route: Route,
  { sql, order }: { sql: string; order: readonly OrderColumn[] },
): Promise<RouteShape | null> {
  if (data.missing.some((table) => route.tables.includes(table))) return null;
  const version = data.hold(route.tables);
  if (version === null) return null;
  try {
    const values = new Map(
      route.parameters.map((one) => [one.name, { type: one.config.type, value: sampleOf(one) }]),
    );
    const { names, types } = await engine.run(
      { catalog: version.catalog, timeout: DESCRIBING },
      async (ask) => {
        const result = await ask(`(${sql}\n) LIMIT 0`, bindingsOf(engine.duck, values));
        return { names: result.columnNames(), types: result.columnTypes() };
      },
    );
    const columns = names.map((name, index) =>
      columnOf(engine.duck, name, types[index] ?? engine.duck.VARCHAR),
    );
    const twice = names.find(
      (name, index) => names.findIndex((one) => one.toLowerCase() === name.toLowerCase()) !== index,
    );
    if (twice !== undefined)
      throw new SqlProblem(`has two columns named ${twice}; give one another name with AS`);
    const keys = route.config.answer === 'row' ? [] : keysOf(order, columns);
    return { columns, paging: { sql, keys, columns: names } };
  } finally {
    data.release(version);
  }
}

function keysOf(order: readonly OrderColumn[], columns: readonly Column[]): Key[] {
  const keys = new Map<string, Key>();
  for (const { column, offset, isDescending, nullsFirst } of order) {
    const found =
      typeof column === 'number'
        ? columns[column - 1]
        : columns.find(({ name }) => name.toLowerCase() === column.toLowerCase());
    if (found === undefined)
      throw new SqlProblem(`orders by ${column}, which is not a column of the answer`, offset);
    if (!found.isKey)
      throw new SqlProblem(
        `orders by ${found.name}, whose type ${String(found.type)} cannot be paged by; order by a number, text, date or time`,
        offset,
      );
    if (!keys.has(found.name))
      keys.set(found.name, { name: found.name, type: String(found.type), isDescending, nullsFirst });
  }
  return [...keys.values()];
}

/** Paths that only differ in the names of their parameters are the same. */
function samePaths(routes: readonly Route[], complain: (name: string, message: string) => void): void {
  const seen = new Map<string, string>();
  for (const { name, config } of routes) {
    const pattern = config.path.replaceAll(/\{[^}]+\}/g, '{}');
    const [first = ''] = pattern.slice(1).split('/');
    if (OWN_PATHS.has(first)) complain(name, `begins with /${first}, which the service itself answers`);
    const other = seen.get(pattern);
    if (other !== undefined) complain(name, `is the path of ${other}, too`);
    seen.set(pattern, name);
  }
}

const OWN_PATHS = new Set(['healthz', 'readyz', 'metrics', 'openapi.json', 'docs', 'freshness', 'reload']);

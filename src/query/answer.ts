/** Answers a request of a route: from its text to the bytes of one page. */
import { createHash, randomUUID } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBValue } from '@duckdb/node-api';
import { type FieldProblem, invalid } from '../http/app/index.ts';
import { HttpProblem } from '../http/index.ts';
import { FORMATS, type Format } from './accept.ts';
import { type Cell, cellOf, csvOf, rowWriter } from './columns.ts';
import { type Route, type RouteShape, shapeWhenThere } from './compile.ts';
import type { Data, DataVersion } from './data.ts';
import { type Bindings, bindingsOf, literal } from './duck.ts';
import { type Ask, type Engine, QueryFailure } from './engine.ts';
import { type Place, cursorOf, nextPlace, pageSql, placeValues, readCursor } from './paging.ts';
import { type ParameterValue, WrongValue, canonical } from './parameters.ts';

/** A request as a route understands it. */
export interface QueryRequest {
  values: ReadonlyMap<string, ParameterValue | null>;
  /** Rows of a page. */
  limit: number;
  cursor: { version: string; place: Place } | null;
  /** The route's SQL with these values: what a cursor belongs to. */
  id: string;
}

export interface QueryAnswer {
  etag: string;
  version: string;
  /** null: the client has it already. */
  body: Buffer | null;
  /** The cursor of the next page; null: this is the last one. */
  next: string | null;
}

export interface AnswerParts {
  engine: Engine;
  data: Data;
}

/** A query that meets a vanished file starts again on a new list of files, so many times. */
const TRIES = 4;

/** @throws HttpProblem 400 with every wrong parameter */
export function readRequest(
  route: Route,
  { params, query }: { params: Readonly<Record<string, unknown>>; query: Readonly<Record<string, unknown>> },
): QueryRequest {
  const errors: FieldProblem[] = [];
  const values = new Map<string, ParameterValue | null>();
  for (const parameter of route.parameters) {
    const { name, config } = parameter;
    const part = route.inPath.has(name) ? 'path' : 'query';
    const text = (part === 'path' ? params : query)[name];
    const complain = (detail: string): void => void errors.push({ in: part, pointer: `/${name}`, detail });
    if (text === undefined) {
      if (config.required) complain('is missing');
      values.set(name, parameter.preset);
    } else if (typeof text !== 'string') complain('must be given once');
    else {
      try {
        values.set(name, parameter.read(text));
      } catch (error) {
        if (!(error instanceof WrongValue)) throw error;
        complain(error.message);
      }
    }
  }
  errors.push(...unknownIn(route, query));
  const id = createHash('sha256')
    .update(JSON.stringify([route.fingerprint, [...values].map(([name, value]) => [name, canonical(value)])]))
    .digest('base64url');
  const limit = limitOf(route, query['limit'], errors);
  const cursor = cursorIn(query['cursor'], id, errors);
  if (errors.length > 0) throw invalid(errors);
  return { values, limit, cursor, id };
}

function unknownIn(route: Route, query: Readonly<Record<string, unknown>>): FieldProblem[] {
  const known = new Set(
    route.parameters.filter(({ name }) => !route.inPath.has(name)).map(({ name }) => name),
  );
  if (route.config.answer === 'rows') for (const name of ['limit', 'cursor']) known.add(name);
  return Object.keys(query)
    .filter((name) => !known.has(name))
    .map((name) => ({
      in: 'query',
      pointer: `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`,
      detail: 'is not known',
    }));
}

function limitOf({ config }: Route, text: unknown, errors: FieldProblem[]): number {
  const { size, most } = config.page;
  if (text === undefined) return size;
  const limit = typeof text === 'string' && /^[1-9]\d{0,5}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > most)
    errors.push({ in: 'query', pointer: '/limit', detail: `must be a whole number from 1 to ${most}` });
  return limit;
}

function cursorIn(text: unknown, id: string, errors: FieldProblem[]): QueryRequest['cursor'] {
  if (text === undefined) return null;
  const cursor = typeof text === 'string' ? readCursor(text, id) : null;
  if (cursor === null)
    errors.push({
      in: 'query',
      pointer: '/cursor',
      detail: 'is not a cursor of this route with these parameters',
    });
  return cursor;
}

export interface Wanted {
  format: Format;
  /** Of If-None-Match; undefined: none. */
  known: string | undefined;
  signal: AbortSignal;
}

/**
 * @throws HttpProblem
 * @throws QueryFailure `fault`: its cause is for the log
 */
export async function answerQuery(
  parts: AnswerParts,
  route: Route,
  request: QueryRequest,
  wanted: Wanted,
): Promise<QueryAnswer> {
  const until = performance.now() + route.timeout;
  for (let tries = 1; ; tries += 1) {
    const shape = await shapeWhenThere(route);
    const version = shape === null ? null : holdFor(parts.data, route, request);
    if (shape === null || version === null) throw withoutData();
    try {
      return await onVersion({ ...parts, route, request, wanted, shape, version, until });
    } catch (error) {
      if (!(error instanceof QueryFailure)) throw error;
      if (error.kind !== 'gone') throw problemOf(error, route);
      if (tries === TRIES) throw new HttpProblem(503, 'the data are being changed; try again', RETRY);
      await parts.data.renew(route.tables);
    } finally {
      parts.data.release(version);
    }
  }
}

const RETRY = { 'retry-after': '1' };

function withoutData(): HttpProblem {
  return new HttpProblem(503, 'there are no data yet for this route; /freshness says for which table', {
    'retry-after': '10',
  });
}

function holdFor(data: Data, { tables }: Route, { cursor }: QueryRequest): DataVersion | null {
  const version = data.hold(tables, cursor?.version ?? null);
  if (version !== null || cursor === null) return version;
  throw new HttpProblem(410, 'newer data have come since the first page; begin again without cursor');
}

interface Work extends AnswerParts {
  route: Route;
  request: QueryRequest;
  wanted: Wanted;
  shape: RouteShape;
  version: DataVersion;
  until: number;
}

async function onVersion(work: Work): Promise<QueryAnswer> {
  const { engine, data, route, request, wanted, version, until } = work;
  const id = version.idOf(route.tables);
  const etag = etagOf(request, wanted.format, id);
  if (isKnown(wanted.known, etag)) return { etag, version: id, body: null, next: null };
  const page = await engine.run(
    { catalog: version.catalog, timeout: until - performance.now(), signal: wanted.signal },
    (ask) => (wanted.format === 'parquet' ? parquetPage(work, ask) : textPage(work, ask, id)),
  );
  if (!(await data.isUnchanged(version, route.tables))) throw new QueryFailure('gone');
  return {
    etag,
    version: id,
    body: page.body,
    next: page.next === null ? null : cursorOf(page.next, { version: id, request: request.id }),
  };
}

function etagOf({ id, limit, cursor }: QueryRequest, format: Format, version: string): string {
  const hash = createHash('sha256').update(JSON.stringify([id, limit, cursor?.place ?? null, format]));
  return `"${version}-${hash.digest('base64url').slice(0, 16)}"`;
}

/** The comparison of If-None-Match is a weak one (RFC 9110, 13.1.2). */
function isKnown(known: string | undefined, etag: string): boolean {
  if (known === undefined) return false;
  return known.split(',').some((one) => [etag, '*'].includes(one.trim().replace(/^W\//, '')));
}

interface Page {
  body: Buffer;
  next: Place | null;
}

async function textPage(work: Work, ask: Ask, id: string): Promise<Page> {
  const { engine, route, request, shape, wanted } = work;
  const { columns, paging } = shape;
  const isOne = route.config.answer === 'row';
  const wantedRows = isOne ? 1 : request.limit;
  const place = request.cursor?.place ?? null;
  const result = await ask(pageSql(paging, { select: 'page', place, rows: wantedRows + 1 }), bind(work));
  const rows = result.getRows();
  const shown = rows
    .slice(0, wantedRows)
    .map((row) => columns.map((_, index) => cellOf(engine.duck, row[index] ?? null)));
  if (isOne) checkOne(rows.length);
  const next = rows.length > wantedRows ? placeAfter(rows.slice(0, wantedRows), work) : null;
  const text = wanted.format === 'csv' ? csvOf(columns, shown) : jsonOf(work, { rows: shown, next, id });
  return { body: Buffer.from(text), next };
}

function checkOne(rows: number): void {
  if (rows === 0) throw new HttpProblem(404, 'there is no such row');
  if (rows > 1)
    throw new QueryFailure(
      'fault',
      new Error('the route has answer: row, but its query returned several rows'),
    );
}

function jsonOf(
  { route, request, shape }: Work,
  { rows, next, id }: { rows: readonly (readonly Cell[])[]; next: Place | null; id: string },
): string {
  const write = rowWriter(shape.columns);
  if (route.config.answer === 'row') return `${write(rows[0] ?? [])}\n`;
  const cursor = next === null ? null : cursorOf(next, { version: id, request: request.id });
  return `{"data_version":${JSON.stringify(id)},"rows":[${rows.map(write).join()}],"next":${JSON.stringify(cursor)}}\n`;
}

/** DuckDB writes Parquet to files only. Whether rows follow is asked first: the file cannot tell. */
async function parquetPage(work: Work, ask: Ask): Promise<Page> {
  const { engine, route, request, shape } = work;
  const isOne = route.config.answer === 'row';
  const rows = isOne ? 1 : request.limit;
  const place = request.cursor?.place ?? null;
  const bindings = bind(work);
  const counted = isOne
    ? await ask(pageSql(shape.paging, { select: 'rows', place, rows: 2 }), bindings)
    : await ask(pageSql(shape.paging, { select: 'keys', place, rows: rows + 1 }), bindings);
  const found = counted.getRows();
  if (isOne) checkOne(found.length);
  const file = join(engine.scratch, `${randomUUID()}.parquet`);
  try {
    await ask(
      `COPY (${pageSql(shape.paging, { select: 'rows', place, rows })}) TO ${literal(file)} (FORMAT parquet)`,
      bindings,
    );
    const hasMore = !isOne && found.length > rows;
    return {
      body: await readFile(file),
      next: hasMore ? nextPlace(keyTexts(found.slice(0, rows), 0), place) : null,
    };
  } finally {
    await rm(file, { force: true });
  }
}

function placeAfter(rows: readonly DuckDBValue[][], { shape, request }: Work): Place {
  return nextPlace(keyTexts(rows, shape.columns.length), request.cursor?.place ?? null);
}

function keyTexts(rows: readonly DuckDBValue[][], from: number): (string | null)[][] {
  return rows.map((row) => row.slice(from).map((value) => (value === null ? null : String(value))));
}

function bind({ engine, route, request }: Work): Bindings {
  const values = new Map<string, { type: ParameterValue['type']; value: ParameterValue | null }>();
  for (const { name, config } of route.parameters)
    values.set(name, { type: config.type, value: request.values.get(name) ?? null });
  for (const [name, value] of request.cursor === null ? [] : placeValues(request.cursor.place))
    values.set(name, { type: 'text', value: { type: 'text', value } });
  return bindingsOf(engine.duck, values);
}

function problemOf(failure: QueryFailure, { parameters, timeout }: Route): Error {
  switch (failure.kind) {
    case 'full':
      return new HttpProblem(503, 'more queries wait than the service takes', RETRY);
    case 'late':
      return new HttpProblem(503, `the query takes longer than ${timeout / 1_000} s`, RETRY);
    case 'memory':
      return new HttpProblem(503, 'the query needs more memory than it may use', { 'retry-after': '10' });
    case 'value':
      return parameters.length > 0
        ? new HttpProblem(400, 'the query cannot be computed for these parameters')
        : failure;
    case 'stopped':
      return new HttpProblem(503, 'the request was stopped', RETRY);
    default:
      return failure;
  }
}

export function contentTypeOf(format: Format): string {
  return format === 'csv' ? `${FORMATS.csv}; charset=utf-8; header=present` : FORMATS[format];
}

import type { Json, JsonObject } from '../core/json.ts';
import { DIALECTS, dialectOf, readExecDate } from './dialects.ts';
import { name, text, withExtra } from './fields.ts';
import type { FrontierDialect, FrontierEvent } from './types.ts';

/** Parses a frontier event of any dialect. A missing method becomes the empty text. */
export function readFrontier(object: JsonObject): FrontierEvent {
  const dialect = dialectOf(object);
  const { fields, dateField, readPartitions } = DIALECTS[dialect];
  const date = object[dateField] === undefined ? otherDateField(object) : dateField;
  const own = new Set(['db', 'table', 'method', date, ...fields.filter((field) => field !== dateField)]);
  return {
    kind: 'frontier',
    dialect,
    db: name(object['db'], 'db'),
    table: name(object['table'], 'table'),
    partitions: readPartitions(object),
    method: object['method'] === undefined ? '' : text(object['method'], 'method'),
    execDate: readExecDate(object[date], date),
    extra: without(object, own),
  };
}

/**
 * @param dialect default: the dialect in which the event was parsed, so that it is written as it was read
 * @throws UserError if the dialect cannot express the event's partitions
 */
export function writeFrontier(event: FrontierEvent, dialect: FrontierDialect = event.dialect): JsonObject {
  const { dateField, writePartitions, writeDate } = DIALECTS[dialect];
  // Consumers of the other dialects require a method.
  const method =
    event.method === '' && dialect !== event.dialect && dialect !== 'scalars' ? 'partition' : event.method;
  return withExtra(
    {
      table: event.table,
      ...writePartitions(event.partitions),
      db: event.db,
      ...(method === '' ? {} : { method }),
      [dateField]: writeDate(event.execDate),
    },
    event.extra,
  );
}

/** By hand: most events have no other field, and a backlog has many events. */
function without(object: JsonObject, own: ReadonlySet<string>): JsonObject {
  const rest: [string, Json][] = [];
  for (const key in object) if (!own.has(key)) rest.push([key, object[key] ?? null]);
  return Object.fromEntries(rest);
}

/** If the dialect's own field is missing, the other one of exec_date and timestamp is read. */
function otherDateField(object: JsonObject): 'exec_date' | 'timestamp' {
  return object['timestamp'] === undefined ? 'exec_date' : 'timestamp';
}

const DAY = 86_400_000;

/**
 * Whether an exec_date lies so far in the future that it is a mistake: no landing of the partition before that date is newer, so
 * all of them are ignored. A clock that is ahead, or a time zone that was forgotten, is not more than a day.
 *
 * @param execDate epoch seconds; null: not known
 * @param now epoch milliseconds
 */
export function isFarAhead(execDate: number | null, now: number): execDate is number {
  return execDate !== null && execDate * 1000 > now + DAY;
}

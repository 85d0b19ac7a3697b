import { type JsonObject, type Json, isJsonObject, nativeOf } from '../core/json.ts';
import { Refusal } from './decode.ts';
import { partitionProblem, readExecDate } from './dialects.ts';
import { mismatch, name, text } from './fields.ts';
import { parsePartitionPath } from './partition.ts';
import type { Partition } from './types.ts';

/** A table event as a service announces it: one line of `$HIPPO_EVENTS_FILE`. */
export interface TableAnnouncement {
  /** Names the landing: it is announced once. */
  id: string;
  db: string;
  table: string;
  partition: Partition;
  method?: string;
  /** When it landed, epoch seconds; left out: now. */
  landedAt?: number;
  /** All other fields: they are passed on. */
  extra: JsonObject;
}

const OWN = new Set(['id', 'table', 'partition', 'method', 'landed_at']);

/**
 * `{"id": "2017-04-28/1", "table": "btd.party", "partition": {"yyyymm": "201704"}, "landed_at": "2017-04-28T03:00:00Z"}`.
 * A partition may be a path, too: `"yyyymm=201704"`. Of an unpartitioned table it is left out.
 */
export function readAnnouncement(object: JsonObject): TableAnnouncement {
  const [db = '', table = '', ...more] = text(object['table'], 'table').split('.');
  if (db === '' || table === '' || more.length > 0)
    throw new Refusal('must be db.table, such as btd.party', 'table');
  const { method, landed_at: landedAt } = object;
  return {
    id: name(idText(object['id']), 'id'),
    db: name(db, 'table'),
    table: name(table, 'table'),
    partition: readPartition(object['partition']),
    ...(method === undefined ? {} : { method: name(method, 'method') }),
    ...(landedAt === undefined ? {} : { landedAt: readExecDate(landedAt, 'landed_at') }),
    extra: Object.fromEntries(Object.entries(object).filter(([key]) => !OWN.has(key))),
  };
}

/** Many programs count. */
function idText(id: Json | undefined): Json | undefined {
  const number = nativeOf(id);
  return number === undefined ? id : String(number);
}

function readPartition(value: Json | undefined): Partition {
  if (value === undefined || value === null) return [];
  if (typeof value === 'string') return checked(parsePartitionPath(value));
  if (!isJsonObject(value))
    throw mismatch('an object of levels, or text such as "yyyymm=201704"', value, 'partition');
  return checked(
    Object.entries(value).map(([level, of]) => {
      const number = nativeOf(of);
      return { name: level, value: name(number === undefined ? of : String(number), `partition.${level}`) };
    }),
  );
}

function checked(partition: Partition | undefined): Partition {
  const problem =
    partition === undefined ? 'must be like yyyymm=201704/region=us' : partitionProblem(partition);
  if (partition === undefined || problem !== undefined)
    throw new Refusal(problem ?? 'cannot be a partition', 'partition');
  return partition;
}

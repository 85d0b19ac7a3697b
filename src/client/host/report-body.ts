/** The body of `POST /landed`, read. Pure. */
import { type Json, isJsonObject, numberOf } from '../../core/json.ts';
import { firstTwice } from '../../core/twice.ts';
import { HttpProblem } from '../../http/index.ts';
import { type Partition, partitionPath, partitionProblem } from '../../messages/index.ts';

/** A landing that a client reports. */
export interface Report {
  partition: Partition;
  /** null: the client has given none. */
  id: string | null;
  /** Epoch seconds; null: now. */
  execDate: number | null;
  /** null: the source's. */
  method: string | null;
}

export interface Expected {
  /** `db.table` */
  table: string;
  /** The names of a partition's levels, in their order; null: any. */
  levels: readonly string[] | null;
}

/** Reports of one request: they are announced in one transaction. */
export const MOST_REPORTS = 100;

const KEYS = ['partition', 'id', 'exec_date', 'method', 'table'];
const ID = /^[\x21-\x7e]{1,200}$/;

/**
 * @param body one report, or a list of them
 * @throws HttpProblem 422 that names each field that is wrong; 403 where a report is of another table
 */
export function readReports(body: Json, expected: Expected): Report[] {
  const list = Array.isArray(body) ? body : [body];
  if (list.length === 0 || list.length > MOST_REPORTS)
    throw new HttpProblem(422, `the list must have 1 to ${MOST_REPORTS} reports; it has ${list.length}`);
  const other = list.find(
    (each) => isJsonObject(each) && (each['table'] ?? expected.table) !== expected.table,
  );
  if (other !== undefined)
    throw new HttpProblem(403, `only landings of ${expected.table} may be reported here`);
  const problems: { pointer: string; detail: string }[] = [];
  const reports = list.map((each, index) => {
    const at = Array.isArray(body) ? `#/${index}` : '#';
    return readReport(each, expected, (field, detail) =>
      // RFC 6901
      problems.push({
        pointer: [at, ...field.map((key) => key.replaceAll('~', '~0').replaceAll('/', '~1'))].join('/'),
        detail,
      }),
    );
  });
  const [first] = problems;
  if (first !== undefined)
    throw new HttpProblem(422, `${first.pointer} ${first.detail}`, {}, { errors: problems });
  const ids = reports.map(({ id }) => id).filter((id) => id !== null);
  const twice = firstTwice(ids);
  if (twice !== undefined) throw new HttpProblem(422, `two reports have the id ${twice}`);
  return reports;
}

/** @param field the keys on the way to it; none: the report itself */
type Complain = (field: readonly string[], detail: string) => void;

function readReport(value: Json, expected: Expected, complain: Complain): Report {
  const report: Report = { partition: [], id: null, execDate: null, method: null };
  if (!isJsonObject(value)) {
    complain([], 'must be an object such as {"partition": {"dt": "2017-04-28"}}');
    return report;
  }
  for (const key of Object.keys(value))
    if (!KEYS.includes(key)) complain([key], `is no key here; allowed: ${KEYS.join(', ')}`);
  report.partition = readPartition(value['partition'], expected, complain);
  const { id, exec_date: date, method } = value;
  if (typeof id === 'string' && ID.test(id)) report.id = id;
  else if (id !== undefined)
    complain(['id'], 'must be a text of 1 to 200 printable ASCII characters, without blanks');
  const seconds = typeof date === 'string' && /^\d{1,10}$/.test(date) ? Number(date) : numberOf(date);
  if (seconds !== undefined && Number.isSafeInteger(seconds) && seconds >= 0 && seconds < 2 ** 32)
    report.execDate = seconds;
  else if (date !== undefined) complain(['exec_date'], 'must be epoch seconds, such as 1493337600');
  if (typeof method === 'string' && /^\w{1,50}$/.test(method)) report.method = method;
  else if (method !== undefined)
    complain(['method'], 'must be a word such as partition or overwrite_partition');
  return report;
}

function readPartition(value: Json | undefined, { levels }: Expected, complain: Complain): Partition {
  if (!isJsonObject(value)) {
    complain(['partition'], 'must be an object of level names and values; {} for an unpartitioned table');
    return [];
  }
  const names = Object.keys(value);
  if (levels !== null) {
    for (const name of levels.filter((level) => !names.includes(level)))
      complain(['partition'], `has no ${name}`);
    for (const name of names.filter((each) => !levels.includes(each)))
      complain(['partition', name], `is no level of this table; its levels: ${levels.join(', ')}`);
  }
  const partition = (levels ?? names).map((name) => ({ name, value: textOf(value[name]) ?? '' }));
  for (const { name, value: text } of partition) {
    if (name === '') complain(['partition'], 'has a level without a name');
    else if (text === '' && names.includes(name))
      complain(['partition', name], 'must be a text that is not empty, or a whole number');
  }
  const problem = partition.some(({ value: text }) => text === '') ? undefined : partitionProblem(partition);
  if (problem !== undefined) complain(['partition'], problem);
  return partition;
}

function textOf(value: Json | undefined): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : undefined;
}

/** All that a report says: the same id with another text is another report. */
export function contentOf({ partition, execDate, method }: Report): string {
  return JSON.stringify([partitionPath(partition), execDate, method]);
}

/**
 * The key of a request that may be sent again (draft-ietf-httpapi-idempotency-key-header): a text, quoted or bare.
 *
 * @returns null without one
 * @throws HttpProblem 400 when it is no key
 */
export function idempotencyKey(header: string | string[] | undefined): string | null {
  if (header === undefined) return null;
  const text = String(header).replace(/^"(.*)"$/, '$1');
  if (ID.test(text)) return text;
  throw new HttpProblem(400, 'Idempotency-Key must have 1 to 200 printable ASCII characters, without blanks');
}

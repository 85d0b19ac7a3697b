/** The headers of a Kafka record. */

/** null: without a value. A list where the name comes several times: the values in their order. */
export type HeaderValue<Bytes = Buffer> = Bytes | null | readonly (Bytes | null)[];
export type Headers<Bytes = Buffer> = Readonly<Record<string, HeaderValue<Bytes>>>;

/** Each header with its value, in order; headers of the same name together. */
export function listHeaders<Bytes>(headers: Headers<Bytes>): [name: string, value: Bytes | null][] {
  return Object.entries(headers).flatMap(([name, value]) =>
    (isList(value) ? value : [value]).map((one): [string, Bytes | null] => [name, one]),
  );
}

/** The value of the header; the last one if the name occurs several times; undefined without such a header or value. */
export function lastHeader(headers: Headers, name: string): Buffer | undefined {
  if (!Object.hasOwn(headers, name)) return undefined;
  const value = headers[name];
  return (isList(value) ? value.at(-1) : value) ?? undefined;
}

/** The size of all names and values, bytes. */
export function sizeOfHeaders(headers: Headers): number {
  return listHeaders(headers).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + (value?.length ?? 0),
    0,
  );
}

/** A type guard that also works for readonly lists, which Array.isArray does not narrow to. */
export function isList<T>(value: T | readonly T[]): value is readonly T[] {
  return Array.isArray(value);
}

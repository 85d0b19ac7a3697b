import type * as v from 'valibot';
import { isJsonObject, type Json } from '../core/json.ts';
import type { ConfigPath } from './path.ts';
import { ANY_SCALAR } from './schema-parts.ts';
import { asSchema, plain } from './schema-kinds.ts';

/**
 * A value where numbers and booleans are replaced by their text in the file, in each place where the schema wants text:
 * `hour: [00, 06]` names the partitions `00` and `06`, and the version `1.10` is not `1.1`.
 *
 * @param value as YAML reads it
 * @param written the same value with each number and boolean as it is written
 */
export function withTexts(schema: v.GenericSchema, value: Json, written: Json): Json {
  return replaced([schema], value, written);
}

/**
 * The paths of empty members of mappings whose keys are names, such as `jobs` and `env`.
 *
 * @param value as YAML reads it
 */
export function emptyMembers(schema: v.GenericSchema, value: Json): ConfigPath[] {
  return emptyIn([schema], value, []);
}

function emptyIn(schemas: readonly v.GenericSchema[], value: Json, path: ConfigPath): ConfigPath[] {
  const options = schemas.flatMap(alternatives);
  if (Array.isArray(value)) {
    const items = options.flatMap((option) => (option.type === 'array' ? [option.item] : []));
    return value.flatMap((item, index) => emptyIn(items, item, [...path, index]));
  }
  if (!isJsonObject(value)) return [];
  const hasNames = options.some(({ type }) => type === 'record');
  return Object.entries(value).flatMap(([key, member]) => {
    const at = [...path, key];
    if (member === null) return hasNames ? [at] : [];
    return emptyIn(
      schemas.flatMap((schema) => membersOf(schema, key)),
      member,
      at,
    );
  });
}

/** @param schemas that may apply to the value */
function replaced(schemas: readonly v.GenericSchema[], value: Json, written: Json): Json {
  if (Array.isArray(value) && Array.isArray(written)) {
    const items = schemas
      .flatMap(alternatives)
      .flatMap((option) => (option.type === 'array' ? [option.item] : []));
    return value.map((item, index) => replaced(items, item, written[index] ?? null));
  }
  if (isJsonObject(value) && isJsonObject(written)) {
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => [
        key,
        replaced(
          schemas.flatMap((schema) => membersOf(schema, key)),
          member,
          written[key] ?? null,
        ),
      ]),
    );
  }
  return value !== written && wantText(schemas) ? written : value;
}

/** A number or boolean stays one if the schema also accepts a number or boolean there. */
function wantText(schemas: readonly v.GenericSchema[]): boolean {
  if (schemas.some(takesAnyScalar)) return true;
  const types = schemas.flatMap(alternatives).map(({ type }) => type);
  return types.includes('string') && !types.some((type) => type === 'number' || type === 'boolean');
}

function takesAnyScalar(schema: v.GenericSchema): boolean {
  const inner = plain(schema);
  if (inner === ANY_SCALAR) return true;
  const kind = asSchema(inner);
  if (kind.type === 'optional') return takesAnyScalar(kind.wrapped);
  return kind.type === 'union' && kind.options.some(takesAnyScalar);
}

/** The schemas of a value, one for each kind that is allowed. */
function alternatives(schema: v.GenericSchema): ReturnType<typeof asSchema>[] {
  const kind = asSchema(schema);
  if (kind.type === 'optional') return alternatives(kind.wrapped);
  return kind.type === 'union' ? kind.options.flatMap(alternatives) : [kind];
}

function membersOf(schema: v.GenericSchema, key: string): v.GenericSchema[] {
  return alternatives(schema).flatMap((option) => {
    if (option.type === 'record') return [option.value];
    const member =
      option.type === 'strict_object' && Object.hasOwn(option.entries, key) ? option.entries[key] : undefined;
    return member === undefined ? [] : [member];
  });
}

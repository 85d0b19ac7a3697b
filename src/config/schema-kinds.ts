import type * as v from 'valibot';

/** The kinds of schema that hippo.yaml uses. */
export type Schema =
  | v.StrictObjectSchema<v.ObjectEntries, undefined>
  | v.RecordSchema<v.GenericSchema<string, string>, v.GenericSchema, undefined>
  | v.ArraySchema<v.GenericSchema, undefined>
  | v.UnionSchema<v.GenericSchema[], undefined>
  | v.OptionalSchema<v.GenericSchema, unknown>
  | v.PicklistSchema<string[], undefined>
  | v.LiteralSchema<boolean, undefined>
  | v.StringSchema<undefined>
  | v.NumberSchema<undefined>
  | v.BooleanSchema<undefined>;

/** A schema without the actions that are piped after it. */
export function plain(given: v.GenericSchema): v.GenericSchema {
  return 'pipe' in given ? plain((given.pipe as [v.GenericSchema])[0]) : given;
}

export function asSchema(given: v.GenericSchema): Schema {
  return plain(given) as unknown as Schema;
}

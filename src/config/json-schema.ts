import { toJsonSchema } from '@valibot/to-json-schema';
import { fileSchema } from './schema.ts';

export type HippoJsonSchema = Record<string, unknown>;

/** The JSON Schema of hippo.yaml (draft 2020-12), as an author writes it: durations are text, defaults are optional. */
export function jsonSchema(): HippoJsonSchema {
  return {
    title: 'hippo.yaml',
    // What only our own code can check is left to it.
    ...toJsonSchema(fileSchema, { target: 'draft-2020-12', typeMode: 'input', errorMode: 'ignore' }),
  };
}

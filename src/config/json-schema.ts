import { toJsonSchema } from '@valibot/to-json-schema';
import { fileSchema } from './schema.ts';

export type HippoJsonSchema = Record<string, unknown>;

/** The JSON Schema of hippo.yaml (draft 2020-12), as an author writes it: durations and sizes are text, defaults are optional. */
export function jsonSchema(): HippoJsonSchema {
  return {
    title: 'hippo.yaml',
    // Rules that JSON Schema cannot express are checked by hippo's own code only.
    ...toJsonSchema(fileSchema, { target: 'draft-2020-12', typeMode: 'input', errorMode: 'ignore' }),
  };
}

import * as z from 'zod';
import { fileSchema } from './schema.ts';

export type HippoJsonSchema = Record<string, unknown>;

/** The JSON Schema of hippo.yaml (draft 2020-12), as an author writes it: durations are text, defaults are optional. */
export function jsonSchema(): HippoJsonSchema {
  return {
    title: 'hippo.yaml',
    ...z.toJSONSchema(fileSchema, { io: 'input', unrepresentable: 'any' }),
  };
}

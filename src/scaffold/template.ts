import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import * as z from 'zod';
import { packageRoot } from '../version.ts';

/** What kind of answer a question takes; {@link ./answer.ts} reads each. */
const common = {
  /** Its key among the answers; the flag is the same with dashes. */
  name: z.string().regex(/^[a-z][a-z_]*$/),
  ask: z.string().describe('The prompt'),
  help: z.string().describe("The flag's description"),
  /** Liquid over earlier answers; empty: the question has no default and must be answered. */
  default: z.string().default(''),
  example: z.string().optional(),
};
const question = z.discriminatedUnion('type', [
  z.strictObject({ type: z.enum(['table', 'partition', 'columns']), ...common }),
  z.strictObject({
    type: z.literal('choice'),
    choices: z.array(z.strictObject({ value: z.string(), title: z.string() })).min(2),
    ...common,
  }),
]);
const templateSchema = z.strictObject({
  version: z.int().min(1),
  description: z.string(),
  questions: z.array(question),
  /** Further variables, each Liquid over the answers and the variables before it. */
  variables: z.record(z.string(), z.string()).default({}),
});

export type Question = z.output<typeof question>;

/** A kind of project: `templates/<type>/template.yaml` and the files beside it. */
export interface Template extends z.output<typeof templateSchema> {
  type: string;
  /** The folder of the files that make the project. */
  directory: string;
}

/** All templates that this package brings, by name. Synchronous: the flags of `hippo new` are made from them. */
export function listTemplates(root: string = fileURLToPath(new URL('templates', packageRoot))): Template[] {
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
    .map((type) => ({
      ...templateSchema.parse(parse(readFileSync(join(root, type, 'template.yaml'), 'utf8'))),
      type,
      directory: join(root, type, 'files'),
    }));
}

/** `group_by` → `--group-by`. */
export function flagOf(question: Pick<Question, 'name'>): string {
  return `--${question.name.replaceAll('_', '-')}`;
}

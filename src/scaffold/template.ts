import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { parse } from 'yaml';
import { packageRoot } from '../version.ts';
import { WINDOW_UNITS, unitsOf } from '../windows/units.ts';

/** The kind of answer that a question takes; ./answer.ts reads each kind. */
const common = {
  /** The key of its answer; the flag has the same name with dashes. */
  name: v.pipe(v.string(), v.regex(/^[a-z][a-z_]*$/)),
  /** The prompt. */
  ask: v.string(),
  /** The flag's description. */
  help: v.string(),
  /** A Liquid template of earlier answers. If empty, the question has no default and must be answered. */
  default: v.optional(v.string(), ''),
  example: v.optional(v.string()),
};
const question = v.variant('type', [
  v.strictObject({ type: v.picklist(['table', 'partition', 'columns']), ...common }),
  v.strictObject({
    type: v.literal('choice'),
    choices: v.pipe(v.array(v.strictObject({ value: v.string(), title: v.string() })), v.minLength(2)),
    ...common,
  }),
  /** How often a job runs: one of the units of time, or a duration that divides a day. */
  v.strictObject({ type: v.literal('every'), ...common }),
]);
const templateSchema = v.strictObject({
  version: v.pipe(v.number(), v.integer(), v.minValue(1)),
  description: v.string(),
  questions: v.array(question),
  /** Further variables, each a Liquid template of the answers and of the variables before it. */
  variables: v.optional(v.record(v.string(), v.string()), {}),
});

type WrittenQuestion = v.InferOutput<typeof question>;
/** A question as it is asked: those of the kind `every` with the usual answers; others are read, too. */
export type Question =
  | Exclude<WrittenQuestion, { type: 'every' }>
  | (Extract<WrittenQuestion, { type: 'every' }> & { choices: readonly Choice[] });
interface Choice {
  value: string;
  title: string;
}

const UNITS = unitsOf();
const EVERY_CHOICES: readonly Choice[] = [
  { value: 'event', title: 'for each partition that lands' },
  { value: '15m', title: 'or another duration that divides a day: hippo new --every 6h' },
  ...WINDOW_UNITS.map((unit) => ({ value: unit, title: UNITS.runnable(unit).window.often })),
];

/** A type of project: `templates/<type>/template.yaml` and the folder `files` beside it. */
export interface Template extends Omit<v.InferOutput<typeof templateSchema>, 'questions'> {
  questions: Question[];
  type: string;
  /** The folder of the project's files. */
  directory: string;
}

/** All templates of this package, by name. Synchronous, because the flags of `hippo new` are derived from them. */
export function listTemplates(root: string = fileURLToPath(new URL('templates', packageRoot))): Template[] {
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
    .map((type) => {
      const written = v.parse(templateSchema, parse(readFileSync(join(root, type, 'template.yaml'), 'utf8')));
      const questions = written.questions.map(withChoices);
      return { ...written, questions, type, directory: join(root, type, 'files') };
    });
}

function withChoices(question: WrittenQuestion): Question {
  return question.type === 'every' ? { ...question, choices: EVERY_CHOICES } : question;
}

/** `group_by` → `--group-by`. */
export function flagOf(question: Pick<Question, 'name'>): string {
  return `--${question.name.replaceAll('_', '-')}`;
}

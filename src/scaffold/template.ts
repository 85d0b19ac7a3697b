import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { parse } from 'yaml';
import { packageRoot } from '../version.ts';
import { WINDOW_UNITS, unitsOf } from '../windows/units.ts';
import { STAGES, orderOf } from './stages.ts';

/** What every question has; ./answer.ts reads the answers of each type. */
const common = {
  /** The key of its answer; the flag has the same name with dashes. */
  name: v.pipe(v.string(), v.regex(/^[a-z][a-z0-9_]*$/)),
  /** The prompt. */
  ask: v.string(),
  /** The flag's description. */
  help: v.string(),
  /** A Liquid template of earlier answers. If empty, the question has no default and must be answered. */
  default: v.optional(v.string(), ''),
  /** The answer that `--yes` takes, where it is another than the default; a Liquid template too. */
  sample: v.optional(v.string()),
  example: v.optional(v.string()),
  /** A Liquid condition over earlier answers. If it is false, the question does not apply, and its answer is empty. */
  only_if: v.optional(v.string()),
  /** Liquid conditions over this answer and earlier ones: if one is true, the answer is refused, with the reason. */
  refuse: v.optional(v.array(v.strictObject({ if: v.string(), why: v.string() }))),
  /** Of a question that names columns: those that the project's programs make themselves. */
  reserved: v.optional(v.array(v.string())),
};
const choices = v.pipe(v.array(v.strictObject({ value: v.string(), title: v.string() })), v.minLength(2));
const question = v.variant('type', [
  v.strictObject({
    type: v.picklist(['table', 'columns', 'column', 'topic', 'duration']),
    ...common,
  }),
  v.strictObject({
    type: v.literal('partition'),
    /** Which window the levels must tell. Left out: that of the question `every`. */
    every: v.optional(v.picklist(WINDOW_UNITS)),
    ...common,
  }),
  v.strictObject({ type: v.literal('choice'), choices, ...common }),
  /** One or more of the choices. */
  v.strictObject({ type: v.literal('choices'), choices, ...common }),
  /** Any text that fits the pattern; `form` says in words what does. */
  v.strictObject({
    type: v.literal('text'),
    pattern: v.pipe(v.string(), v.check(isPattern, 'is not a regular expression')),
    form: v.string(),
    ...common,
  }),
  /** How often a job runs: one of the units of time, or a duration that divides a day. */
  v.strictObject({ type: v.literal('every'), ...common }),
]);
const templateSchema = v.strictObject({
  version: v.pipe(v.number(), v.integer(), v.minValue(1)),
  description: v.string(),
  /** Its place in the flow, and what a hippo of this type takes and gives: `hippo new --list`. */
  stage: v.picklist(STAGES.map(({ id }) => id)),
  /** Its place among the types of its stage: the smaller comes first. */
  order: v.number(),
  takes: v.string(),
  gives: v.string(),
  /** Folders of `templates/_common` whose files a project gets too, besides those of `base`. */
  parts: v.optional(v.array(v.string()), []),
  questions: v.array(question),
  /** Further variables, each a Liquid template of the answers and of the variables before it. */
  variables: v.optional(v.record(v.string(), v.string()), {}),
  /** A file, or a folder that ends with `/`, to the Liquid condition under which a project gets it. */
  only_if: v.optional(v.record(v.string(), v.string()), {}),
  /** The commands that show the project at work, each a Liquid template: printed by `hippo new`, and in the README. */
  try: v.pipe(
    v.array(
      v.strictObject({
        run: v.string(),
        note: v.string(),
        /** Keeps running, so it needs a terminal of its own. */
        background: v.optional(v.boolean(), false),
        /** A Liquid condition: otherwise the step is left out. */
        only_if: v.optional(v.string()),
      }),
    ),
    v.minLength(1),
  ),
});

type WrittenQuestion = v.InferOutput<typeof question>;
/** A question as it is asked: those of the type `every` with the usual answers; others are read, too. */
export type Question =
  | Exclude<WrittenQuestion, { type: 'every' }>
  | (Extract<WrittenQuestion, { type: 'every' }> & { choices: readonly Choice[] });
export interface Choice {
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
  /** The folders of the project's files. Of two files with the same path, the one of the later folder counts. */
  directories: string[];
}

/** What the templates share. */
const COMMON = '_common';
const TEMPLATES = fileURLToPath(new URL('templates', packageRoot));

/** The layouts of files that every project has. */
export const LAYOUTS = join(TEMPLATES, COMMON, 'layouts');
/** Parts of files that several templates have. */
export const PARTIALS = join(TEMPLATES, COMMON, 'partials');

/**
 * All templates of this package, in the order of the flow. Synchronous, because the flags of `hippo new` are derived from them.
 *
 * @throws v.ValiError for a template.yaml in another form than {@link Template}
 */
export function listTemplates(root: string = TEMPLATES): Template[] {
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== COMMON)
    .map((entry) => readTemplate(root, entry.name))
    .sort((one, other) => orderOf(one.stage) - orderOf(other.stage) || one.order - other.order);
}

function readTemplate(root: string, type: string): Template {
  const written = v.parse(templateSchema, parse(readFileSync(join(root, type, 'template.yaml'), 'utf8')));
  const common = ['base', ...written.parts].map((part) => join(root, COMMON, part));
  return {
    ...written,
    questions: written.questions.map(withChoices),
    type,
    directories: [...common, join(root, type, 'files')],
  };
}

function withChoices(question: WrittenQuestion): Question {
  return question.type === 'every' ? { ...question, choices: EVERY_CHOICES } : question;
}

function isPattern(text: string): boolean {
  try {
    new RegExp(text, 'u');
    return true;
  } catch {
    return false;
  }
}

/** `group_by` → `--group-by`. */
export function flagOf(question: Pick<Question, 'name'>): string {
  return `--${question.name.replaceAll('_', '-')}`;
}

import { Liquid } from 'liquidjs';
import { stringify } from 'yaml';
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { jsonSchema } from '../config/json-schema.ts';
import { type WindowUnit, unitsOf } from '../windows/units.ts';
import type { AnswerValues } from './answer.ts';
import { LAYOUTS, PARTIALS, type Template } from './template.ts';

/** A file of a project, ready to be written. */
export interface ProjectFile {
  /** Relative to the project, with forward slashes. */
  path: string;
  content: string;
  /** 0o755 for what starts with `#!`, else 0o644. */
  mode: number;
}

/**
 * The template language: LiquidJS with `[= value =]` and `[% tag %]`, because hippo.yaml uses `{{ }}` itself and shell
 * scripts use `[[ ]]`. An unknown variable or filter is an error.
 */
const liquid = new Liquid({
  outputDelimiterLeft: '[=',
  outputDelimiterRight: '=]',
  tagDelimiterLeft: '[%',
  tagDelimiterRight: '%]',
  strictVariables: true,
  strictFilters: true,
  ownPropertyOnly: true,
  layouts: LAYOUTS,
  partials: PARTIALS,
});
liquid.registerFilter('yaml', (value: string) => stringify(value, { lineWidth: 0 }).trimEnd());
liquid.registerFilter('shell', (value: string) => (/^[\w./:=-]+$/.test(value) ? value : `'${value}'`));
/** A name of a column as Spark SQL reads it in a list of columns and types. */
liquid.registerFilter('sql_name', (name: string) => (/^[A-Za-z_]\w*$/.test(name) ? name : `\`${name}\``));
/** What is left of a text in a name of hippo.yaml. */
liquid.registerFilter('source_name', (text: string) => text.replaceAll(/[^A-Za-z0-9_-]/g, '_'));
// Of what the question `every` is answered with, unless that is `event`.
const units = unitsOf();
liquid.registerFilter('unit_noun', (unit: WindowUnit) => units.runnable(unit).window.noun);
liquid.registerFilter('usual_level', (unit: WindowUnit) => units.runnable(unit).window.level);

export type Variables = Readonly<Record<string, unknown>>;

export function renderText(text: string, variables: Variables): string {
  return liquid.parseAndRenderSync(text, variables) as string;
}

/** Whether a Liquid condition is true: `direction == 'in'`. */
export function isTrue(condition: string | undefined, variables: Variables): boolean {
  return condition === undefined || renderText(`[% if ${condition} %]yes[% endif %]`, variables) === 'yes';
}

/** A command of a template's `try`, as a project has it. */
export interface TryStep {
  run: string;
  note: string;
  /** Keeps running, so it needs a terminal of its own. */
  background: boolean;
}

/** The answers, the name, and the variables that the template computes from them. */
export function variablesOf(template: Template, name: string, answers: AnswerValues): Variables {
  const { type, description, parts } = template;
  const variables: Record<string, unknown> = { name, type, description, parts, ...answers };
  for (const [key, text] of Object.entries(template.variables)) variables[key] = renderText(text, variables);
  return { ...variables, try: linesOf(stepsOf(template, variables)) };
}

/** As they are typed, each with its note as a comment; the comments are aligned. */
function linesOf(steps: readonly TryStep[]): string[] {
  const width = Math.max(...steps.map(({ run }) => run.length));
  return steps.map(({ run, note }) => (note === '' ? run : `${run.padEnd(width)}  # ${note}`));
}

/** The commands that show the project at work. */
export function stepsOf(template: Template, variables: Variables): TryStep[] {
  return template.try
    .filter((step) => isTrue(step.only_if, variables))
    .map(({ run, note, background }) => ({
      run: renderText(run, variables),
      note: renderText(note, variables),
      background,
    }));
}

/** All files of the project, sorted by path. The same template and answers give the same bytes. */
export function renderFiles(template: Template, variables: Variables): ProjectFile[] {
  const files = new Map<string, ProjectFile>();
  for (const directory of template.directories) {
    for (const source of filesBelow(directory)) {
      const path = relative(directory, source).split(sep).join('/');
      if (!isIncluded(template, path, variables)) continue;
      const target = targetPath(path, variables);
      files.set(target, projectFile(target, renderText(readFileSync(source, 'utf8'), variables)));
    }
  }
  const schema = projectFile('hippo.schema.json', `${JSON.stringify(jsonSchema(), null, 2)}\n`);
  return [...files.values(), schema].sort((left, right) => (left.path < right.path ? -1 : 1));
}

/** Leaves out what programs leave behind that were run where the template lies. Its own files have no name with a dot in front. */
function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !/(^|\/)(\.|__pycache__\/)/.test(relative(directory, path).split(sep).join('/')));
}

function isIncluded({ only_if: conditions }: Template, path: string, variables: Variables): boolean {
  return Object.entries(conditions)
    .filter(([place]) => place === path || (place.endsWith('/') && path.startsWith(place)))
    .every(([, condition]) => isTrue(condition, variables));
}

/** Fills in variables in names, drops folder names that become empty, and turns `_gitignore` into `.gitignore`. */
function targetPath(path: string, variables: Variables): string {
  return renderText(path, variables)
    .split('/')
    .filter((part) => part !== '')
    .map((part) => part.replace(/^_(?=git)/, '.'))
    .join('/');
}

export function projectFile(path: string, content: string): ProjectFile {
  return { path, content, mode: content.startsWith('#!') ? 0o755 : 0o644 };
}

import { Liquid } from 'liquidjs';
import { stringify } from 'yaml';
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { jsonSchema } from '../config/json-schema.ts';
import { type WindowUnit, unitsOf } from '../windows/units.ts';
import type { AnswerValues } from './answer.ts';
import type { Template } from './template.ts';

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
});
liquid.registerFilter('yaml', (value: string) => stringify(value, { lineWidth: 0 }).trimEnd());
liquid.registerFilter('shell', (value: string) => (/^[\w./:=-]+$/.test(value) ? value : `'${value}'`));
// Of what the question `every` is answered with, unless that is `event`.
const units = unitsOf();
liquid.registerFilter('unit_noun', (unit: WindowUnit) => units.runnable(unit).window.noun);
liquid.registerFilter('usual_level', (unit: WindowUnit) => units.runnable(unit).window.level);

export type Variables = Readonly<Record<string, unknown>>;

export function renderText(text: string, variables: Variables): string {
  return liquid.parseAndRenderSync(text, variables) as string;
}

/** The answers, the name, and the variables that the template computes from them. */
export function variablesOf(template: Template, name: string, answers: AnswerValues): Variables {
  const variables: Record<string, unknown> = { name, ...answers };
  for (const [key, text] of Object.entries(template.variables)) variables[key] = renderText(text, variables);
  return variables;
}

/** All files of the project, sorted by path. The same template and answers give the same bytes. */
export function renderFiles(template: Template, variables: Variables): ProjectFile[] {
  const sources = readdirSync(template.directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.pyc$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
  const files = sources.map((source) => {
    const path = relative(template.directory, source).split(sep).join('/');
    return projectFile(targetPath(path, variables), renderText(readFileSync(source, 'utf8'), variables));
  });
  files.push(projectFile('hippo.schema.json', `${JSON.stringify(jsonSchema(), null, 2)}\n`));
  return files.sort((left, right) => (left.path < right.path ? -1 : 1));
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

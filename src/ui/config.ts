import chalk from 'chalk';
import { relative } from 'node:path';
import stringWidth from 'fast-string-width';
import { stringify } from 'yaml';
import type { ConfigReport, ConfigValue, Origin } from '../config/report.ts';
import { visible } from '../core/visible.ts';
import { COLUMNS, tilde, wrap } from './text.ts';

/** The column where origins begin, as far as the values leave it free. */
const ORIGINS = 40;

/** The configuration as YAML, with the origin of each value as a comment. */
export function renderConfig({ file, profile, values, warnings }: ConfigReport): string {
  const of = file === null ? 'no hippo.yaml here or above' : tilde(file);
  const lines = [chalk.dim(profile === null ? `# ${of}` : `# ${of}, profile ${profile}`)];
  for (const warning of warnings) lines.push(...wrap(visible(warning), chalk.yellow('# ! '), '#   '));
  let before: ConfigValue['path'] = [];
  for (const value of values) {
    lines.push(...renderValue(value, before));
    before = value.path;
  }
  return lines.join('\n');
}

/** The value, and above it the keys that lead to it from where the one before stands. */
function renderValue({ path, value, origin }: ConfigValue, before: ConfigValue['path']): string[] {
  const lines: string[] = [];
  const shared = path.findIndex((part, depth) => part !== before[depth]);
  let start = '  '.repeat(shared);
  for (const [index, part] of path.slice(shared).entries()) {
    const depth = shared + index;
    const isLast = depth === path.length - 1;
    if (typeof part === 'number' && !isLast) {
      start += '- ';
      continue;
    }
    const head = typeof part === 'number' ? `${start}-` : `${start}${flow(part)}:`;
    if (!isLast) lines.push(head);
    else if (Array.isArray(value) && stringWidth(`${head} ${flow(value)}`) > COLUMNS)
      lines.push(
        ...withOrigin(head, origin),
        ...value.map((item) => `${'  '.repeat(depth + 1)}- ${flow(item)}`),
      );
    else lines.push(...withOrigin(`${head} ${flow(value)}`, origin));
    start = '  '.repeat(depth + 1);
  }
  return lines;
}

/** On one line. */
function flow(value: unknown): string {
  return stringify(value, {
    lineWidth: 0,
    collectionStyle: 'flow',
    blockQuote: false,
    flowCollectionPadding: false,
  }).trimEnd();
}

/** Behind the value where there is room, else above it. */
function withOrigin(text: string, origin: Origin): string[] {
  const note = `# ${describe(origin)}`;
  const room = COLUMNS - stringWidth(note);
  const column = Math.max(stringWidth(text) + 2, Math.min(ORIGINS, room));
  const shown = origin.from === 'default' ? chalk.dim(note) : chalk.cyan(note);
  if (column <= room) return [`${text}${' '.repeat(column - stringWidth(text))}${shown}`];
  return [`${/^[ -]*/.exec(text)?.[0].replaceAll('-', ' ') ?? ''}${shown}`, text];
}

function describe(origin: Origin): string {
  switch (origin.from) {
    case 'default':
      return 'default';
    case 'file':
      return place(origin);
    case 'profile':
      return `profile ${origin.profile}, ${place(origin)}`;
    case 'environment':
      return `$${origin.variable}`;
    case 'stack':
      return `${shorten(origin.file)}${origin.alive ? '' : ', which does not run: hippo up'}`;
    case 'nowhere':
      return 'none is known: hippo up';
    case 'folder':
      return `the folder ${tilde(origin.folder)}`;
  }
}

function place({
  file,
  line,
  column,
  variables = [],
}: Extract<Origin, { from: 'file' | 'profile' }>): string {
  return [`${file}:${line}:${column}`, ...variables.map((name) => `\${${name}}`)].join(' ');
}

/** As a person here would type it, where that is shorter. */
function shorten(file: string): string {
  const path = relative(process.cwd(), file);
  return path.startsWith('..') ? tilde(file) : path;
}

import chalk from 'chalk';
import { relative } from 'node:path';
import { InterruptedError } from '../core/errors.ts';
import { shellWord } from '../core/shell.ts';
import type { Ask } from '../scaffold/collect.ts';
import type { TypeEntry, TypeList } from '../scaffold/list.ts';
import type { NewProject } from '../scaffold/new-project.ts';
import { tilde, wrap } from './text.ts';

/** Whether an operator can be asked: prompts are shown on stderr and read from stdin. */
export function canAsk(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

/** Asks on the terminal; results stay alone on stdout. */
export const askOnTerminal: Ask = async ({ message, choices, suggested, problemOf }) => {
  const [{ default: input }, { default: select, Separator }] = await Promise.all([
    import('@inquirer/input'),
    import('@inquirer/select'),
  ]);
  const context = { output: process.stderr };
  const start = suggested === undefined ? {} : { default: suggested };
  if (choices !== undefined) {
    const width = Math.max(...choices.map(({ value }) => value.length));
    const named = choices.flatMap(({ value, title, heading }) => [
      ...(heading === undefined ? [] : [new Separator(heading)]),
      { value, short: value, name: `${value.padEnd(width)}  ${chalk.dim(title)}` },
    ]);
    return orInterrupted(select({ message, choices: named, ...start }, context));
  }
  const validate = (text: string): string | true => problemOf(text) ?? true;
  return orInterrupted(input({ message, validate, ...start }, context));
};

/** inquirer throws an error of its own on Ctrl-C. */
async function orInterrupted<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Error && error.name === 'ExitPromptError') throw new InterruptedError();
    throw error;
  }
}

/** Says which answers were taken, although none was asked for. */
export function sayTaken({ type, taken }: NewProject): void {
  const flags = Object.entries(taken).map(([flag, answer]) => `${flag} ${shellWord(answer)}`);
  if (flags.length === 0) return;
  const words = `The sample's answers of ${type}: ${flags.join(', ')}`;
  process.stderr.write(`${wrap(words, '').join('\n')}\n`);
}

export function renderNew(result: NewProject | TypeList): string {
  return 'stages' in result ? renderTypes(result) : renderNewProject(result);
}

/** The stages below one another, and between them what each hands to the next. */
function renderTypes({ stages }: TypeList): string {
  const width = Math.max(...stages.flatMap(({ types }) => types.map(({ type }) => type.length))) + 2;
  const blocks = stages.map(({ title, passes, types }, index) => [
    chalk.bold(title),
    ...types.flatMap((entry) => typeLines(entry, width)),
    ...(index === stages.length - 1 ? [] : ['', chalk.dim(`    │ ${passes ?? ''}`), chalk.dim('    ▼'), '']),
  ]);
  return [...blocks.flat(), '', 'hippo new TYPE --help shows the flags of a type.'].join('\n');
}

function typeLines({ type, description, takes, gives }: TypeEntry, width: number): string[] {
  const indent = ' '.repeat(width + 2);
  return [
    ...wrap(`${takes} → ${gives}`, `  ${type.padEnd(width)}`),
    ...wrap(description, indent).map((line) => chalk.dim(line)),
  ];
}

function renderNewProject(project: NewProject): string {
  const place = relative(process.cwd(), project.directory) || '.';
  const shown = place.startsWith('..') ? tilde(project.directory) : place;
  if (project.dry_run) return [`Would write into ${shown}:`, ...fileLines(project), ''].join('\n');
  const steps = [...(place === '.' ? [] : [{ run: `cd ${shellWord(shown)}`, note: '' }]), ...project.next];
  const width = Math.max(...steps.map(({ run }) => run.length)) + 2;
  return [
    `${chalk.green('✓')} ${project.name}: a ${project.type} hippo in ${shown} (${project.files.length} files)`,
    '',
    'Next:',
    ...steps.map(({ run, note }) => `  ${run.padEnd(width)}${chalk.dim(note)}`.trimEnd()),
    '',
    'README.md says what is where, and how to test it: ./test.sh',
  ].join('\n');
}

function fileLines(project: NewProject): string[] {
  return project.files.map(({ path, bytes, mode }) => {
    const size = `${bytes} B`.padStart(9);
    return `  ${mode} ${size}  ${path}`;
  });
}

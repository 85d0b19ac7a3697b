import chalk from 'chalk';
import { relative } from 'node:path';
import { InterruptedError } from '../core/errors.ts';
import type { NewProject } from '../scaffold/new-project.ts';
import type { Ask } from '../scaffold/collect.ts';
import { tilde } from './text.ts';

/** Whether an operator can be asked: prompts are shown on stderr and read from stdin. */
export function canAsk(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

/** Asks on the terminal; results stay alone on stdout. */
export const askOnTerminal: Ask = async ({ message, choices, suggested, problemOf }) => {
  const [{ default: input }, { default: select }] = await Promise.all([
    import('@inquirer/input'),
    import('@inquirer/select'),
  ]);
  const context = { output: process.stderr };
  const start = suggested === undefined ? {} : { default: suggested };
  if (choices !== undefined) {
    const named = choices.map(({ value, title }) => ({
      value,
      short: value,
      name: `${value}  ${chalk.dim(title)}`,
    }));
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

export function renderNewProject(project: NewProject): string {
  const place = relative(process.cwd(), project.directory) || '.';
  const shown = place.startsWith('..') ? tilde(project.directory) : place;
  if (project.dry_run) return [`Would write into ${shown}:`, ...fileLines(project), ''].join('\n');
  const next = [
    ...(place === '.' ? [] : [`cd ${shown}`]),
    'hippo up',
    './start-client.sh',
    'hippo trigger --wait',
  ];
  const notes: Record<string, string> = {
    'hippo up': 'a local Kafka and Spark',
    './start-client.sh': 'in a second terminal',
    'hippo trigger --wait': 'the sample in data/input has landed',
  };
  return [
    `${chalk.green('✓')} ${project.name}: a ${project.type} hippo in ${shown} (${project.files.length} files)`,
    '',
    'Next:',
    ...next.map((command) => `  ${command.padEnd(24)}${chalk.dim(notes[command] ?? '')}`.trimEnd()),
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

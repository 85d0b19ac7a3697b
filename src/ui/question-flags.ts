import type { RawAnswers } from '../scaffold/answer.ts';
import type { Question } from '../scaffold/template.ts';
import { Flags } from './oclif.ts';

/** Their answers are lists. */
const LISTS: readonly Question['type'][] = ['partition', 'columns', 'choices'];

/** Flags of `hippo new` whose value is the next word. */
const WITH_VALUE = ['--directory', '-d', '--config', '--profile'];

/** The first word after `hippo new` that is neither a flag nor the value of one: the type of hippo. */
export function typeWord(argv: readonly string[]): string | undefined {
  return argv.find((word, index) => !word.startsWith('-') && !WITH_VALUE.includes(argv[index - 1] ?? ''));
}

/** One flag for each question; lists may be given by repeating the flag, or separated by commas. */
export function flagsFor(questions: readonly Question[]) {
  return Object.fromEntries(questions.map((question) => [flagName(question), flagFor(question)]));
}

function flagFor(question: Question) {
  const common = { description: question.help, helpValue: helpValue(question), helpGroup: 'TYPE' };
  if (!LISTS.includes(question.type)) return Flags.string(common);
  return Flags.string({ ...common, multiple: true });
}

/** The answers among the parsed flags. */
export function answersOf(
  questions: readonly Question[],
  flags: Readonly<Record<string, unknown>>,
): RawAnswers {
  const given: [string, string][] = [];
  for (const question of questions) {
    const value = flags[flagName(question)];
    if (typeof value === 'string') given.push([question.name, value]);
    if (Array.isArray(value)) given.push([question.name, value.join(',')]);
  }
  return Object.fromEntries(given);
}

function flagName(question: Question): string {
  return question.name.replaceAll('_', '-');
}

function helpValue(question: Question): string {
  switch (question.type) {
    case 'choice':
    case 'choices':
    case 'every':
      return question.choices.map(({ value }) => value).join('|');
    case 'table':
      return 'DB.TABLE';
    case 'partition':
      return 'LEVEL[=VALUE]';
    case 'columns':
    case 'column':
      return 'COLUMN';
    case 'topic':
      return 'TOPIC';
    case 'duration':
      return 'DURATION';
    case 'text':
      return question.name.toUpperCase();
  }
}

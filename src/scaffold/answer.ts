import { DURATION_FORM, parseDuration, shortDuration } from '../core/duration.ts';
import { readWindowUnit } from '../windows/units.ts';
import { type Question, flagOf } from './template.ts';
import { type Frequency, type PartitionLevel, readPartition } from './partition.ts';

/** An answer as it was given and is recorded: text; lists are separated by commas, `none` is the empty list. */
export type RawAnswers = Readonly<Record<string, string>>;
export type AnswerValue = string | string[] | PartitionLevel[];
/** Answers as the template's files use them. */
export type AnswerValues = Readonly<Record<string, AnswerValue>>;

export type ReadAnswer = { value: AnswerValue } | { problem: string };

const NONE = 'none';

/**
 * Reads one answer; the same for flags, prompts and recorded answers.
 *
 * @param earlier the answers to the questions before this one: a partition depends on `every`
 */
export function readAnswer(question: Question, raw: string, earlier: AnswerValues): ReadAnswer {
  const text = raw.trim();
  if (text === '') return { problem: 'it is empty' };
  switch (question.type) {
    case 'table':
      return readTable(text);
    case 'choice': {
      const values = question.choices.map(({ value }) => value);
      return values.includes(text)
        ? { value: text }
        : { problem: `"${text}" is none of ${values.join(', ')}` };
    }
    case 'every':
      return readEvery(text);
    case 'partition':
      if (question.every !== undefined) return readPartition(text, question.every, { isFixed: true });
      if (text === NONE) return { value: [] };
      return readPartition(text, (earlier['every'] ?? 'event') as Frequency, {
        isFixed: earlier['every'] === undefined,
      });
    case 'columns':
      return text === NONE ? { value: [] } : readColumns(text);
    case 'choices':
      return readChoices(text, question.choices);
    case 'column':
      return COLUMN.test(text) ? { value: text } : { problem: `"${text}" is no name of a column` };
    case 'topic':
      return TOPIC.test(text) && text !== '.' && text !== '..'
        ? { value: text }
        : { problem: `"${text}" is no name of a topic: letters, digits, ".", "_", "-", at most 249` };
    case 'duration':
      return parseDuration(text) === undefined
        ? { problem: `"${text}" is not ${DURATION_FORM}` }
        : { value: shortDuration(text) };
    case 'text':
      return new RegExp(`^(?:${question.pattern})$`, 'u').test(text)
        ? { value: text }
        : { problem: `"${text}" is not ${question.form}` };
  }
}

/** The answer to a question that does not apply. */
export function noAnswer(question: Question): AnswerValue {
  return LISTS.includes(question.type) ? [] : '';
}

/** Types of questions whose answers are lists. */
const LISTS: readonly Question['type'][] = ['partition', 'columns', 'choices'];

const COLUMN = /^[\p{L}\p{N}_][\p{L}\p{N}_ .$-]*$/u;
/** Kafka's own rule. */
const TOPIC = /^[A-Za-z0-9._-]{1,249}$/;

function readChoices(text: string, choices: readonly { value: string }[]): ReadAnswer {
  const allowed = choices.map(({ value }) => value);
  const values = text.split(',').map((word) => word.trim());
  const wrong = values.find((value) => !allowed.includes(value));
  if (wrong !== undefined) return { problem: `"${wrong}" is none of ${allowed.join(', ')}` };
  const twice = values.find((value, index) => values.indexOf(value) < index);
  return twice === undefined ? { value: values } : { problem: `${twice} occurs twice` };
}

function readEvery(text: string): ReadAnswer {
  if (text === 'event') return { value: text };
  const read = readWindowUnit(text);
  return 'unit' in read ? { value: read.unit } : { problem: `"${text}" is not ${read.allowed}` };
}

function readTable(text: string): ReadAnswer {
  if (/^[\p{L}\p{N}_][\p{L}\p{N}_$-]*\.[\p{L}\p{N}_][\p{L}\p{N}_$-]*$/u.test(text)) return { value: text };
  return {
    problem: text.includes('.')
      ? `"${text}" is not db.table: letters, digits, "_", "-", and one dot`
      : `"${text}" has no database: write db.table`,
  };
}

function readColumns(text: string): ReadAnswer {
  const columns = text.split(',').map((name) => name.trim());
  const wrong = columns.find((name) => !COLUMN.test(name));
  return wrong === undefined ? { value: columns } : { problem: `"${wrong}" is no name of a column` };
}

/** Types of questions that name columns. The levels of a partition are columns, too. */
const NAMING: readonly Question['type'][] = ['column', 'columns', 'partition'];

/**
 * Why the columns that an answer names cannot be: Spark and databases ignore the case of names, so no two of a project, and none
 * that its programs make themselves, may differ by that alone.
 *
 * @param values this answer, and those to the questions before it
 */
export function clashOf(
  question: Question,
  questions: readonly Question[],
  values: AnswerValues,
): string | undefined {
  const known = new Map<string, string>();
  for (const name of question.reserved ?? [])
    known.set(name.toLowerCase(), 'is a column that the project makes itself');
  for (const other of questions.slice(0, questions.indexOf(question)))
    for (const name of namesOf(other, values))
      known.set(name.toLowerCase(), `is among ${flagOf(other)} already`);
  for (const name of namesOf(question, values)) {
    const clash = known.get(name.toLowerCase());
    if (clash !== undefined) return `${name} ${clash}`;
    known.set(name.toLowerCase(), 'occurs twice');
  }
  return undefined;
}

function namesOf({ type, name }: Question, values: AnswerValues): string[] {
  const value = NAMING.includes(type) ? (values[name] ?? '') : '';
  if (typeof value === 'string') return value === '' ? [] : [value];
  return value.map((item) => (typeof item === 'string' ? item : item.name));
}

import { readWindowUnit } from '../windows/units.ts';
import type { Question } from './template.ts';
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
      return text === NONE ? { value: [] } : readPartition(text, (earlier['every'] ?? 'event') as Frequency);
    case 'columns':
      return text === NONE ? { value: [] } : readColumns(text, earlier);
  }
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

function readColumns(text: string, earlier: AnswerValues): ReadAnswer {
  const columns = text.split(',').map((name) => name.trim());
  for (const [index, name] of columns.entries()) {
    if (!/^[\p{L}\p{N}_][\p{L}\p{N}_ .$-]*$/u.test(name))
      return { problem: `"${name}" is no name of a column` };
    if (columns.indexOf(name) < index) return { problem: `${name} occurs twice` };
    const other = Object.entries(earlier).find(([, value]) => namesIn(value).includes(name));
    if (other !== undefined)
      return { problem: `${name} is among --${other[0].replaceAll('_', '-')} already` };
  }
  return { value: columns };
}

function namesIn(value: AnswerValue): string[] {
  return typeof value === 'string' ? [] : value.map((item) => (typeof item === 'string' ? item : item.name));
}

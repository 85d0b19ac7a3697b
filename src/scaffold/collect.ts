import { UserError } from '../core/errors.ts';
import { shellWord } from '../core/shell.ts';
import {
  type AnswerValue,
  type AnswerValues,
  type RawAnswers,
  type ReadAnswer,
  clashOf,
  noAnswer,
  readAnswer,
} from './answer.ts';
import { isTrue, renderText } from './render.ts';
import { type Question, type Template, flagOf } from './template.ts';

export interface PromptChoice {
  value: string;
  title: string;
  /** A line above it; for the first one of a group. */
  heading?: string;
}

/** A question as the user sees it. */
export interface Prompt {
  message: string;
  /** Choose one of these; left out: any text. */
  choices?: readonly PromptChoice[];
  /** Left out: there is no default. */
  suggested?: string;
  /** Why a text is not a valid answer, or undefined if it is. */
  problemOf: (text: string) => string | undefined;
}

/** Asks the user until the answer is valid. */
export type Ask = (prompt: Prompt) => Promise<string>;

export interface Answers {
  /** As given, for the record. */
  raw: RawAnswers;
  /** As the template's files use them. */
  values: Readonly<Record<string, AnswerValue>>;
  /** The flags and answers that were neither given nor asked for: defaults, or with `--yes` the sample's. */
  taken: RawAnswers;
}

/** Where answers come from that are not given: a terminal, the sample that each template has (`--yes`), or defaults. */
export type AnswerSource = { ask: Ask } | 'sample' | 'defaults';

/**
 * Answers all questions of a template in their order: with the given answer, else by asking, else with the default.
 *
 * @throws UserError naming the flag of an answer that is wrong, unknown, of a question that does not apply or (with defaults
 *   only) missing
 */
export async function collectAnswers(
  template: Template,
  given: RawAnswers,
  source: AnswerSource,
): Promise<Answers> {
  refuseUnknown(template, given);
  const raw: Record<string, string> = {};
  const taken: Record<string, string> = {};
  const values: Record<string, AnswerValue> = {};
  const missing: Question[] = [];
  for (const question of template.questions) {
    const { name } = question;
    const gave = given[name];
    if (!isTrue(question.only_if, { ...values })) {
      if (gave !== undefined) throw doesNotApply(template, question, raw);
      values[name] = noAnswer(question);
      continue;
    }
    const suggested = renderText(
      source === 'sample' ? (question.sample ?? question.default) : question.default,
      values,
    );
    const answer =
      gave ??
      (typeof source === 'string'
        ? suggested
        : await source.ask(promptFor(template, question, suggested, values)));
    if (answer === '' && gave === undefined) {
      missing.push(question);
      values[name] = noAnswer(question);
      continue;
    }
    const read = judgeAnswer(template, question, answer, values);
    if ('problem' in read)
      throw wrongAnswer(template, question, read.problem, { ...given, [name]: suggested });
    raw[name] = answer.trim();
    if (gave === undefined && typeof source === 'string') taken[flagOf(question)] = answer.trim();
    values[name] = read.value;
  }
  if (missing.length > 0) throw missingAnswers(template, missing);
  return { raw, values, taken };
}

/** Reads an answer, and refuses one that does not go with the answers before it. */
function judgeAnswer(template: Template, question: Question, raw: string, earlier: AnswerValues): ReadAnswer {
  const read = readAnswer(question, raw, earlier);
  if ('problem' in read) return read;
  const values = { ...earlier, [question.name]: read.value };
  const clash = clashOf(question, template.questions, values);
  if (clash !== undefined) return { problem: clash };
  const refused = question.refuse?.find((rule) => isTrue(rule.if, values));
  return refused === undefined ? read : { problem: refused.why };
}

/** @param answers those to the questions before this one */
function doesNotApply(template: Template, question: Question, answers: RawAnswers): UserError {
  const others = decidingQuestions(template, question, answers);
  const flags = others.map((other) => `${flagOf(other)} ${shellWord(answers[other.name] ?? '')}`).join(' ');
  return new UserError(`${flagOf(question)} does not go with ${flags}`, {
    why: question.help,
    next: [`leave ${flagOf(question)} out, or change ${others.map(flagOf).join(', ')}`, helpOf(template)],
  });
}

/** The answered questions that a question depends on: also by way of one that does not apply itself. */
function decidingQuestions(
  template: Template,
  { only_if: condition = '' }: Question,
  answers: RawAnswers,
): Question[] {
  return template.questions
    .filter(({ name }) => new RegExp(`\\b${name}\\b`).test(condition))
    .flatMap((other) =>
      answers[other.name] === undefined ? decidingQuestions(template, other, answers) : [other],
    );
}

function helpOf({ type }: Template): string {
  return `hippo new ${type} --help`;
}

function promptFor(
  template: Template,
  question: Question,
  suggested: string,
  earlier: Answers['values'],
): Prompt {
  return {
    message: question.ask,
    ...(question.type === 'choice' || question.type === 'every' ? { choices: question.choices } : {}),
    ...(suggested === '' ? {} : { suggested }),
    problemOf: (text) => {
      const read = judgeAnswer(template, question, text, earlier);
      return 'problem' in read ? read.problem : undefined;
    },
  };
}

function refuseUnknown(template: Template, given: RawAnswers): void {
  const known = template.questions.map(({ name }) => name);
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new UserError(`a ${template.type} has no ${flagOf({ name: unknown })}`, {
    why: `It asks for ${template.questions.map(flagOf).join(', ')}.`,
    next: [helpOf(template)],
  });
}

/** @param mended the given answers, with the default instead of the wrong one, which may depend on earlier answers */
function wrongAnswer(template: Template, question: Question, why: string, mended: RawAnswers): UserError {
  const answers = template.questions.flatMap((one) => {
    const answer = mended[one.name] || (one === question ? one.example : undefined);
    return answer === undefined ? [] : [`${flagOf(one)} ${shellWord(answer)}`];
  });
  return new UserError(`${flagOf(question)}: ${why}`, {
    next: [['hippo new', template.type, 'NAME', ...answers].join(' '), helpOf(template)],
  });
}

function missingAnswers(template: Template, missing: readonly Question[]): UserError {
  return new UserError(`a ${template.type} needs ${missing.map(flagOf).join(' and ')}`, {
    why: missing.map(({ help }) => help).join('\n'),
    next: [
      ...exampleOf(template, missing),
      `hippo new ${template.type} NAME --yes    (takes the sample's)`,
      'on a terminal, hippo new asks for it',
    ],
  });
}

/** A command to type, with example values for these answers. */
function exampleOf(template: Template, questions: readonly Question[]): string[] {
  const flags = questions.flatMap((question) =>
    question.example === undefined ? [] : [`${flagOf(question)} ${question.example}`],
  );
  return flags.length === 0 ? [] : [`hippo new ${template.type} NAME ${flags.join(' ')}`];
}

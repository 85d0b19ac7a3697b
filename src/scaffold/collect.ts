import { UserError } from '../core/errors.ts';
import { shellWord } from '../core/shell.ts';
import { type AnswerValue, type RawAnswers, readAnswer } from './answer.ts';
import { renderText } from './render.ts';
import { type Question, type Template, flagOf } from './template.ts';

/** A question as the user sees it. */
export interface Prompt {
  message: string;
  /** Choose one of these; left out: any text. */
  choices?: readonly { value: string; title: string }[];
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
}

/**
 * Answers all questions of a template in their order: with the given answer, else by asking, else with the default.
 *
 * @param ask null: there is no terminal on which to ask
 * @throws UserError naming the flag of an answer that is wrong, unknown or (without a terminal) missing
 */
export async function collectAnswers(
  template: Template,
  given: RawAnswers,
  ask: Ask | null,
): Promise<Answers> {
  refuseUnknown(template, given);
  const raw: Record<string, string> = {};
  const values: Record<string, AnswerValue> = {};
  const missing: Question[] = [];
  for (const question of template.questions) {
    const suggested = renderText(question.default, values);
    const answer =
      given[question.name] ?? (ask === null ? suggested : await ask(promptFor(question, suggested, values)));
    if (answer === '' && given[question.name] === undefined) {
      missing.push(question);
      continue;
    }
    const read = readAnswer(question, answer, values);
    if ('problem' in read)
      throw wrongAnswer(template, question, read.problem, { ...given, [question.name]: suggested });
    raw[question.name] = answer.trim();
    values[question.name] = read.value;
  }
  if (missing.length > 0) throw missingAnswers(template, missing);
  return { raw, values };
}

function promptFor(question: Question, suggested: string, earlier: Answers['values']): Prompt {
  return {
    message: question.ask,
    ...('choices' in question ? { choices: question.choices } : {}),
    ...(suggested === '' ? {} : { suggested }),
    problemOf: (text) => {
      const read = readAnswer(question, text, earlier);
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
    next: ['hippo new --help'],
  });
}

/** @param mended the given answers, with the default instead of the wrong one, which may depend on earlier answers */
function wrongAnswer(template: Template, question: Question, why: string, mended: RawAnswers): UserError {
  const answers = template.questions.flatMap((one) => {
    const answer = mended[one.name] || (one === question ? one.example : undefined);
    return answer === undefined ? [] : [`${flagOf(one)} ${shellWord(answer)}`];
  });
  return new UserError(`${flagOf(question)}: ${why}`, {
    next: [['hippo new', template.type, 'NAME', ...answers].join(' '), 'hippo new --help'],
  });
}

function missingAnswers(template: Template, missing: readonly Question[]): UserError {
  return new UserError(`a ${template.type} needs ${missing.map(flagOf).join(' and ')}`, {
    why: missing.map(({ help }) => help).join('\n'),
    next: [...exampleOf(template, missing), 'on a terminal, without --yes, hippo new asks for it'],
  });
}

/** A command to type, with example values for these answers. */
function exampleOf(template: Template, questions: readonly Question[]): string[] {
  const flags = questions.flatMap((question) =>
    question.example === undefined ? [] : [`${flagOf(question)} ${question.example}`],
  );
  return flags.length === 0 ? [] : [`hippo new ${template.type} NAME ${flags.join(' ')}`];
}

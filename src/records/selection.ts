/** Which records a command wants: --key, --grep and --filter, compiled into one condition. */
import { UserError, messageOf } from '../core/errors.ts';
import type { KafkaRecord } from '../kafka/port.ts';
import type { Doubts } from './filter.ts';

/** The flags that select records; undefined: not given. A record must meet all that are given. */
export interface SelectionWords {
  /** The whole key. */
  key?: string | undefined;
  /** A regular expression that the text of the key or of the value matches. */
  grep?: string | undefined;
  ignoreCase: boolean;
  /** CEL. */
  filter?: string | undefined;
}

export interface Selection {
  /** undefined: every record is selected. */
  keep: ((record: KafkaRecord) => boolean) | undefined;
  /** What the filter left out without judging it, so far. */
  doubts: Readonly<Doubts> | undefined;
}

/** @throws UserError for what is not a valid regular expression or no CEL */
export async function compileSelection(words: SelectionWords): Promise<Selection> {
  const conditions: ((record: KafkaRecord) => boolean)[] = [];
  if (words.key !== undefined) {
    const wanted = Buffer.from(words.key);
    conditions.push(({ key }) => key?.equals(wanted) ?? false);
  }
  if (words.grep !== undefined) {
    const expression = regularExpression(words.grep, words.ignoreCase);
    const matches = (bytes: Buffer | null): boolean => bytes !== null && expression.test(bytes.toString());
    conditions.push(({ key, value }) => matches(value) || matches(key));
  }
  let doubts: Doubts | undefined;
  if (words.filter !== undefined) {
    const { compileFilter } = await import('./filter.ts');
    const filter = compileFilter(words.filter);
    doubts = filter.doubts;
    conditions.push((record) => filter.keep(record));
  }
  const [only, ...others] = conditions;
  return {
    keep: others.length === 0 ? only : (record) => conditions.every((condition) => condition(record)),
    doubts,
  };
}

function regularExpression(text: string, ignoreCase: boolean): RegExp {
  try {
    return new RegExp(text, ignoreCase ? 'i' : '');
  } catch (error) {
    throw new UserError(`--grep ${text} is not a valid regular expression`, {
      why: messageOf(error),
      next: [String.raw`a character that means something else is escaped: --grep 'a\.b\[0\]'`],
    });
  }
}

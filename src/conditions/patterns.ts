/**
 * The regular expressions of `matches`. They are those of RE2, as CEL says, and take a time that grows with the text only: one that
 * backtracks would stop the process for minutes, and a client's heartbeats with it.
 */
import { EvaluationError } from '@marcbachmann/cel-js';
import { RE2JS, RE2JSSyntaxException } from 're2js';

/** Patterns may come from records: so many are kept. */
const KEPT = 100;

const patterns = new Map<string, RE2JS>();

/** @throws EvaluationError where the pattern is none of RE2 */
export function matches(text: string, pattern: string): boolean {
  return compiled(pattern).matcher(text).find();
}

/** @returns what is wrong with a pattern, one line; undefined: nothing */
export function patternProblem(pattern: string): string | undefined {
  try {
    compiled(pattern);
    return undefined;
  } catch (error) {
    if (error instanceof EvaluationError) return error.summary;
    throw error;
  }
}

function compiled(pattern: string): RE2JS {
  const known = patterns.get(pattern);
  if (known !== undefined) return known;
  const made = compile(pattern);
  if (patterns.size >= KEPT) patterns.clear();
  patterns.set(pattern, made);
  return made;
}

function compile(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    if (!(error instanceof RE2JSSyntaxException)) throw error;
    throw new EvaluationError(
      `${JSON.stringify(pattern)} is not a regular expression of RE2: ${error.getDescription()}`,
    );
  }
}

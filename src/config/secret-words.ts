/** Secrets, by their names and in texts. */
import type { Json } from '../core/json.ts';

/** Printed instead of a secret. */
export const MASK = '***';

const SECRET_WORDS =
  'passw|passphrase|secret|token|credential|api_?key|private_?key|access_?key|(?:\\b|_)(?:pw|pwd|pass)(?:\\b|_)';
const SECRET_NAME = new RegExp(SECRET_WORDS, 'i');
const SECRET_OPTION = new RegExp(`^--?[\\w.-]*(${SECRET_WORDS})[\\w.]*$`, 'i');
const SECRET_ASSIGNMENT = new RegExp(`([\\w.]*(?:${SECRET_WORDS})[\\w.]*=)[^\\s&;]+`, 'gi');
const PASSWORD_IN_URL = /(:\/\/[^\s/:@]*:)[^\s/@]+@/g;

/** Whether a key of this name holds a secret. The path of a file does not count as secret. */
export function looksSecret(name: string): boolean {
  return SECRET_NAME.test(name) && !/_file$/i.test(name);
}

/** Secrets within one argument: `--password=x`, `jdbc:…?password=x`, `https://user:x@host`. */
export function maskInside(text: string): string {
  return text.replace(SECRET_ASSIGNMENT, `$1${MASK}`).replace(PASSWORD_IN_URL, `$1${MASK}@`);
}

/** Secrets in two arguments: `--password`, `x`. */
export function maskWords(words: readonly Json[]): Json[] {
  return words.map((word, index) => {
    const before = words[index - 1];
    return typeof word === 'string' && typeof before === 'string' && SECRET_OPTION.test(before) ? MASK : word;
  });
}

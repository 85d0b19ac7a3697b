/** Text from outside, made printable: names of files and tables, fields of messages, errors of other programs. */

/**
 * Characters that a terminal obeys or does not show, as escapes: a name from outside must neither control the terminal, nor look
 * like another name or another line. Control characters (C0, C1), format characters (among them those that turn the direction
 * of the text, U+202A to U+202E and U+2066 to U+2069), line and paragraph separators, lone surrogates. ZWNJ and ZWJ stay:
 * Persian and emoji need them.
 */
export function visible(text: string): string {
  return text.replaceAll(
    UNSEEN,
    (character) => ESCAPES[character] ?? escapeOf(character.codePointAt(0) ?? 0),
  );
}

/** The same of a text of several lines, such as the end of a log. Tabs become spaces. */
export function visibleLines(text: string): string {
  return text
    .split('\n')
    .map((line) => visible(line.replaceAll('\t', '  ')))
    .join('\n');
}

const UNSEEN = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const ESCAPES: Record<string, string> = { '\n': '\\n', '\t': '\\t', '\r': '\\r' };

function escapeOf(code: number): string {
  const digits = code.toString(16);
  if (code > 0xffff) return `\\u{${digits}}`;
  return code > 0xff ? `\\u${digits.padStart(4, '0')}` : `\\x${digits.padStart(2, '0')}`;
}

/** Quotes a word for a POSIX shell. For commands that hippo prints to be copied, never for commands that hippo runs. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A word as a POSIX shell reads it back; for commands that a person may copy, never for commands that hippo runs. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

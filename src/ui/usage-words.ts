/** What oclif's parser says of wrong flags and arguments, in our words; anything else as it is. */
export function usageWords(message: string): string {
  return message
    .split(/\n(?=\s*(?:--|All of the following))/)
    .map((line) => inOurWords(line.trim()))
    .join('; ');
}

const WORDS: readonly [pattern: RegExp, words: string][] = [
  [/^Nonexistent flag: (.+)$/, 'unknown flag $1'],
  [/^Nonexistent flags: (.+)$/, 'unknown flags $1'],
  [/^Unexpected argument: (.+)$/, 'unexpected argument: $1'],
  [/^Unexpected arguments: (.+)$/, 'unexpected arguments: $1'],
  [
    /^(--[\w-]+)(?:=[^]*)? cannot also be provided when using (--[\w-]+)$/,
    '$1 and $2 cannot be used together',
  ],
  [/^All of the following must be provided when using (--[\w-]+): (.+)$/, '$1 goes only with $2'],
  [/^Flag (--[\w-]+) expects a value$/, '$1 needs a value'],
  [/^Flag (--[\w-]+) can only be specified once$/, '$1 can be given only once'],
  [/^(--[\w-]+): Expected an integer but received: ([^]*)$/, '$1 must be a whole number; it is "$2"'],
  [
    /^(--[\w-]+): Expected an integer greater than or equal to (-?\d+) but received: ([^]*)$/,
    '$1 must be a whole number, at least $2; it is "$3"',
  ],
  [
    /^(--[\w-]+): Expected an integer less than or equal to (-?\d+) but received: ([^]*)$/,
    '$1 must be a whole number, at most $2; it is "$3"',
  ],
  [/^Expected (--[\w-]+)=([^]*) to be one of: (.+)$/, '$1 must be one of $3; it is "$2"'],
];

/** Of an argument oclif has the name as the code has it; help has it in capitals. */
const MISSING = /^Missing 1 required arg:\n(\S+) +([^]+)$/;

function inOurWords(line: string): string {
  const [, argument, about] = MISSING.exec(line) ?? [];
  if (argument !== undefined) return `${argument.toUpperCase()} is missing: ${about}`;
  const found = WORDS.find(([pattern]) => pattern.test(line));
  if (found === undefined) return line;
  const [pattern, words] = found;
  return line.replace(pattern, words);
}

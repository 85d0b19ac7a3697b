import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** What an error may begin with: names, and constants such as KAFKA_HOME. */
const NAME = /^(?:Kafka|Spark|Java|Python|Node|Maven|PostgreSQL|Windows|Ctrl-C|[A-Z][A-Z0-9_]+)\b/;

/** The texts with which an error of this file may begin: all of the first argument of its constructor. */
function starts(source: string): string[] {
  return [...source.matchAll(/new \w*Error\(([^;]*?)(?:, \{|,\n|\);)/g)].flatMap(([, first = '']) =>
    [...first.matchAll(/(?:^|[?:(]\s*|^\s+)[`'"]([A-Z][^`'"]*)/g)].map(([, text = '']) => text),
  );
}

test('an error begins in lower case, because it follows ✗, unless it begins with a name', () => {
  const capital = globSync('src/**/*.ts').flatMap((file) =>
    starts(readFileSync(file, 'utf8'))
      .filter((text) => !NAME.test(text))
      .map((text) => `${file}: ${text}`),
  );
  expect(capital).toEqual([]);
});

test('the search for such texts finds them', () => {
  const source = [
    "throw new UserError('There is none', {",
    "return new ChildError(\n      missing ? 'It is gone' : `It is broken`,\n",
    "new UserError(`topic ${name} does not exist`, { why: 'It is gone.' });",
  ].join('\n');
  expect(starts(source)).toEqual(['There is none', 'It is gone', 'It is broken']);
});

import fc from 'fast-check';
import stringWidth from 'fast-string-width';
import { expect, test } from 'vitest';
import { cut, table, tilde, wrap } from '../../src/ui/text.ts';

test('breaks between words, and hangs the rest under the first', () => {
  expect(wrap('one two three four', '- ', '  ', 10)).toEqual(['- one two', '  three', '  four']);
  expect(wrap('one two', '    ! ')).toEqual(['    ! one two']);
  expect(wrap('')).toEqual(['']);
});

test('a number stays with its unit', () => {
  expect(wrap('round trip 25 ms, then', '', '', 13)).toEqual(['round trip', '25 ms, then']);
});

test('a long word stays whole', () => {
  expect(wrap('see /a/very/long/path now', '', '', 10)).toEqual(['see', '/a/very/long/path', 'now']);
});

test('loses no word, and no line of several words is too long', () => {
  fc.assert(
    fc.property(
      fc.array(fc.stringMatching(/^[a-zé漢]{1,12}$/), { minLength: 1 }),
      fc.integer({ min: 10, max: 80 }),
      (words, columns) => {
        const lines = wrap(words.join(' '), '  ', '  ', columns);
        expect(lines.map((line) => line.trim()).join(' ')).toBe(words.join(' '));
        for (const line of lines) {
          if (line.trim().includes(' ')) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
        }
      },
    ),
  );
});

test.each([
  ['/home/ann', '~'],
  ['/home/ann/x', '~/x'],
  ['/home/anna/x', '/home/anna/x'],
])('%s is %s', (path, said) => {
  expect(tilde(path, '/home/ann')).toBe(said);
});

test('cuts a line that is too long, by its width and not by its letters', () => {
  expect(cut('one two', 7)).toBe('one two');
  expect(cut('one two', 6)).toBe('one t…');
  expect(cut('漢字漢字', 6)).toBe('漢字…');
  expect(cut('\u001b[31mone\u001b[39m two', 5)).toBe('\u001b[31mone\u001b[39m …');
});

test('a line that is cut fits', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-zé漢 ]{0,30}$/), fc.integer({ min: 2, max: 20 }), (line, columns) => {
      expect(stringWidth(cut(line, columns))).toBeLessThanOrEqual(columns);
    }),
  );
});

test('a table is as wide as its cells', () => {
  const rows = [
    ['table', 'events'],
    ['漢', 12],
    ['btd.party', 3],
  ];
  expect(table(rows, [1])).toEqual(['table      events', '漢             12', 'btd.party       3']);
});

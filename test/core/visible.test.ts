import { expect, it } from 'vitest';
import { visible, visibleLines } from '../../src/core/visible.ts';

it.each([
  ['a control character', 'a\u001B[31mb', String.raw`a\x1b[31mb`],
  ['a line break', 'a\nb\r\tc', String.raw`a\nb\r\tc`],
  ['a C1 control character', 'a\u009Bb', String.raw`a\x9bb`],
  ['a turn of the direction', 'dt=\u202Egpj.exe', String.raw`dt=\u202egpj.exe`],
  ['an isolate', '\u2067a\u2069', String.raw`\u2067a\u2069`],
  ['what is not seen', 'a\u200Bb\uFEFF\u00AD', String.raw`a\u200bb\ufeff\xad`],
  ['a line separator', 'a\u2028b', String.raw`a\u2028b`],
  ['half of a character', 'a\uD800b', String.raw`a\ud800b`],
  ['a tag', 'a\u{E0041}', String.raw`a\u{e0041}`],
])('shows %s as an escape', (_, text, shown) => {
  expect(visible(text)).toBe(shown);
});

it.each(['dt=2017-04-28/region=us', '表=台北', 'نام=می\u200Cخواهم', 'é', '👩\u200D🔬', 'a\\nb'])(
  'leaves %s as it is',
  (text) => {
    expect(visible(text)).toBe(text);
  },
);

it('keeps the lines of a log', () => {
  expect(visibleLines('Error\n\tat x\u001B[0m\n')).toBe(`Error\n  at x${String.raw`\x1b[0m`}\n`);
});

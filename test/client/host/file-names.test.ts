import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { attemptFileName, fileSafe } from '../../../src/client/host/file-names.ts';

it('two texts never give the same name', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (one, two) => {
      expect(fileSafe(one) === fileSafe(two)).toBe(one === two);
    }),
  );
});

it.each([
  ['a plain id', 'load-1493394946-a1', 'load-1493394946-a1.json'],
  ['an id with a slash', 'load/1', 'load%2f1.json'],
  ['an id that is too long, by its end', `${'x'.repeat(300)}-a1`, `${'x'.repeat(197)}-a1.json`],
])('an attempt file is named after %s', (_, attemptId, name) => {
  expect(attemptFileName(attemptId)).toBe(name);
});

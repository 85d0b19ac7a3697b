import { describe, expect, it } from 'vitest';
import { type SelectionWords, compileSelection } from '../../src/records/selection.ts';
import { record } from './record.ts';

const keeps = async (words: Partial<SelectionWords>, of = record({ key: 'btd.party' })): Promise<boolean> => {
  const { keep } = await compileSelection({ ignoreCase: false, ...words });
  return keep === undefined || keep(of);
};

describe('a record is kept', () => {
  it('without any flag', async () => {
    expect((await compileSelection({ ignoreCase: false })).keep).toBeUndefined();
  });

  it.each<[string, Partial<SelectionWords>, boolean]>([
    ['the key', { key: 'btd.party' }, true],
    ['a part of the key', { key: 'btd' }, false],
    ['a pattern in the value', { grep: '"table":"p' }, true],
    ['a pattern in the key', { grep: String.raw`^btd\.` }, true],
    ['a pattern in neither', { grep: 'agreement' }, false],
    ['a pattern in another case', { grep: 'PARTY' }, false],
    ['a pattern in any case', { grep: 'PARTY', ignoreCase: true }, true],
    ['an expression', { filter: 'value.table == "party"' }, true],
    ['all of them', { key: 'btd.party', grep: 'party', filter: 'partition == 3' }, true],
    ['all of them but one', { key: 'btd.party', grep: 'party', filter: 'partition == 4' }, false],
  ])('is told by %s', async (_, words, expected) => {
    expect(await keeps(words)).toBe(expected);
  });

  it('only if it has a key, or a value, when a flag is about that', async () => {
    expect(await keeps({ key: '' }, record())).toBe(false);
    expect(await keeps({ grep: '.*' }, record({ value: null }))).toBe(false);
  });

  it('by --grep, which is refused if it is not a regular expression', async () => {
    await expect(keeps({ grep: '(' })).rejects.toMatchObject({
      exitCode: 2,
      message: '--grep ( is not a valid regular expression',
    });
  });
});

import { describe, expect, test } from 'vitest';
import {
  RecordSet,
  formatOffset,
  formatRecordRef,
  isRecordRef,
  offsetOf,
  parseOffset,
  recordId,
  recordRef,
} from '../../src/core/record-ref.ts';

describe('a set of records', () => {
  const ref = (topicId?: string) => ({
    topic: 't',
    partition: 0,
    offset: '1',
    ...(topicId !== undefined && { topicId }),
  });

  test.each([
    ['of the same topic', ref('one'), ref('one'), true],
    ['of another topic of that name', ref('one'), ref('two'), false],
    ['of a topic whose id is not known', ref('one'), ref(), true],
    ['where it does not know the id of its own', ref(), ref('one'), true],
    ['with another offset', ref('one'), { ...ref('one'), offset: '2' }, false],
  ])('has a record %s: %#', (_, added, asked, has) => {
    expect(new RecordSet([added]).has(asked)).toBe(has);
  });

  test('has records of several topics of one name', () => {
    const records = new RecordSet([ref('one'), ref('two')]);
    expect(['one', 'two', 'three'].map((id) => records.has(ref(id)))).toEqual([true, true, false]);
  });
});

describe('a record reference', () => {
  const last = { topic: 'frontier-adw', partition: 3, offset: 2n ** 63n - 1n };

  test('keeps all 64 bits of the offset', () => {
    const ref = recordRef({ ...last, value: 'left out' } as typeof last);
    expect(ref).toEqual({ topic: 'frontier-adw', partition: 3, offset: '9223372036854775807' });
    expect(offsetOf(ref)).toBe(last.offset);
  });

  test('is written as hippo tail --from reads it, and as headers and results name it', () => {
    const ref = recordRef({ ...last, offset: 2n });
    expect(formatRecordRef(ref)).toBe('frontier-adw 3:2');
    expect(recordId(ref)).toBe('frontier-adw/3/2');
  });

  test.each<[unknown, boolean]>([
    [{ topic: 't', partition: 0, offset: '1' }, true],
    [{ topic: 't', partition: 0, offset: '1', need: 'a.a' }, true],
    [{ topic: 't', partition: 0, offset: 1 }, false],
    [{ topic: 't', partition: 0.5, offset: '1' }, false],
    [{ topic: 't', partition: 0, offset: '-1' }, false],
    [{ topic: 't', partition: 0, offset: '' }, false],
    [{ partition: 0, offset: '1' }, false],
    [['t', 0, '1'], false],
    [null, false],
  ])('%j: %s', (value, is) => {
    expect(isRecordRef(value)).toBe(is);
  });

  test.each<[unknown, bigint | undefined]>([
    ['0', 0n],
    ['9223372036854775807', 2n ** 63n - 1n],
    ['9223372036854775808', undefined],
    ['12345678901234567890', undefined],
    ['0x10', undefined],
    [' 1', undefined],
    [1, undefined],
  ])('an offset %j is %s', (value, offset) => {
    expect(parseOffset(value)).toBe(offset);
    if (offset !== undefined) expect(formatOffset(offset)).toBe(value);
  });
});

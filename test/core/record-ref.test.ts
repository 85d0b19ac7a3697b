import { describe, expect, test } from 'vitest';
import {
  formatOffset,
  formatRecordRef,
  isRecordRef,
  offsetOf,
  parseOffset,
  recordId,
  recordRef,
} from '../../src/core/record-ref.ts';

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

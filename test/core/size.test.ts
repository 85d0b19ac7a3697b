import { describe, expect, it } from 'vitest';
import { formatSize, parseSize, sizeForm, sizeText } from '../../src/core/size.ts';

describe('a size', () => {
  it.each([
    ['0', 0],
    ['1234', 1234],
    ['12B', 12],
    ['1 byte', 1],
    ['500kB', 500_000],
    ['500 KB', 500_000],
    ['1KiB', 1024],
    ['64MiB', 67_108_864],
    ['64mib', 67_108_864],
    ['1.5GB', 1_500_000_000],
    [' .5 GiB ', 536_870_912],
    ['2TB', 2_000_000_000_000],
    ['1TiB', 1_099_511_627_776],
  ])('%s', (text, bytes) => expect(parseSize(text)).toBe(bytes));

  it.each(['', 'MiB', '-1MB', '64M', '2G', '10 apples', '1e3', '9999999TiB', '1'.repeat(41)])(
    '%j is none',
    (text) => expect(parseSize(text)).toBeUndefined(),
  );

  it.each([
    ['64M', 'a size such as 500kB, 64MiB or 2GB: write 64MiB or 64MB'],
    ['10k', 'a size such as 500kB, 64MiB or 2GB: write 10KiB or 10kB'],
    ['lots', 'a size such as 500kB, 64MiB or 2GB'],
  ])('instead of %j is written %s', (text, form) => expect(sizeForm(text)).toBe(form));

  it.each([
    [0, '0B'],
    [1234, '1234B'],
    [500_000, '500kB'],
    [67_108_864, '64MiB'],
    [2_000_000_000, '2GB'],
    [1_099_511_627_776, '1TiB'],
  ])('of %d bytes in hippo.yaml is %s, which is read as the same', (bytes, text) => {
    expect(sizeText(bytes)).toBe(text);
    expect(parseSize(text)).toBe(bytes);
  });

  it.each([
    [0, '0 bytes'],
    [1, '1 byte'],
    [1023, '1023 bytes'],
    [2047, '1 KiB'],
    [2 ** 20 * 410.9, '410 MiB'],
    [2 ** 30 * 12.39, '12.3 GiB'],
  ])('of %d bytes for people is %s', (bytes, text) => expect(formatSize(bytes)).toBe(text));
});

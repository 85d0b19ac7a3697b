import { describe, expect, it } from 'vitest';
import { durationForm, formatDuration, formatSeconds, parseDuration } from '../../src/core/duration.ts';

describe('a duration for people', () => {
  it.each([
    [0, 'less than 1 ms'],
    [0.4, 'less than 1 ms'],
    [0.5, '1 ms'],
    [940, '940 ms'],
    [12_400, '12.4 s'],
    [200_000, '3 min 20 s'],
  ])('of %d ms is %s', (millis, text) => {
    expect(formatDuration(millis)).toBe(text);
  });

  it.each([
    [0, 'less than 1 s'],
    [0.25, '250 ms'],
    [12, '12 s'],
  ])('of %d s is %s', (seconds, text) => {
    expect(formatSeconds(seconds)).toBe(text);
  });
});

describe('a duration', () => {
  it.each([
    ['90', 90_000],
    ['0', 0],
    ['1.5', 1500],
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['5 min', 300_000],
    ['1.5h', 5_400_000],
    ['.5h', 1_800_000],
    [' 2 days ', 172_800_000],
    ['1 week', 604_800_000],
  ])('%s', (text, millis) => {
    expect(parseDuration(text)).toBe(millis);
  });

  it.each(['', 's', '-2h', '2 fortnights', '1e3', '0x10', '2h 5m', '١s', '20170428', '1'.repeat(41)])(
    '%j is none',
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );

  it.each([
    ['2M', '2m (minutes) or 60d'],
    ['2 M', '2m (minutes) or 60d'],
    ['1.5M', '1.5m (minutes) or 45d'],
    ['2mo', '60d'],
    ['2 months', '60d'],
    ['1y', '365d'],
    ['2Y', '730d'],
    ['5S', '5s'],
    ['5MS', '5ms'],
    ['2H', '2h'],
    ['3 Days', '3days'],
  ])('%s is refused: write %s', (text, meant) => {
    expect(parseDuration(text)).toBeUndefined();
    expect(durationForm(text)).toBe(`a duration such as 500ms, 30s, 5m, 2h or 1d: write ${meant}`);
  });
});

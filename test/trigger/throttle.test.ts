import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { timeLeft } from '../../src/trigger/progress.ts';
import { Throttle, parseRate } from '../../src/trigger/throttle.ts';

describe('--rate', () => {
  test.each([
    ['10/s', { count: 10, per: 1000 }],
    ['10', { count: 10, per: 1000 }],
    ['30/m', { count: 30, per: 60_000 }],
    ['30 / min', { count: 30, per: 60_000 }],
    ['4/h', { count: 4, per: 3_600_000 }],
    ['0.5/s', { count: 0.5, per: 1000 }],
    ['2/d', { count: 2, per: 86_400_000 }],
    ['3/hour', { count: 3, per: 3_600_000 }],
  ])('%s', (text, rate) => {
    expect(parseRate(text)).toEqual(rate);
  });

  test.each([
    ['30/M', '30/m'],
    ['10/S', '10/s'],
    ['4/Hours', '4/hours'],
    ['4/month', '10/s'],
  ])('%s is refused: --rate %s', (text, meant) => {
    expect(() => parseRate(text)).toThrow(
      expect.objectContaining({
        message: `--rate ${text} is not a rate`,
        next: [`hippo trigger --rate ${meant}`],
      }) as Error,
    );
  });

  test.each(['', '0/s', '-1/s', '10/y', 's', '10//s', 'ten/s'])('%j is not a rate', (text) => {
    expect(() => parseRate(text)).toThrow(`--rate ${text} is not a rate`);
  });
});

describe('the throttle', () => {
  test('publishes everything at once if there is no limit', () => {
    const throttle = new Throttle({});
    expect(throttle.allowance(0, 1_000_000)).toBe(Infinity);
    expect(throttle.pause(0)).toBe(0);
  });

  test('publishes no more events than --max-active allows at a time', () => {
    const throttle = new Throttle({ maxActive: 3 });
    expect([0, 2, 3, 5].map((active) => throttle.allowance(0, active))).toEqual([3, 1, 0, 0]);
  });

  test('publishes the first event at once and the next one when the rate allows it', () => {
    const throttle = new Throttle({ rate: parseRate('2/s') });
    expect(throttle.allowance(1000, 0)).toBe(1);
    throttle.spend(1);
    expect(throttle.allowance(1000, 0)).toBe(0);
    expect(throttle.pause(1000)).toBe(500);
    expect(throttle.allowance(1499, 0)).toBe(0);
    expect(throttle.allowance(1500, 0)).toBe(1);
  });

  test('does not make up for time in which nothing was published', () => {
    const throttle = new Throttle({ rate: parseRate('1/s') });
    throttle.allowance(0, 0);
    expect(throttle.allowance(60_000, 0)).toBe(1);
  });

  test('keeps to the rate, and publishes everything in the end, whenever it is asked', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.1, max: 5_000, noNaN: true }),
        fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 300, maxLength: 300 }),
        (perSecond, pauses) => {
          const throttle = new Throttle({ rate: { count: perSecond, per: 1000 } });
          let [now, published] = [0, 0];
          for (const pause of pauses) {
            const allowed = throttle.allowance(now, 0);
            throttle.spend(allowed);
            published += allowed;
            // What may come at once: one, and a tenth of a second's.
            expect(published).toBeLessThanOrEqual((now / 1000) * perSecond + 1 + perSecond / 10 + 0.01);
            now += pause;
          }
          expect(published).toBeGreaterThanOrEqual(Math.floor(((now - 50) / 1000) * perSecond * 0.999));
        },
      ),
    );
  });

  test('publishes nothing earlier when the clock is set back', () => {
    const throttle = new Throttle({ rate: parseRate('1/s') });
    throttle.allowance(10_000, 0);
    throttle.spend(1);
    expect(throttle.allowance(0, 0)).toBe(0);
    expect(throttle.allowance(10_500, 0)).toBe(0);
    expect(throttle.allowance(11_000, 0)).toBe(1);
  });
});

test.each([
  [3, 9, 60_000, 0, 180_000],
  [3, 9, 60_000, 30_000, 150_000],
  [3, 9, 60_000, 300_000, 0],
  [0, 9, 60_000, 0, null],
  [3, null, 60_000, 0, null],
  [3, 0, 60_000, 0, null],
])('%s done and %s to do, the last after %s ms and %s ms ago: %s ms', (done, rest, took, since, left) => {
  expect(timeLeft(done, rest, took, since)).toBe(left);
});

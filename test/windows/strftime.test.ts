import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SHIFT_FORM, datePattern, parseShift, shiftDate, shiftForm } from '../../src/windows/strftime.ts';
import { unitsOf } from '../../src/windows/units.ts';

const UNITS = unitsOf({ holidays: ['2017-05-01'] });

const date = (text: string): number => Date.parse(`${text}Z`);
function format(pattern: string, at: string): string {
  const made = datePattern(pattern);
  if ('unknown' in made) throw new Error(made.unknown);
  return made.format(date(at));
}

describe('a pattern writes', () => {
  it.each([
    ['%Y%m', '2017-04-28T05:06:07', '201704'],
    ['%Y-%m-%d', '2017-04-28T05:06:07', '2017-04-28'],
    ['%F', '2017-04-28T05:06:07', '2017-04-28'],
    ['%FT%T', '2017-04-28T05:06:07', '2017-04-28T05:06:07'],
    ['%Y%m%d%H', '2017-04-28T05:06:07', '2017042805'],
    ['%y/%-m/%-d', '2017-04-08T05:06:07', '17/4/8'],
    ['%_d|%e', '2017-04-08T05:06:07', ' 8| 8'],
    ['%j', '2016-12-31T00:00:00', '366'],
    ['%I %p', '2017-04-28T17:00:00', '05 PM'],
    ['%b %B %a %A', '2017-04-28T00:00:00', 'Apr April Fri Friday'],
    ['%u %w', '2017-04-30T00:00:00', '7 0'],
    ['%GW%V', '2021-01-03T00:00:00', '2020W53'],
    ['%YQ%q', '2017-04-28T00:00:00', '2017Q2'],
    ['100%%', '2017-04-28T00:00:00', '100%'],
    ['no directive', '2017-04-28T00:00:00', 'no directive'],
  ])('%s of %s: %s', (pattern, at, text) => {
    expect(format(pattern, at)).toBe(text);
  });

  it.each([
    ['%Q', '%Q'],
    ['%Y%k', '%k'],
    ['%', '%'],
    ['%Y %s', '%s'],
  ])('nothing: %s has the unknown directive %s', (pattern, unknown) => {
    expect(datePattern(pattern)).toEqual({ unknown });
  });

  it('what its own expression matches', () => {
    const patterns = [
      '%Y%m%d',
      '%F',
      '%-m/%-d/%y',
      '%GW%V',
      '%b %e, %Y',
      '%YQ%q',
      '%j of %Y',
      '%H%M%S',
      '%I%p',
      '%U %W',
      '%A',
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...patterns),
        fc.integer({ min: 0, max: date('2100-01-01T00:00') }),
        (text, at) => {
          const pattern = datePattern(text);
          expect('unknown' in pattern ? pattern : pattern.format(at)).toMatch(
            new RegExp(`^${(pattern as { matches: string }).matches}$`),
          );
        },
      ),
    );
  });
});

describe('a shift', () => {
  it.each<[string, 1 | -1, from: string, to: string]>([
    ['2d', -1, '2017-03-01', '2017-02-27'],
    ['1 day', 1, '2016-02-28', '2016-02-29'],
    ['1 week', -1, '2017-01-03', '2016-12-27'],
    ['6h', -1, '2017-04-28', '2017-04-27T18:00'],
    ['30 min', 1, '2017-04-28', '2017-04-28T00:30'],
    ['1 month', -1, '2017-03-31', '2017-02-28'],
    ['1mo', 1, '2016-01-31', '2016-02-29'],
    ['12 months', -1, '2017-04-28', '2016-04-28'],
    ['1 year', -1, '2016-02-29', '2015-02-28'],
    ['0d', 1, '2017-04-28', '2017-04-28'],
    ['1 quarter', -1, '2017-05-31', '2017-02-28'],
    // Over the weekend and the holiday after it; the time of day stays.
    ['1 business day', 1, '2017-04-28', '2017-05-02'],
    ['3 business days', -1, '2017-05-02T05:00', '2017-04-26T05:00'],
    // From a free day, the next business day is 1 later, and the last one 1 earlier.
    ['1 business day', 1, '2017-04-29', '2017-05-02'],
    ['1 business day', -1, '2017-04-30', '2017-04-28'],
    ['0 business days', 1, '2017-04-30', '2017-04-30'],
  ])('of %s, %d: from %s to %s', (text, sign, from, to) => {
    const shift = parseShift(text, sign);
    expect(shift && new Date(shiftDate(Date.parse(from), [shift], UNITS)).toISOString()).toBe(
      new Date(to.includes('T') ? `${to}Z` : to).toISOString(),
    );
  });

  it.each(['', 'd', '2', '-2d', '1.5d', 'two days', '2 fortnights', '9999999d', '2d 3h'])(
    'is not "%s"',
    (text) => {
      expect(parseShift(text, 1)).toBeUndefined();
    },
  );

  it.each([
    ['1M', "'1 minutes' or '1 months'"],
    ['2D', "'2d'"],
    ['2 Months', "'2months'"],
  ])('is not "%s": write %s', (text, meant) => {
    expect(parseShift(text, 1)).toBeUndefined();
    expect(shiftForm(text)).toBe(`${SHIFT_FORM}: write ${meant}`);
  });
});

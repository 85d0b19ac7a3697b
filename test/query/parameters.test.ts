import { describe, expect, it } from 'vitest';
import type { QueryParameterConfig } from '../../src/config/schema.ts';
import { WrongValue, canonical, parameterOf } from '../../src/query/parameters.ts';
import { formatFor } from '../../src/query/accept.ts';

const of = (config: Partial<QueryParameterConfig> & Pick<QueryParameterConfig, 'type'>) =>
  parameterOf('p', { required: false, ...config });

it.each([
  ['integer', '9223372036854775807', 9223372036854775807n],
  ['integer', '-1', -1n],
  ['number', '1e3', 1000],
  ['boolean', 'true', true],
  ['date', '1969-12-31', -1],
  ['timestamp', '1970-01-01T00:00:01.5', 1500000n],
  ['instant', '1970-01-01T02:00:00+02:00', 0n],
  ['instant', '1970-01-01T00:00Z', 0n],
  ['text', 'é', 'é'],
] as const)('%s %s is %s', (type, text, value) => {
  expect(of({ type }).read(text)).toEqual({ type, value });
});

it.each([
  ['integer', '9223372036854775808'],
  ['integer', '1.0'],
  ['integer', ''],
  ['integer', ' 1'],
  ['number', 'NaN'],
  ['number', '1e999'],
  ['number', '0x10'],
  ['decimal', '1e3'],
  ['decimal', '1'.repeat(39)],
  ['boolean', '1'],
  ['date', '2026-02-29'],
  ['date', '2026-2-1'],
  ['timestamp', '2026-01-01T00:00:00Z'],
  ['timestamp', '2026-01-01'],
  ['instant', '2026-01-01T00:00:00'],
  ['instant', '2026-01-01T24:00:00Z'],
  ['text', 'a\0b'],
  ['text', 'a\ud800'],
] as const)('%s %j is refused', (type, text) => {
  expect(() => of({ type }).read(text)).toThrow(WrongValue);
});

describe('limits', () => {
  it.each([
    [{ type: 'integer', min: '2', max: '3' }, '1', 'must be at least 2'],
    [{ type: 'integer', min: '2', max: '3' }, '4', 'must be at most 3'],
    [{ type: 'decimal', max: '1.5' }, '1.51', 'must be at most 1.5'],
    [{ type: 'date', min: '2026-01-01' }, '2025-12-31', 'must be at least 2026-01-01'],
    [{ type: 'text', min: '2' }, 'a', 'must have at least 2 characters'],
    [{ type: 'text', max: '2' }, 'abc', 'must have at most 2 characters'],
    [{ type: 'text' }, 'a'.repeat(1_001), 'must have at most 1000 characters'],
    [{ type: 'text', values: ['a', 'b'] }, 'c', 'must be one of a, b'],
  ] as const)('%j refuses %s', (config, text, message) => {
    expect(() => of(config as never).read(text)).toThrow(message);
  });

  it('equal decimals are the same value', () => {
    const parameter = of({ type: 'decimal', values: ['1.5'] });
    expect(canonical(parameter.read('1.50'))).toBe(canonical(parameter.read('1.5')));
  });
});

it.each([
  [undefined, 'json'],
  ['', 'json'],
  ['*/*', 'json'],
  ['text/*', 'csv'],
  ['text/csv;q=0.5, application/json;q=0.4', 'csv'],
  ['application/json;q=0, */*', 'csv'],
  ['application/vnd.apache.parquet', 'parquet'],
  ['TEXT/CSV', 'csv'],
])('Accept: %s is %s', (accept, format) => {
  expect(formatFor(accept)).toBe(format);
});

it.each(['application/xml', 'application/json;q=0', 'text/csv;q=9'])('Accept: %s is 406', (accept) => {
  expect(() => formatFor(accept)).toThrow(expect.objectContaining({ status: 406 }));
});

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type StateKey, formatStateKey, keyFilter, parseStateKey } from '../../src/state/index.ts';

describe('a key of the state topic', () => {
  test.each<[text: string, key: StateKey]>([
    ['etl/run/load/2017-04-28', { kind: 'run', hippo: 'etl', job: 'load', key: '2017-04-28' }],
    ['etl/run/load/dt=1/region=us', { kind: 'run', hippo: 'etl', job: 'load', key: 'dt=1/region=us' }],
    ['etl/run/load/two\nlines', { kind: 'run', hippo: 'etl', job: 'load', key: 'two\nlines' }],
    [
      'etl/input/load/btd.party/yyyymm=201704',
      { kind: 'input', hippo: 'etl', job: 'load', input: 'btd.party/yyyymm=201704' },
    ],
    [
      'etl/run-input/load/dt=1/region=us/btd.party{a=b/c}',
      { kind: 'run-input', hippo: 'etl', job: 'load', input: 'dt=1/region=us/btd.party{a=b/c}' },
    ],
    ['etl/timed/load', { kind: 'timed', hippo: 'etl', job: 'load' }],
    ['etl/last-result/load', { kind: 'last-result', hippo: 'etl', job: 'load' }],
    ['etl/alert/etl/deadline/load/1', { kind: 'alert', hippo: 'etl', alert: 'etl/deadline/load/1' }],
    ['etl/paused/load', { kind: 'paused', hippo: 'etl', job: 'load' }],
    ['etl/offsets', { kind: 'offsets', hippo: 'etl' }],
    ['etl/owner', { kind: 'owner', hippo: 'etl' }],
    ['etl/probe', { kind: 'probe', hippo: 'etl' }],
    // Keys of kinds that this version does not know: hippo forget deletes them too.
    ['etl/announced/orders/0110', { kind: 'announced', hippo: 'etl', source: 'orders', bucket: '0110' }],
    ['etl/source/orders', { kind: 'source', hippo: 'etl', source: 'orders' }],
    ['etl/model/iris', { kind: 'model', hippo: 'etl', model: 'iris' }],
    ['etl/model/iris/x', { kind: 'unknown', hippo: 'etl', rest: 'model/iris/x' }],
    ['etl/serving/api', { kind: 'unknown', hippo: 'etl', rest: 'serving/api' }],
    ['etl/run/load', { kind: 'unknown', hippo: 'etl', rest: 'run/load' }],
    ['etl/run/load/', { kind: 'unknown', hippo: 'etl', rest: 'run/load/' }],
    ['etl/paused/load/x', { kind: 'unknown', hippo: 'etl', rest: 'paused/load/x' }],
    ['etl/offsets/x', { kind: 'unknown', hippo: 'etl', rest: 'offsets/x' }],
    ['etl/', { kind: 'unknown', hippo: 'etl', rest: '' }],
  ])('%j is read and written back', (text, key) => {
    expect(parseStateKey(text)).toEqual(key);
    expect(formatStateKey(key)).toBe(text);
  });

  test.each(['', 'etl', '/run/load/1', 'nonsense'])('%j names no hippo', (text) => {
    expect(parseStateKey(text)).toBeUndefined();
  });

  test('is written back as it was, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.string().map((rest) => `etl/${rest}`),
        (text) => {
          const key = parseStateKey(text);
          expect(key === undefined ? undefined : formatStateKey(key)).toBe(text);
        },
      ),
    );
  });
});

describe('the filter of a hippo', () => {
  test.each([
    ['etl/run/load/2017-04-28', true],
    ['etl/', true],
    ['etl', false],
    ['etl2/offsets', false],
    ['et/l/offsets', false],
    ['my-etl/offsets', false],
    ['ETL/offsets', false],
    ['', false],
  ])('takes of the keys only its own: %j %s', (key, taken) => {
    expect(keyFilter('etl')(Buffer.from(key))).toBe(taken);
  });

  test('takes no record without a key', () => expect(keyFilter('etl')(null)).toBe(false));

  test('says what the key says when it is read', () => {
    const name = fc.stringMatching(/^[a-c._-]{1,3}$/);
    fc.assert(
      fc.property(name, fc.string({ unit: fc.constantFrom('a', 'b', '.', '/', 'é') }), (hippo, key) => {
        expect(keyFilter(hippo)(Buffer.from(key))).toBe(parseStateKey(key)?.hippo === hippo);
      }),
    );
  });
});

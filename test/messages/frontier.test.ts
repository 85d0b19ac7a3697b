import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import { JsonNumber } from '../../src/core/json.ts';
import {
  FRONTIER_DIALECTS,
  type FrontierEvent,
  type Partition,
  parseFrontier,
  serialiseFrontier,
} from '../../src/messages/index.ts';
import { anyJson } from '../support/json.ts';

const event = (fields: Partial<FrontierEvent>): FrontierEvent => ({
  kind: 'frontier',
  dialect: 'pairs',
  db: 'btd',
  table: 'party',
  partitions: [[]],
  method: 'partition',
  execDate: 1_493_394_946,
  extra: {},
  ...fields,
});

/** Each as it is written in the wild: read, and written again as it was. */
const IN_THE_WILD: [string, string, FrontierEvent][] = [
  [
    'pairs, unpartitioned (the deck’s own)',
    '{"table":"PARTY_EDW_CUST_INS_SALES","partition":[{"name":"","value":""}],"db":"btd","method":"partition","exec_date":"1493394946"}',
    event({ table: 'PARTY_EDW_CUST_INS_SALES' }),
  ],
  [
    'pairs, two levels, unknown fields',
    '{"table":"party","partition":[{"name":"yyyymm","value":"201704"},{"name":"region","value":"us"}],"db":"btd","method":"append","exec_date":"1493394946","rows":12,"owner":{"team":["a",null]}}',
    event({
      partitions: [
        [
          { name: 'yyyymm', value: '201704' },
          { name: 'region', value: 'us' },
        ],
      ],
      method: 'append',
      extra: { rows: 12, owner: { team: ['a', null] } },
    }),
  ],
  [
    'arrays',
    '{"exec_date":1531747697,"partition_values":["201807"],"db":"btd","partition_fields":["yyyymm"],"table":"agreement_drv_pln_apply_m","method":"overwrite_partition"}',
    event({
      dialect: 'arrays',
      table: 'agreement_drv_pln_apply_m',
      partitions: [[{ name: 'yyyymm', value: '201807' }]],
      method: 'overwrite_partition',
      execDate: 1_531_747_697,
    }),
  ],
  [
    'arrays, unpartitioned',
    '{"exec_date":1531747697,"partition_values":[],"partition_fields":[],"db":"btd","table":"party","method":"overwrite"}',
    event({ dialect: 'arrays', method: 'overwrite', execDate: 1_531_747_697 }),
  ],
  [
    'scalars, without a method',
    '{"db":"db1","table":"table1","partition_fields":"yyyymm","partition_values":"201911","timestamp":1575190675}',
    event({
      dialect: 'scalars',
      db: 'db1',
      table: 'table1',
      partitions: [[{ name: 'yyyymm', value: '201911' }]],
      method: '',
      execDate: 1_575_190_675,
    }),
  ],
  [
    'scalars, two levels',
    '{"db":"db1","table":"table1","partition_fields":"data_date/group","partition_values":"20190801/a","timestamp":1575190675}',
    event({
      dialect: 'scalars',
      db: 'db1',
      table: 'table1',
      partitions: [
        [
          { name: 'data_date', value: '20190801' },
          { name: 'group', value: 'a' },
        ],
      ],
      method: '',
      execDate: 1_575_190_675,
    }),
  ],
  [
    'legacy, two partitions',
    '{"db":"vp_op_adv","table":"page","method":"overwrite_partition","partitions":["201703","201704"],"exec_date":"2017/04/05T00:00:00Z"}',
    event({
      dialect: 'legacy',
      db: 'vp_op_adv',
      table: 'page',
      method: 'overwrite_partition',
      partitions: [[{ name: '', value: '201703' }], [{ name: '', value: '201704' }]],
      execDate: 1_491_350_400,
    }),
  ],
  [
    'a field named __proto__',
    '{"table":"party","partition":[{"name":"","value":""}],"db":"btd","method":"partition","exec_date":"1493394946","__proto__":{"polluted":true}}',
    event({ extra: JSON.parse('{"__proto__":{"polluted":true}}') as FrontierEvent['extra'] }),
  ],
];

describe('frontier events in the wild', () => {
  it.each(IN_THE_WILD)('%s: read', (_, wire, expected) => {
    expect(parseFrontier(new TextEncoder().encode(wire))).toStrictEqual({ ok: true, message: expected });
  });

  it.each(IN_THE_WILD)('%s: written as it was read', (_, wire, expected) => {
    expect(JSON.parse(serialiseFrontier(expected))).toStrictEqual(JSON.parse(wire));
  });

  it('does not let a message reach a prototype', () => {
    const wire = IN_THE_WILD.at(-1)![1];
    const parsed = parseFrontier(wire);
    expect(parsed.ok && 'polluted' in parsed.message.extra).toBe(false);
    expect(parsed.ok && serialiseFrontier(parsed.message)).toBe(wire);
    expect('polluted' in {}).toBe(false);
  });
});

/** Variants that a strict reader would drop, and a trigger with them. */
const TOLERATED: [string, Record<string, unknown>, Partial<FrontierEvent>][] = [
  ['an empty list of pairs', { partition: [], exec_date: '1' }, { partitions: [[]] }],
  ['no partition at all', { exec_date: '1' }, { dialect: 'pairs', partitions: [[]] }],
  ['no partition, a number as date', { exec_date: 1 }, { dialect: 'arrays', partitions: [[]] }],
  ['no partition, a timestamp', { timestamp: 1 }, { dialect: 'scalars', partitions: [[]] }],
  [
    'no partition, an ISO date',
    { exec_date: '1970-01-01T00:00:01Z' },
    { dialect: 'legacy', partitions: [[]] },
  ],
  ['blank arrays', { partition_fields: [''], partition_values: [''], exec_date: 1 }, { partitions: [[]] }],
  [
    'null arrays',
    { partition_fields: null, partition_values: null, exec_date: 1 },
    { dialect: 'arrays', partitions: [[]] },
  ],
  ['blank scalars', { partition_fields: '', partition_values: '', timestamp: 1 }, { partitions: [[]] }],
  ['no legacy partitions', { partitions: [], exec_date: '1970-01-01T00:00:01Z' }, { partitions: [[]] }],
  [
    'a value without a level name',
    { partition: [{ name: '', value: 'a' }], exec_date: '1' },
    { partitions: [[{ name: '', value: 'a' }]] },
  ],
  [
    'a number as value',
    { partition: [{ name: 'd', value: 201704 }], exec_date: '1' },
    { partitions: [[{ name: 'd', value: '201704' }]] },
  ],
  [
    'a number beyond 2^53 as value',
    { partition: [{ name: 'id', value: new JsonNumber('9007199254740993') }], exec_date: '1' },
    { partitions: [[{ name: 'id', value: '9007199254740993' }]] },
  ],
  [
    'no partition, a number with a fraction as date',
    { exec_date: new JsonNumber('1.0') },
    { dialect: 'arrays' },
  ],
  ['pairs with a number as date', { partition: [], exec_date: 1 }, { dialect: 'pairs' }],
  [
    'arrays with text as date',
    { partition_fields: [], partition_values: [], exec_date: '1' },
    { dialect: 'arrays' },
  ],
  [
    'scalars with exec_date',
    { partition_fields: '', partition_values: '', exec_date: 1 },
    { dialect: 'scalars' },
  ],
  ['pairs with timestamp', { partition: [], timestamp: 1 }, { dialect: 'pairs' }],
  [
    'two dialects at once',
    { partition: [], partitions: ['x'], exec_date: '1' },
    { dialect: 'pairs', extra: { partitions: ['x'] } },
  ],
  ['both dates', { partition: [], exec_date: '1', timestamp: 2 }, { execDate: 1, extra: { timestamp: 2 } }],
];

it.each(TOLERATED)('reads %s', (_, fields, expected) => {
  const parsed = parseFrontier(JSON.stringify({ db: 'btd', table: 'party', ...fields }));
  expect(parsed).toMatchObject({ ok: true, message: { execDate: 1, ...expected } });
});

describe('exec_date', () => {
  it.each([
    ['1493394946', 1_493_394_946],
    ['1493394946.25', 1_493_394_946.25],
    [0, 0],
    ['2017/04/05T00:00:00Z', 1_491_350_400],
    ['2017-04-05T00:00:00Z', 1_491_350_400],
    ['2017-04-05T08:00:00+08:00', 1_491_350_400],
    ['2017-04-04T19:30:00-0430', 1_491_350_400],
    ['2017-04-05 00:00', 1_491_350_400],
    ['2017-04-05', 1_491_350_400],
    ['2020-02-29T23:59:59.5Z', 1_583_020_799.5],
    // Digits that are a date.
    ['20170405', 1_491_350_400],
    [20_170_405, 1_491_350_400],
    ['201704050030', 1_491_352_200],
    [20_170_405_003_000, 1_491_352_200],
    ['99991231', 253_402_214_400],
    ['20170405.0', 20_170_405],
    [12_345_678, 12_345_678],
  ])('%j is second %d', (exec_date, expected) => {
    const parsed = parseFrontier(JSON.stringify({ db: 'a', table: 'b', partition: [], exec_date }));
    expect(parsed.ok && parsed.message.execDate).toBe(expected);
  });

  const date = 'must be epoch seconds or a date such as 2017-04-05T00:00:00Z';
  it.each([
    ['2017-02-30', date],
    ['2017-04-05T25:00:00Z', date],
    ['2017-13-05', date],
    ['20170431', 'must be epoch seconds or a date; no calendar has this one'],
    [20_171_301, 'must be epoch seconds or a date; no calendar has this one'],
    ['201704312500', 'must be epoch seconds or a date; no calendar has this one'],
    ['yesterday', date],
    ['', date],
    ['-1', date],
    ['1e9', date],
    [1_493_394_946_000, 'must be epoch seconds, not milliseconds'],
    ['1493394946000', 'must be epoch seconds, not milliseconds'],
    [-1, 'must be epoch seconds, not -1'],
    [null, 'must be epoch seconds, not null'],
    [undefined, 'is missing; it must be epoch seconds'],
  ])('%j is refused', (exec_date, reason) => {
    const parsed = parseFrontier(JSON.stringify({ db: 'a', table: 'b', partition: [], exec_date }));
    expect(parsed).toStrictEqual({ ok: false, rejection: { reason, key: 'exec_date' } });
  });
});

const GOOD = { db: 'btd', table: 'party', partition: [], exec_date: '1' };
it.each([
  [{ db: undefined }, 'db', 'is missing; it must be text'],
  [{ db: 5 }, 'db', 'must be text, not 5'],
  [{ table: ' ' }, 'table', 'must not be blank'],
  [{ table: 'a\u0000b' }, 'table', 'must have no control characters'],
  [{ table: '\u001b[31mred' }, 'table', 'must have no control characters'],
  [{ table: '\ud800' }, 'table', 'must be well-formed Unicode'],
  [{ table: 'x'.repeat(768) }, 'table', 'must have at most 767 characters'],
  [{ method: 1 }, 'method', 'must be text, not 1'],
  [
    { partition: Array.from({ length: 6 }, (_, level) => ({ name: `n${level}`, value: 'v'.repeat(700) })) },
    'partition',
    'must have at most 4000 characters in all its levels',
  ],
  [{ partition: 'yyyymm=201704' }, 'partition', 'must be a list, not text'],
  [{ partition: ['201704'] }, 'partition[0]', 'must be an object, not text'],
  [{ partition: [{ value: 'a' }] }, 'partition[0].name', 'is missing; it must be text'],
  [{ partition: [{ name: 'd' }] }, 'partition[0].value', 'is missing; it must be text'],
  [{ partition: [{ name: 'd', value: '' }] }, 'partition[0].value', 'must not be blank'],
  [{ partition: [{ name: 'd', value: 1.5 }] }, 'partition[0].value', 'must be text, not 1.5'],
  [{ partition: [{ name: 'd', value: ['a'] }] }, 'partition[0].value', 'must be text, not a list'],
  [
    {
      partition: [
        { name: 'd', value: 'a' },
        { name: '', value: '' },
      ],
    },
    'partition',
    'has a blank level beside others',
  ],
  [
    {
      partition: [
        { name: 'd', value: 'a' },
        { name: 'd', value: 'b' },
      ],
    },
    'partition',
    'names the level d twice',
  ],
  [
    { partition: undefined, partition_fields: ['d'], partition_values: [] },
    'partition_values',
    'has 0 values for 1 partition_fields',
  ],
  [
    { partition: undefined, partition_fields: ['d'], partition_values: '1' },
    'partition_values',
    'must be a list, not text',
  ],
  [
    { partition: undefined, partition_fields: 'd', partition_values: 201704 },
    'partition_values',
    'must be text, not 201704',
  ],
  [
    { partition: undefined, partition_fields: 'd/g', partition_values: '1' },
    'partition_values',
    'has 1 values for 2 partition_fields',
  ],
  [
    { partition: undefined, partition_fields: [1], partition_values: ['1'] },
    'partition_fields[0]',
    'must be text, not 1',
  ],
  [{ partition: undefined, partitions: '201704' }, 'partitions', 'must be a list, not text'],
  [{ partition: undefined, partitions: ['a', {}] }, 'partitions[1]', 'must be text, not an object'],
])('refuses %j', (fields, key, reason) => {
  expect(parseFrontier(JSON.stringify({ ...GOOD, ...fields }))).toStrictEqual({
    ok: false,
    rejection: { reason, key },
  });
});

it.each(['$(rm -rf /)', '; ls', '-rf', '--jars', '`id`', '../../etc/passwd', 'a b', '日本語', "it's"])(
  'accepts %j as a value: it goes into argv, never into a shell',
  (value) => {
    const wire = JSON.stringify({ ...GOOD, partition: [{ name: 'd', value }] });
    expect(parseFrontier(wire)).toMatchObject({
      ok: true,
      message: { partitions: [[{ name: 'd', value }]] },
    });
  },
);

describe('writing in another dialect', () => {
  const levels: Partition = [
    { name: 'yyyymm', value: '201704' },
    { name: 'region', value: 'us' },
  ];

  it.each([
    [
      'pairs',
      {
        partition: [
          { name: 'yyyymm', value: '201704' },
          { name: 'region', value: 'us' },
        ],
        method: 'partition',
        exec_date: '1493394946',
      },
    ],
    [
      'arrays',
      {
        partition_fields: ['yyyymm', 'region'],
        partition_values: ['201704', 'us'],
        method: 'partition',
        exec_date: 1_493_394_946,
      },
    ],
    [
      'scalars',
      { partition_fields: 'yyyymm/region', partition_values: '201704/us', timestamp: 1_493_394_946 },
    ],
  ] as const)('%s; a method only where its readers require one', (dialect, fields) => {
    const wire = serialiseFrontier(
      event({ dialect: 'legacy', method: '', partitions: [levels], extra: { rows: 3 } }),
      dialect,
    );
    expect(JSON.parse(wire)).toStrictEqual({ db: 'btd', table: 'party', rows: 3, ...fields });
  });

  it.each([
    ['pairs', [levels, levels], 'the pairs dialect cannot express 2 partitions in one event'],
    ['legacy', [levels], 'the legacy dialect cannot express a partition of several levels'],
    [
      'scalars',
      [[{ name: 'd', value: '2017/04' }]],
      'the scalars dialect cannot express a "/" in the partition level d',
    ],
  ] as const)('%s: refuses what it cannot express', (dialect, partitions, message) => {
    expect(() => serialiseFrontier(event({ partitions }), dialect)).toThrow(
      new UserError(message, { next: ['Write one event a partition, or choose another dialect.'] }),
    );
  });

  it('keeps its own fields where an unknown one has their name', () => {
    const wire = serialiseFrontier(event({ extra: { partition_values: 'other', db: 'other' } }), 'arrays');
    expect(JSON.parse(wire)).toMatchObject({ db: 'btd', partition_values: [] });
  });
});

const nameText = fc
  .string({ minLength: 1, maxLength: 20, unit: 'grapheme' })
  .filter((text) => text.trim() !== '');
const slashless = nameText.filter((text) => !text.includes('/'));
const anyEvent = fc.constantFrom(...FRONTIER_DIALECTS).chain((dialect) => {
  const value = dialect === 'scalars' ? slashless : nameText;
  const levels = fc
    .uniqueArray(fc.tuple(value, value), { maxLength: 3, selector: ([field]) => field })
    .map((found) => found.map(([field, text]) => ({ name: field, value: text })));
  const bare = fc.array(
    value.map((text) => [{ name: '', value: text }]),
    { minLength: 1, maxLength: 3 },
  );
  return fc.record({
    kind: fc.constant('frontier' as const),
    dialect: fc.constant(dialect),
    db: nameText,
    table: nameText,
    partitions:
      dialect === 'legacy' ? fc.oneof(bare, fc.constant([[]])) : levels.map((partition) => [partition]),
    method: fc.constantFrom('', 'partition', 'append', 'x'),
    execDate: fc.oneof(
      fc.nat(4_000_000_000),
      fc.integer({ min: 19_000_000, max: 21_991_231 }),
      fc.integer({ min: 190_000_000_000, max: 219_912_312_359 }),
    ),
    extra: fc.dictionary(
      fc.string().filter((key) => !/^(db|table|method|partition.*|exec_date|timestamp)$/.test(key)),
      anyJson,
      { maxKeys: 4 },
    ),
  });
});

it('comes out as it went in, whatever the event', () => {
  fc.assert(
    fc.property(anyEvent, (original) => {
      const wire = serialiseFrontier(original);
      const parsed = parseFrontier(new TextEncoder().encode(wire));
      expect(parsed).toEqual({ ok: true, message: original });
      expect(parsed.ok && serialiseFrontier(parsed.message)).toBe(wire);
    }),
    { numRuns: 500 },
  );
});

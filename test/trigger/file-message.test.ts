import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FRONTIER_DIALECTS, parseFrontier, serialiseFrontier } from '../../src/messages/index.ts';
import { EventScanner } from '../../src/trigger/event-scanner.ts';
import { LineReader } from '../../src/trigger/file-message.ts';
import { foreignTopics } from '../../src/trigger/source.ts';
import { config } from './config.ts';

const reader = (): LineReader => new LineReader(foreignTopics(config()));
const read = (line: string) => reader().read(Buffer.from(line));

const USUAL =
  '{"table":"party","partition":[{"name":"yyyymm","value":"201704"}],"db":"btd","method":"partition","exec_date":"1493394946"}';

describe('a line of a file is read as an event', () => {
  test.each([
    ['when it is written as hippo writes it', USUAL],
    ['when it has blanks, as Python writes it', USUAL.replaceAll('":', '": ').replaceAll(',"', ', "')],
    ['of an unpartitioned table', USUAL.replace('yyyymm', '').replace('201704', '')],
    ['with an escape', USUAL.replace('201704', 'a\\"b')],
    ['of several levels', USUAL.replace('}]', '},{"name":"region","value":"us"}]')],
    ['with an unknown field', USUAL.replace('{"table"', '{"x":1,"table"')],
    [
      'of another dialect',
      '{"db":"btd","table":"party","partitions":["201704"],"exec_date":"2017/04/05T00:00:00Z"}',
    ],
  ])('that is an event %s has its table as key and is kept as it is', (_, line) => {
    const lines = reader();
    expect(lines.read(Buffer.from(line))).toEqual({
      ok: true,
      message: { key: Buffer.from('btd.party'), value: Buffer.from(line), headers: undefined },
    });
    expect(lines.tables()).toEqual(new Set(['btd.party']));
  });

  test('a line of hippo tail --json keeps its key, value and headers', () => {
    const envelope = {
      topic: 'frontier-adw',
      partition: 1,
      offset: '7',
      timestamp: 1,
      key: null,
      headers: { h: { base64: '/w==' } },
      value: { base64: '/wA=' },
    };
    expect(read(JSON.stringify(envelope))).toEqual({
      ok: true,
      message: { key: null, value: Buffer.from([0xff, 0]), headers: { h: Buffer.from([0xff]) } },
    });
  });

  test.each([
    ['{"db":"btd"}', 'table is missing; it must be text'],
    ['{"db":"btd","table":"party","partition":{}}', 'partition must be a list, not an object'],
    ['no JSON', expect.stringContaining('is not JSON') as string],
    [USUAL.replace('1493394946', '1493394946000'), 'exec_date must be epoch seconds, not milliseconds'],
    [USUAL.replace('201704', ''), 'partition[0].value must not be blank'],
    [
      '{"topic":"hippo-finish","partition":0,"offset":"1","key":null,"value":"{}"}',
      'is from hippo-finish, which carries finish messages, not frontier events',
    ],
    [
      '{"topic":"hippo-model","partition":0,"offset":"1","key":null,"value":"{}"}',
      'is from hippo-model, which carries model messages, not frontier events',
    ],
    [
      '{"topic":"hippo-alert","partition":0,"offset":"1","key":null,"value":"{}"}',
      'is from hippo-alert, which carries alert messages, not frontier events',
    ],
    [
      '{"topic":"frontier-adw.dlq","partition":0,"offset":"1","key":null,"value":"{}"}',
      'is from frontier-adw.dlq, which carries dead letters: hippo replay publishes them again',
    ],
    [
      '{"topic":"t","partition":0,"offset":"1","key":3,"value":"{}"}',
      '"key" must be text, null or {"base64":"…"}; it is 3',
    ],
  ])('%s is refused with the reason', (line, reason) => {
    expect(read(line)).toEqual({ ok: false, reason });
  });

  test('a line that is not UTF-8 is refused, even if it looks like a line of hippo tail --json', () => {
    const line = Buffer.from('{"topic":"t","partition":0,"offset":"1","value":"\xff"}', 'latin1');
    expect(reader().read(line)).toEqual({ ok: false, reason: 'is not UTF-8' });
  });

  test.each(['', ' ', '\t'])('a line that is %j is skipped', (line) => {
    expect(read(line)).toBeUndefined();
  });
});

describe('the event scanner, which reads usual lines without parsing them,', () => {
  test('reads the form that hippo writes by default', () => {
    const scanner = new EventScanner();
    const key = scanner.scan(Buffer.from(USUAL));
    expect(key).toEqual(Buffer.from('btd.party'));
    expect(scanner.scan(Buffer.from(USUAL))).toBe(key);
  });

  test.each([
    [
      'in another order',
      '{"exec_date":"1","db":"btd","partition":[{"name":"m","value":"1"}],"table":"party"}',
    ],
    ['with blanks', USUAL.replaceAll(/[:,](?=["[{])/g, '$& ')],
    ['with a note and a number', USUAL.replace('}]', '}],"note":"as it is: {1, 2}","rows":1200')],
    ['of two levels', USUAL.replace('}]', '},{"name":"region","value":"us"}]')],
    ['of an unpartitioned table', USUAL.replace(/\[.*\]/, '[]')],
    ['whose date is a number', USUAL.replace('"1493394946"', '1493394946')],
  ])('knows an event %s', (_, line) => {
    expect(new EventScanner().scan(Buffer.from(line))).toEqual(Buffer.from('btd.party'));
    expect(parseFrontier(line)).toMatchObject({ ok: true, message: { db: 'btd', table: 'party' } });
  });

  test.each([
    ['a field that comes twice', USUAL.replace('"db"', '"db":"x","db"')],
    ['a level that comes twice', USUAL.replace('}]', '},{"name":"yyyymm","value":"us"}]')],
    ['three levels', USUAL.replace('}]', '},{"name":"a","value":"1"},{"name":"b","value":"1"}]')],
    ['digits that are a date', USUAL.replace('1493394946', '20170428')],
    ['a number that is a date', USUAL.replace('"1493394946"', '20170428')],
    ['an envelope', USUAL.replace('"db"', '"topic":"t","offset":"1","value":"{}","db"')],
    ['a number that JSON does not know', USUAL.replace('"db"', '"rows":012,"db"')],
    ['more after it', `${USUAL} `],
  ])('leaves %s to the parser', (_, line) => {
    expect(new EventScanner().scan(Buffer.from(line))).toBeUndefined();
  });

  test.each([
    ['the same', USUAL.replace('201704', '201705').replace('party', 'flights'), 'btd.flights'],
    ['another note', USUAL.replace('}]', '}],"note":"new"'), 'btd.party'],
    ['a longer line', `${USUAL.slice(0, -1)},"rows":3}`, 'btd.party'],
    ['a database without a name', USUAL.replace('"btd"', '""'), undefined],
    ['a level without a value', USUAL.replace('201704', ''), undefined],
    ['a date without digits', USUAL.replace('1493394946', ''), undefined],
    ['a date that may not exist', USUAL.replace('1493394946', '20170431'), undefined],
    ['a date of milliseconds', USUAL.replace('1493394946', '1493394946000'), undefined],
    ['a table with a blank', USUAL.replace('party', 'a party'), undefined],
    ['a longer name than it knows', USUAL.replace('party', 'a'.repeat(201)), undefined],
    ['the beginning of a line', USUAL.slice(0, -1), undefined],
    ['another end', `${USUAL.slice(0, -1)}]`, undefined],
    ['more after it', `${USUAL}}`, undefined],
  ])('that knows lines of this shape looks at %s', (_, line, key) => {
    const scanner = new EventScanner();
    const memory = Buffer.alloc(1000);
    const scan = (text: string): string | undefined =>
      scanner.scan(memory.fill(0), 0, memory.write(text))?.toString();
    expect(scan(USUAL)).toBe('btd.party');
    expect(scan(line)).toBe(key);
    expect(scan(USUAL)).toBe('btd.party');
    expect(scan(line)).toBe(key);
  });

  test('reads lines of more shapes than it remembers', () => {
    const scanner = new EventScanner();
    for (let index = 0; index < 40; index += 1) {
      const line = USUAL.replace('yyyymm', `level${index % 13}`).replace('party', `t${index}`);
      expect(scanner.scan(Buffer.from(line))).toEqual(Buffer.from(`btd.t${index}`));
    }
  });

  test('reads a line that stands between others in one buffer', () => {
    const bytes = Buffer.from(`${USUAL}\n${USUAL.replace('party', 'flight')}\n${USUAL}`);
    const from = USUAL.length + 1;
    const scanner = new EventScanner();
    expect(scanner.scan(bytes, from, from + USUAL.length + 1)).toEqual(Buffer.from('btd.flight'));
    expect(scanner.scan(bytes, from, from + USUAL.length)).toBeUndefined();
    expect(scanner.scan(bytes, from, from + USUAL.length + 2)).toBeUndefined();
  });

  test('accepts only lines that the parser accepts, and gives the same key', () => {
    let found = 0;
    // One for all: what it has seen must not mislead it.
    const scanner = new EventScanner();
    const word = fc.oneof(
      { weight: 8, arbitrary: fc.stringMatching(/^\w{1,6}$/) },
      fc.stringMatching(/^[\w$.:+"\\ é-]{0,6}$/),
      fc.constantFrom('party', 'btd', 'a'.repeat(200), 'a'.repeat(201), '2017-04-28', ''),
    );
    const line = fc
      .record({
        table: word,
        partition: fc.array(fc.record({ name: word, value: word }), { maxLength: 2 }),
        db: word,
        method: word,
        exec_date: fc.oneof(
          word,
          ...Array<fc.Arbitrary<string>>(5).fill(fc.nat().map(String)),
          fc.integer(),
          fc.integer({ min: 19_000_000, max: 21_991_231 }).map(String),
        ),
        note: fc.option(word, { nil: undefined }),
        rows: fc.option(fc.oneof(fc.nat(), fc.double()), { nil: undefined }),
        offset: fc.option(word, { nil: undefined, freq: 1 }),
      })
      .chain((event) =>
        fc.tuple(
          fc.shuffledSubarray(Object.entries(event), { minLength: 7 }),
          fc.nat(1000),
          fc.constantFrom('', ' ', '"', '}', '0', ',', '"db":"x",'),
        ),
      )
      .map(([fields, at, more]) => [JSON.stringify(Object.fromEntries(fields)), at, more] as const)
      // Every now and then something is in it that should not be.
      .map(([text, at, more]) => `${text.slice(0, at)}${more}${text.slice(at)}`);
    fc.assert(
      fc.property(line, (text) => {
        const key = scanner.scan(Buffer.from(text));
        if (key === undefined) return;
        const parsed = parseFrontier(text);
        found += 1;
        expect(parsed.ok && `${parsed.message.db}.${parsed.message.table}`).toBe(key.toString());
      }),
      { numRuns: 10_000 },
    );
    expect(found).toBeGreaterThan(100);
  });

  test('tells tables apart whose names begin or end alike', () => {
    const scanner = new EventScanner();
    const names = fc.sample(fc.stringMatching(/^[ab]{1,6}$/), { numRuns: 300, seed: 3 });
    for (const [index, table] of names.entries()) {
      const db = names[names.length - 1 - index] ?? '';
      const line = serialiseFrontier(
        {
          kind: 'frontier',
          dialect: 'pairs',
          db,
          table,
          method: 'append',
          execDate: 1,
          partitions: [[]],
          extra: {},
        },
        FRONTIER_DIALECTS[0],
      );
      expect(String(scanner.scan(Buffer.from(line)))).toBe(`${db}.${table}`);
    }
  });
});

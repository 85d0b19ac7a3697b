import { stripVTControlCharacters } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import chalk from 'chalk';
import stringWidth from 'fast-string-width';
import type { KafkaRecord } from '../../src/kafka/port.ts';
import type { MessageKind } from '../../src/messages/index.ts';
import { prettyPrinter, tailHeading, timePrinter } from '../../src/ui/tail.ts';
import { record } from '../records/record.ts';

const KINDS = new Map<string, MessageKind>([
  ['frontier-adw', 'frontier'],
  ['hippo-start', 'start'],
  ['hippo-finish', 'finish'],
  ['hippo-schedule', 'schedule'],
  ['service-health', 'health'],
]);
const NOW = Date.UTC(2017, 3, 28, 20);

const show = (records: KafkaRecord[], { topics = ['one'], columns = 80 } = {}): string => {
  const line = prettyPrinter({
    topics,
    kinds: KINDS,
    timeOf: timePrinter('UTC', NOW),
    columns: () => columns,
  });
  return records.map(line).join('');
};

const on = (topic: string, value: object, over: Parameters<typeof record>[0] = {}): KafkaRecord =>
  record({ topic, value: JSON.stringify(value), ...over });

const frontier = (over: object = {}): KafkaRecord =>
  on('frontier-adw', {
    ...{ db: 'btd', table: 'party', method: 'overwrite_partition', exec_date: '1493394946' },
    partition: [{ name: 'yyyymm', value: '201704' }],
    ...over,
  });
const run = { hippo_name: 'etl', job_name: 'load', job_id: 'load_1493394946', run_key: '201704' };
const finish = (over: object = {}): KafkaRecord =>
  on('hippo-finish', { ...run, is_success: true, finish_time: 1_493_394_958, duration_time: 12, ...over });
const health = (over: object = {}): KafkaRecord =>
  on('service-health', {
    ...{ clientIP: '10.0.0.7', path: '/srv/etl', service_name: 'etl', monitor_pid: 4710, service_pid: 4711 },
    ...{ exec_time: NOW, is_success: 1, error_msg: '', coordAddress: '', interval: 30_000, user: 'hippo' },
    ...over,
  });

describe('a hippo message is one line', () => {
  it('that says what it means', () => {
    expect(
      show([
        frontier(),
        frontier({ partition: [{ name: '', value: '' }], method: 'append' }),
        on('frontier-adw', {
          ...{ db: 'btd', table: 'party', method: 'partition', exec_date: '2017/04/05T00:00:00Z' },
          partitions: ['201703', '201704'],
        }),
        on('hippo-start', { ...run, start_time: 1_493_394_946 }),
        finish(),
        finish({ is_success: false, duration_time: 200, error_msg: 'exit code 3\nTraceback …' }),
        finish({ run_key: undefined, is_success: false, duration_time: 0 }),
        on('hippo-schedule', { hippo_name: 'etl', job_name: 'load' }),
        on('hippo-schedule', { ...run, action: 'cancel', by: 'anna', reason: 'late source' }),
        health(),
        health({ is_success: 0, error_msg: 'disk full' }),
      ]),
    ).toBe(`\
15:55:46 3:12   ▸ btd.party yyyymm=201704 (overwrite_partition)
15:55:46 3:12   ▸ btd.party unpartitioned (append)
15:55:46 3:12   ▸ btd.party 201703, 201704 (partition)
15:55:46 3:12   ▶ etl/load 201704 started
15:55:46 3:12   ✓ etl/load 201704 succeeded in 12 s
15:55:46 3:12   ✗ etl/load 201704 failed after 3 min 20 s: exit code 3
15:55:46 3:12   ✗ etl/load failed after less than 1 s
15:55:46 3:12   ! run etl/load asked for
15:55:46 3:12   ! cancel etl/load 201704 asked for by anna: late source
15:55:46 3:12   ♥ etl well (pid 4711 on 10.0.0.7, every 30 s)
15:55:46 3:12   ✗ etl ill: disk full (pid 4711 on 10.0.0.7, every 30 s)
`);
  });

  it('that is cut where it is longer than the terminal is wide', () => {
    const long = finish({ is_success: false, error_msg: `no space left on ${'device '.repeat(20)}` });
    expect(show([long], { columns: 60 })).toBe(
      '15:55:46 3:12   ✗ etl/load 201704 failed after 12 s: no spa…\n',
    );
    const wide = finish({ is_success: false, error_msg: '無法連線'.repeat(20) });
    expect(stringWidth(show([wide]).trimEnd())).toBeLessThanOrEqual(80);
  });

  it('that says where it is from, where several topics are read', () => {
    const dead = record({
      topic: 'frontier-adw.dlq',
      value: '{"db":1}',
      headers: { 'dlq.key': 'db', 'dlq.reason': 'must be text' },
    });
    const other = record({ topic: 'orders', key: 'a', value: 'b' });
    const topics = ['frontier-adw', 'hippo-finish', 'frontier-adw.dlq', 'orders'];
    expect(show([frontier(), finish(), dead, other], { topics })).toBe(`\
15:55:46 frontier     3:12   ▸ btd.party yyyymm=201704 (overwrite_partition)
15:55:46 finish       3:12   ✓ etl/load 201704 succeeded in 12 s
15:55:46 frontier.dlq 3:12   ✗ rejected: db must be text {"db":1}
15:55:46 orders       3:12   a b
`);
  });

  it('that shows its date where it is not of today', () => {
    expect(
      show([record({ timestamp: NOW - 86_400_000, value: 'a' }), record({ timestamp: -1, value: 'b' })]),
    ).toBe('2017-04-27 20:00:00 3:12   a\nno time  3:12   b\n');
    expect(show([record({ timestamp: 9e15, value: 'a' })])).toBe('9000000000000000 3:12   a\n');
  });

  it('that is recognised on a topic of another name', () => {
    expect(show([{ ...finish(), topic: 'uat-finish' }])).toContain('✓ etl/load 201704 succeeded in 12 s');
  });
});

describe('anything else is shown as it is', () => {
  it.each([
    ['JSON that is no message', { value: '{"a": [1,  2]}' }, '{"a": [1,  2]}'],
    ['text', { value: 'plain text', key: 'k' }, 'k plain text'],
    [
      'a message of ours that is broken',
      { topic: 'hippo-finish', value: '{"hippo_name":1}' },
      '{"hippo_name":1}',
    ],
    ['bytes', { value: Buffer.from([0x00, 0xff]), key: Buffer.from([0x80]) }, '0x80 0x00ff'],
    ['a tombstone', { value: null, key: 'btd.party' }, 'btd.party deleted'],
    ['a tombstone without a key', { value: null }, 'deleted'],
    ['nothing', { value: '' }, ''],
    ['what is long', { value: 'x'.repeat(200) }, 'x'.repeat(200)],
  ])('%s', (_, fields, shown) => {
    expect(show([record(fields)])).toBe(`15:55:46 3:12   ${shown}\n`);
  });
});

describe('what would drive the terminal is made visible', () => {
  const evil = '\u001b]0;owned\u0007\u001b[2J\r\n\u009b31m';

  it.each([
    ['a value', record({ value: evil })],
    ['a key', record({ key: evil, value: 'x' })],
    ['a table', frontier({ table: evil })],
    ['a partition', frontier({ partition: [{ name: 'p', value: evil }] })],
    ['an error', finish({ is_success: false, error_msg: evil.replace('\n', '') })],
    ['a service', health({ service_name: evil })],
    ['a reason', record({ headers: { 'dlq.reason': evil }, value: 'x' })],
  ])('in %s', (_, of) => {
    const line = show([of], { columns: 500 });
    // eslint-disable-next-line no-control-regex -- these are what it is about
    expect(line.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
    expect(line).toMatch(/owned.*31m/);
  });
});

describe('in colour', () => {
  const { level } = chalk;
  afterEach(() => (chalk.level = level));

  it('a line that is cut closes what it opened', () => {
    chalk.level = 1;
    const line = show([frontier()], { columns: 30 });
    expect(line).toBe(
      `${chalk.dim('15:55:46 3:12  ')} ${chalk.blue('▸')} ${chalk.bold('btd.party')} ${chalk.cyan('y…')}\u001b[2m\u001b[22m\n`,
    );
    expect(stripVTControlCharacters(line)).toBe('15:55:46 3:12   ▸ btd.party y…\n');
  });
});

describe('the heading', () => {
  it.each([
    [['frontier-adw'], true, 'Following frontier-adw; Ctrl-C ends.'],
    [['a', 'b'], false, 'Reading a, b.'],
    [Array.from({ length: 30 }, (_, index) => `topic-${index}`), true, 'Following 30 topics; Ctrl-C ends.'],
  ])('%j', (topics, following, expected) => {
    expect(tailHeading(topics, following)).toBe(expected);
  });
});

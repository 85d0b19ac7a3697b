import { describe, expect, it } from 'vitest';
import type { TailStats } from '../../src/tail/stats.ts';
import type { Jump } from '../../src/kafka/port.ts';
import { renderDoubts, renderGap, renderSums } from '../../src/ui/tail-report.ts';

const flow = {
  records: 1204,
  bytes: 171_432,
  first: '2017-04-28T10:00:00.000Z',
  last: '2017-04-28T12:05:00.000Z',
  rate: 0.161,
};
const stats: TailStats = {
  ...flow,
  topics: [
    { topic: 'frontier-adw', ...flow },
    { topic: 'hippo-finish', records: 0, bytes: 0, first: null, last: null, rate: null },
  ],
  tables: [{ table: 'btd.party', events: 1201, last: flow.last }],
  hippos: [
    { hippo: 'etl', started: 3, succeeded: 2, failed: 1, mean_duration: 12.4, requested: 0, well: true },
    { hippo: 'ml', started: 0, succeeded: 0, failed: 0, mean_duration: null, requested: 1, well: null },
  ],
  others: 3,
};

describe('sums', () => {
  it('of one topic are the number alone', () => {
    expect(renderSums({ counts: [{ topic: 'a', records: 12_345 }], stats: null })).toBe('12345');
  });

  it('of several topics are a table', () => {
    const counts = [
      { topic: 'frontier-adw', records: 3 },
      { topic: 'hippo-finish', records: 12 },
    ];
    expect(renderSums({ counts, stats: null })).toBe(
      [' 3  frontier-adw', '12  hippo-finish', '15  in all'].join('\n'),
    );
  });

  it('are statistics of topics, tables and hippos', () => {
    expect(renderSums({ counts: null, stats })).toBe(`\
topic         records      size      rate  last
frontier-adw     1204  171.4 kB  9.66/min  2017-04-28 12:05:00Z
hippo-finish        0       0 B

table      events  last
btd.party    1201  2017-04-28 12:05:00Z

hippo  started  succeeded  failed    mean  requests  health
etl          3          2       1  12.4 s         0  well
ml           0          0       0                 1

1,204 records (171.4 kB) in 2 h 5 min, 9.66 a minute; 3 are not hippo messages.`);
  });

  it('name the busiest tables, and how many more there are', () => {
    const tables = Array.from({ length: 23 }, (_, index) => ({ table: `t.${index}`, events: 1, last: null }));
    expect(renderSums({ counts: null, stats: { ...stats, tables } })).toContain(
      't.19        1\nand 3 more; --json lists them all',
    );
  });

  it('of nothing are a sentence', () => {
    const nothing = { records: 0, bytes: 0, first: null, last: null, rate: null };
    expect(
      renderSums({ counts: null, stats: { ...nothing, topics: [], tables: [], hippos: [], others: 0 } }),
    ).toBe('0 records (0 B).');
  });

  it('are empty where records were printed', () => {
    expect(renderSums({ counts: null, stats: null })).toBe('');
  });
});

describe('a gap', () => {
  it.each<[Jump, string]>([
    [
      { from: 100n, to: 250n, cause: 'removed' },
      '! t[2]: offsets 100 to 249 are gone from the log (retention); on at 250',
    ],
    [
      { from: 100n, to: 0n, cause: 'shorter' },
      '! t[2]: offset 100 is past the end, so the topic may have been created again; on at 0',
    ],
    [{ from: 100n, to: 0n, cause: 'made-again' }, '! t[2]: the topic was created again; on at 0'],
  ])('%o', (gap, line) => {
    expect(renderGap({ topic: 't', partition: 2, ...gap })).toBe(line);
  });
});

describe('doubts about a filter', () => {
  const none = { count: 0, reason: undefined };
  const lacking = { count: 3, reason: 'No such key: tabel' };

  it.each([
    ['none', { unjudged: none, lacking: none }, 0, ''],
    [
      'what could not be judged',
      { unjudged: { count: 1200, reason: 'no such overload: string > int' }, lacking: none },
      7,
      '! 1,200 records could not be judged by --filter and were left out: no such\n  overload: string > int',
    ],
    ['a field that some lack', { unjudged: none, lacking }, 7, ''],
    [
      'a field that some lack, and nothing was found',
      { unjudged: none, lacking },
      0,
      '! --filter matched nothing, and some records lack a field that it uses: No such\n  key: tabel',
    ],
  ])('%s', (_, doubts, records, text) => {
    expect(renderDoubts({ doubts, records })).toBe(text);
  });

  it('are none without a filter', () => {
    expect(renderDoubts({ doubts: undefined, records: 0 })).toBe('');
  });
});

import { describe, expect, it } from 'vitest';
import type { Kafka } from '../../src/kafka/port.ts';
import { type Span, parsePosition, parseSpan, resolveSpan } from '../../src/records/positions.ts';

const NOW = Date.UTC(2017, 3, 28, 12);
const context = { clock: { now: () => NOW }, timezone: 'Asia/Taipei' };
const follow: Span = { from: { at: 'end' }, to: null };

describe('a position', () => {
  it.each([
    ['beginning', { at: 'beginning' }],
    ['end', { at: 'end' }],
    ['42', { at: 'offset', offset: 42n }],
    [
      '0:42,3:17',
      {
        at: 'partitions',
        offsets: new Map([
          [0, 42n],
          [3, 17n],
        ]),
      },
    ],
    ['2017-04-28', { at: 'time', time: Date.parse('2017-04-28T00:00:00+08:00') }],
    ['2017-04-28T22:00', { at: 'time', time: Date.parse('2017-04-28T22:00:00+08:00') }],
    ['2017-04-28 22:00:30', { at: 'time', time: Date.parse('2017-04-28T22:00:30+08:00') }],
    ['2017-04-28T22:00:00Z', { at: 'time', time: Date.parse('2017-04-28T22:00:00Z') }],
    ['-2h', { at: 'time', time: NOW - 7_200_000 }],
    ['-30m', { at: 'time', time: NOW - 1_800_000 }],
    ['now', { at: 'time', time: NOW }],
    ['@1493394946', { at: 'time', time: 1_493_394_946_000 }],
    ['@1493394946123', { at: 'time', time: 1_493_394_946_123 }],
    ['@2017-04-28', { at: 'time', time: Date.parse('2017-04-28T00:00:00+08:00') }],
    ['@20170428', { at: 'time', time: Date.parse('2017-04-28T00:00:00+08:00') }],
    ['@201704', { at: 'time', time: Date.parse('2017-04-01T00:00:00+08:00') }],
    ['@201704282200', { at: 'time', time: Date.parse('2017-04-28T22:00:00+08:00') }],
    ['@20170428220030', { at: 'time', time: Date.parse('2017-04-28T22:00:30+08:00') }],
    ['20170428T2200', { at: 'time', time: Date.parse('2017-04-28T22:00:00+08:00') }],
    ['20170431', { at: 'offset', offset: 20_170_431n }],
    ['12345678', { at: 'offset', offset: 12_345_678n }],
    ['0:20170428', { at: 'partitions', offsets: new Map([[0, 20_170_428n]]) }],
    ['@0', { at: 'time', time: 0 }],
    ['@-1d', { at: 'time', time: NOW - 86_400_000 }],
  ])('%s', async (text, position) => {
    expect(await parsePosition(text, '--from', context)).toEqual(position);
  });

  it.each([
    '',
    'yesterday',
    '-10',
    '1:',
    '2017-13-01',
    '2017-02-30',
    '@',
    '@x',
    '12x',
    '-2parsecs',
    '99999999999999999999',
    '0:99999999999999999999',
    '@20170431',
    '@20171301',
    '@201704282500',
    '20170431T2200',
  ])('is refused: %j', async (text) => {
    await expect(parsePosition(text, '--from', context)).rejects.toMatchObject({ exitCode: 2 });
  });

  it.each([
    ['20170428', '2017-04-28'],
    ['201704282200', '2017-04-28T22:00'],
    ['20170428220030', '2017-04-28T22:00:30'],
    ['2017042822', '2017-04-28T22:00'],
  ])('names both readings of %s', async (digits, date) => {
    for (const flag of ['--from', '--to']) {
      await expect(parsePosition(digits, flag, context)).rejects.toMatchObject({
        message: `${flag} ${digits} could be a date or an offset`,
        next: [`${flag} ${date} (the date)`, `${flag} P:${digits} (the offset, in partition P)`],
      });
    }
  });

  it('that could be an hour or an epoch is refused, with both readings', async () => {
    await expect(parsePosition('@2017042822', '--from', context)).rejects.toMatchObject({
      next: ['--from 2017-04-28T22:00', '--from 2033-12-01T09:40:22Z'],
    });
  });

  it('of -2M is refused, with both readings (minutes, months)', async () => {
    await expect(parsePosition('-2M', '--from', context)).rejects.toMatchObject({
      next: ['--from -2m (minutes)', '--from -60d'],
    });
  });

  it('that looks like a count is refused, with a hint at --last', async () => {
    await expect(parsePosition('-10', '--from', context)).rejects.toMatchObject({
      next: ['the last 10 records, in all: --last 10'],
    });
  });
});

describe('a span', () => {
  it('can be given by --from alone, as FROM..TO', async () => {
    expect(await parseSpan('@1000..@2000', undefined, context, follow)).toEqual({
      from: { at: 'time', time: 1_000_000 },
      to: { at: 'time', time: 2_000_000 },
    });
    expect(await parseSpan('..-1h', undefined, context, follow)).toMatchObject({ from: { at: 'beginning' } });
    expect(await parseSpan('-1h..', undefined, context, follow)).toMatchObject({ to: { at: 'end' } });
    await expect(parseSpan('1..2', '3', context, follow)).rejects.toMatchObject({
      next: ['--from 1 --to 3'],
    });
  });

  it('begins at the end and has no end, if no flag is given', async () => {
    expect(await parseSpan(undefined, undefined, context, follow)).toEqual(follow);
  });
});

/** Partition 0 has an open transaction in its last ten offsets; partition 1 is empty. */
describe('resolving a span', () => {
  const kafka: Pick<Kafka, 'offsets' | 'offsetsAt'> = {
    offsets: () =>
      Promise.resolve([
        { partition: 0, low: 10n, high: 100n, stable: 90n },
        { partition: 1, low: 0n, high: 0n, stable: 0n },
      ]),
    offsetsAt: (_, at) =>
      Promise.resolve([
        { partition: 0, offset: at === 1 ? 50n : 100n },
        { partition: 1, offset: 0n },
      ]),
  };
  const resolve = async (
    span: Span,
    only?: number[],
  ): Promise<Record<string, [bigint, bigint | undefined]>> => {
    const { from, until } = await resolveSpan(kafka, ['t'], span, { only });
    return Object.fromEntries(
      from.map(({ partition, offset }) => [
        partition,
        [offset, until?.find((stop) => stop.partition === partition)?.offset],
      ]),
    );
  };

  it.each<[string, Span, Record<string, [bigint, bigint | undefined]>]>([
    ['the whole', { from: { at: 'beginning' }, to: { at: 'end' } }, { 0: [10n, 90n], 1: [0n, 0n] }],
    ['following', { from: { at: 'end' }, to: null }, { 0: [90n, undefined], 1: [0n, undefined] }],
    [
      'an offset before the log',
      { from: { at: 'offset', offset: 3n }, to: null },
      { 0: [10n, undefined], 1: [0n, undefined] },
    ],
    [
      'an offset past the log',
      { from: { at: 'offset', offset: 300n }, to: null },
      { 0: [100n, undefined], 1: [0n, undefined] },
    ],
    [
      'an end that is still to be written, which is not waited for',
      { from: { at: 'beginning' }, to: { at: 'offset', offset: 120n } },
      { 0: [10n, 90n], 1: [0n, 0n] },
    ],
    [
      'an end before the beginning',
      { from: { at: 'offset', offset: 50n }, to: { at: 'partitions', offsets: new Map([[0, 20n]]) } },
      { 0: [50n, 50n] },
    ],
    ['a time', { from: { at: 'time', time: 1 }, to: { at: 'end' } }, { 0: [50n, 90n], 1: [0n, 0n] }],
    [
      'a time after all',
      { from: { at: 'beginning' }, to: { at: 'time', time: 2 } },
      { 0: [10n, 90n], 1: [0n, 0n] },
    ],
    [
      'one partition',
      { from: { at: 'partitions', offsets: new Map([[0, 99n]]) }, to: null },
      { 0: [99n, undefined] },
    ],
  ])('%s', async (_, span, expected) => {
    expect(await resolve(span)).toEqual(expected);
  });

  it('includes only the partitions that were asked for', async () => {
    expect(await resolve({ from: { at: 'beginning' }, to: { at: 'end' } }, [1])).toEqual({ 1: [0n, 0n] });
  });

  it('refuses a partition that the topic does not have', async () => {
    const span: Span = { from: { at: 'partitions', offsets: new Map([[7, 0n]]) }, to: null };
    await expect(resolve(span)).rejects.toThrow('t has no partition 7');
    await expect(resolve(follow, [2])).rejects.toMatchObject({ why: 'It has 2, 0 to 1.' });
  });
});

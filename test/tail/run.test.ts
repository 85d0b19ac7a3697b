import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/schema.ts';
import { type TailWords, planTail } from '../../src/tail/run.ts';

const NOW = Date.UTC(2017, 3, 28, 12);
const config = parseConfig({});
const plan = (words: Partial<TailWords>) =>
  planTail(
    {
      ...{ exitAtEnd: false, ignoreCase: false, json: false, raw: false, count: false, stats: false },
      follow: false,
      ...words,
    },
    config,
    { now: () => NOW },
  );

describe('where a tail begins and ends', () => {
  it.each<[string, Partial<TailWords>, string, boolean]>([
    ['nothing said', {}, 'end', true],
    ['a beginning', { from: 'beginning' }, 'beginning', true],
    ['the last ten', { last: 10 }, 'beginning', true],
    ['an end', { to: 'end' }, 'beginning', false],
    ['the end as it is', { exitAtEnd: true }, 'beginning', false],
    ['a count', { count: true }, 'beginning', false],
    ['statistics', { stats: true }, 'beginning', false],
    ['statistics that go on', { stats: true, follow: true }, 'end', true],
    ['a span', { from: '-2h..-1h' }, 'time', false],
  ])('with %s', async (_, words, from, follows) => {
    const { request, follows: goesOn } = await plan(words);
    expect([request.span.from.at, goesOn]).toEqual([from, follows]);
  });

  it.each<[string, Partial<TailWords>, string]>([
    ['an end in the future', { to: '2017-04-29' }, '--to 2017-04-29 lies in the future'],
    ['an end before the beginning', { from: '-1h', to: '-2h' }, '--from lies after --to'],
    ['such offsets', { from: '5', to: '1' }, '--from lies after --to'],
    ['such words', { from: 'end', to: 'beginning' }, '--from lies after --to'],
    [
      'partitions named twice',
      { from: '0:42', partitions: [1] },
      '--partition and partition:offset both name the partitions',
    ],
  ])('is refused with %s', async (_, words, message) => {
    await expect(plan(words)).rejects.toMatchObject({ exitCode: 2, message });
  });
});

describe('what is printed', () => {
  it.each<[string, Partial<TailWords>, unknown]>([
    ['lines for people', {}, 'pretty'],
    ['a count', { count: true }, 'count'],
    ['a count as JSON', { count: true, json: true }, 'count'],
    ['statistics', { stats: true }, 'stats'],
    ['envelopes', { json: true }, expect.any(Function)],
    ['values', { raw: true }, expect.any(Function)],
    ['a format', { format: '%s' }, expect.any(Function)],
  ])('%s', async (_, words, output) => {
    expect((await plan(words)).output).toEqual(output);
  });
});

import { describe, expect, it } from 'vitest';
import { parseFrontier } from '../../src/messages/index.ts';
import { openSource } from '../../src/trigger/source.ts';
import { config } from './config.ts';

/** The exec_date of the event that is published, as ISO 8601. */
async function published(execDate: string): Promise<string | null> {
  const source = await openSource(
    { table: 'btd.party', execDate },
    {
      config: config('calendar: { timezone: Asia/Taipei }'),
      clock: { now: () => Date.UTC(2017, 4, 1) },
      signal: new AbortController().signal,
      oneByOne: false,
    },
  );
  if (source.kind !== 'events') throw new Error('a single event was asked for');
  for await (const { record } of source.events()) {
    const parsed = parseFrontier(record.value as Buffer);
    return parsed.ok ? new Date(parsed.message.execDate * 1000).toISOString() : null;
  }
  return null;
}

describe('--exec-date', () => {
  it.each([
    ['20170428', '2017-04-27T16:00:00.000Z'],
    ['@20170428', '2017-04-27T16:00:00.000Z'],
    ['201704', '2017-03-31T16:00:00.000Z'],
    ['20170428220030', '2017-04-28T14:00:30.000Z'],
    ['2017-04-28T22:00:30Z', '2017-04-28T22:00:30.000Z'],
    ['1493394946', '2017-04-28T15:55:46.000Z'],
    ['1493394946123', '2017-04-28T15:55:46.000Z'],
    // An epoch whose digits alone would be a date.
    ['1970-08-22T10:53:48Z', '1970-08-22T10:53:48.000Z'],
  ])('%s is %s', async (text, iso) => {
    expect(await published(text)).toBe(iso);
  });

  it.each([
    ['20170431', []],
    ['-2M', ['--exec-date -2m (minutes)', '--exec-date -60d']],
    ['@2017042822', ['--exec-date 2017-04-28T22:00', '--exec-date 2033-12-01T09:40:22Z']],
  ])('%s is refused', async (text, next) => {
    await expect(published(text)).rejects.toMatchObject({
      message: `--exec-date ${text} is not a time`,
      next,
    });
  });
});

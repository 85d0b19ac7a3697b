import { expect, test } from 'vitest';
import type { Letter, LetterStatus } from '../../src/replay/letter.ts';
import { renderLetters, renderReplay, replayVerdict } from '../../src/ui/replay.ts';

const letter = (offset: number, status: LetterStatus, more: Partial<Letter> = {}): Letter => ({
  status,
  topic: 'events.dlq',
  partition: 0,
  offset: String(offset),
  rejected_at: '2026-11-24T12:00:01.500Z',
  reason: 'is not JSON',
  field: null,
  hippos: ['etl'],
  to: { topic: 'events', partition: 1 },
  replays: 0,
  excerpt: '{"db":"btd","tab\n',
  ...more,
});

test('by topic and reason, then what is not sent', () => {
  const letters = [
    letter(1, 'ready'),
    letter(2, 'ready', { replays: 2, rejected_at: null, excerpt: 'x'.repeat(100) }),
    letter(3, 'ready', { hippos: ['etl', 'report', 'ml'] }),
    letter(4, 'ready'),
    letter(5, 'ready', { field: 'table', reason: 'must be text' }),
    letter(6, 'sent-before'),
    letter(7, 'sent-before'),
    letter(8, 'perhaps-sent'),
    letter(9, 'looping', { replays: 3 }),
    letter(10, 'foreign'),
    letter(0, 'ready', { topic: 'other.dlq', to: { topic: 'other', partition: 0 } }),
  ];
  expect(renderLetters(letters)).toBe(
    `events.dlq → events
  4 × is not JSON
      0:1    2026-11-24 12:00:01  {"db":"btd","tab\\n
      0:2    (sent back 2 ×)  ${'x'.repeat(49)}…
      0:3    2026-11-24 12:00:01  (by 3 hippos)  {"db":"btd","tab\\n
      and 1 more
  1 × table must be text
      0:5    2026-11-24 12:00:01  {"db":"btd","tab\\n
  - 2 were sent back before; --again sends them once more
  - 1 may have been sent back before: the topic no longer reaches back to when
    it was rejected; --again sends it
  - 1 comes back again and again; --force sends it all the same
  - 1 was not written by a hippo, or the original topic is gone
other.dlq → other
  1 × is not JSON
      0:0    2026-11-24 12:00:01  {"db":"btd","tab\\n`,
  );
});

test.each([
  { statuses: [], dry: false, text: '✓ No dead letters.', code: 0 },
  {
    statuses: ['sent', 'sent', 'sent-before'],
    dry: false,
    text: '✓ 2 of 3 dead letters sent back.',
    code: 0,
  },
  { statuses: ['sent-before'], dry: false, text: 'Nothing to send back of 1 dead letter.', code: 0 },
  { statuses: ['sent', 'looping'], dry: false, text: '✓ 1 of 2 dead letters sent back.', code: 1 },
  { statuses: ['ready', 'foreign'], dry: true, text: '1 of 2 dead letters would be sent back.', code: 1 },
  {
    statuses: ['sent', 'ready'],
    dry: false,
    text: '✓ 1 of 2 dead letters sent back. Interrupted: 1 left; the same command goes on.',
    code: 130,
  },
] satisfies { statuses: LetterStatus[]; dry: boolean; text: string; code: number }[])(
  '$statuses: $text ($code)',
  ({ statuses, dry, text, code }) => {
    const report = {
      dry_run: dry,
      declined: false,
      letters: statuses.map((status: LetterStatus, offset) => letter(offset, status)),
    };
    expect(renderReplay(report)).toBe(text);
    expect(replayVerdict(report)).toBe(code);
  },
);

test('declined: nothing was sent', () => {
  const report = { dry_run: false, declined: true, letters: [letter(1, 'ready')] };
  expect(renderReplay(report)).toBe('Nothing was sent.');
  expect(replayVerdict(report)).toBe(0);
});

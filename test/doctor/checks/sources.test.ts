import { expect, it } from 'vitest';
import { type ExaminedSource, findingsOf, sources } from '../../../src/doctor/checks/sources.ts';
import type { LastScan, SourceReport } from '../../../src/landings/list.ts';
import { lines, never, newMachine } from '../machine.ts';

const NOW = Date.UTC(2026, 10, 28, 12);

const SCAN: LastScan = {
  ...{ at: '2026-11-28T11:59:48.000Z', took_ms: 154 },
  ...{ listed: 3, announced: 1, skipped: 1, skips: [], error: null },
};
const AWAY = 'the folder /landing is away: ESTALE';

function found(report: Partial<SourceReport>, more: Partial<ExaminedSource> = {}): string[] {
  const whole = {
    name: 'orders',
    table: 'shop.orders',
    place: '/landing',
    known: 3,
    scanned: true,
    watermark: null,
    last_scan: SCAN,
    paused: null,
  };
  const findings = findingsOf({
    report: { ...whole, ...report },
    ...{ every: 60_000, unreadable: null, isWatched: true, now: NOW },
    ...more,
  });
  return lines({ findings });
}

const old = { ...SCAN, at: '2026-11-28T11:00:00.000Z' };
const paused = { by: 'ann@etl-1', reason: 'a new disk', at: '2026-11-28T11:00:00.000Z' };

it.each<[string, string[], string[]]>([
  ['is scanned', found({}), ['ok: orders: /landing can be read; 3 listed 12 s ago, 1 skipped, 3 known']],
  [
    'has not been scanned yet',
    found({ last_scan: null, known: 0 }),
    ['ok: orders: /landing can be read; not scanned yet'],
  ],
  ['is away', found({ last_scan: null }, { unreadable: AWAY }), [`error: orders: ${AWAY}`]],
  [
    'is away for the client, too',
    found({ last_scan: { ...SCAN, error: AWAY } }, { unreadable: AWAY }),
    [`error: orders: ${AWAY}`],
  ],
  [
    'is away on this machine only',
    found({}, { unreadable: AWAY }),
    [`warning: orders: ${AWAY} (seen from this machine; its client has read it 12 s ago)`],
  ],
  [
    'could not be listed by the client',
    found({ last_scan: { ...SCAN, error: AWAY } }),
    [`error: orders: the last scan, 12 s ago, did not come to its end: ${AWAY}`],
  ],
  [
    'is late',
    found({ last_scan: old }),
    ['warning: orders: the last scan ended 1 h ago, although `every` is 1 min'],
  ],
  [
    'is slow',
    found({ last_scan: { ...old, took_ms: 1_000_000 } }),
    ['ok: orders: /landing can be read; 3 listed 1 h ago, 1 skipped, 3 known'],
  ],
  // The check of the client says so.
  [
    'has no client',
    found({ last_scan: old }, { isWatched: false }),
    ['ok: orders: /landing can be read; 3 listed 1 h ago, 1 skipped, 3 known'],
  ],
  [
    'is paused',
    found({ last_scan: old, paused }),
    [
      'warning: orders is paused by ann@etl-1 since 2026-11-28T11:00:00.000Z, so it is not scanned: a new disk',
    ],
  ],
])('says of a source that it %s', (_, told, expected) => {
  expect(told).toEqual(expected);
});

it('looks at the places also where Kafka cannot be reached', async () => {
  await using machine = await newMachine();
  await machine.file('here/dt=1/_SUCCESS', '');
  await machine.file(
    'hippo.yaml',
    `name: etl
sources:
  here: { table: a.b, folder: here, levels: dt=*, complete: _SUCCESS }
  gone: { table: a.c, folder: gone, levels: dt=*, complete: _SUCCESS }`,
  );
  const diagnosis = await sources.run(await machine.environment(), never);
  expect(lines(diagnosis)).toEqual([
    `ok: here: ${machine.directory}/here can be read; not scanned yet`,
    expect.stringMatching(/^error: gone: the folder .*\/gone is away: there is no such file or folder$/),
    'skipped: Kafka cannot be reached, so it is not known what was scanned',
  ]);
});

import { describe, expect, it } from 'vitest';
import type { LastScan, SourceList, SourceReport } from '../../src/landings/list.ts';
import { renderScan, renderSources, scanVerdict, sourcesVerdict } from '../../src/ui/source.ts';

const NOW = Date.UTC(2026, 10, 28, 12);

const SCAN: LastScan = {
  at: '2026-11-28T11:59:48.000Z',
  took_ms: 154,
  listed: 1_234,
  announced: 3,
  skipped: 2,
  skips: [{ path: '/landing/README', reason: 'it is not a folder' }],
  error: null,
};

function list(source: Partial<SourceReport>, clients = 1): SourceList {
  const report: SourceReport = {
    name: 'orders',
    table: 'shop.orders',
    place: '/landing',
    known: 1_234,
    scanned: true,
    watermark: null,
    last_scan: SCAN,
    paused: null,
    ...source,
  };
  return { hippo: 'etl', clients, sources: [report] };
}

describe('hippo source list', () => {
  it('says what the last scan found', () => {
    expect(renderSources(list({}), NOW).split('\n')).toEqual([
      '✓ orders  shop.orders from /landing',
      '  last scan 12 s ago, in 154 ms: 1,234 listed, 3 announced, 2 skipped',
      '  - /landing/README: it is not a folder',
      '  - and 1 more',
      '  1,234 landings known',
    ]);
    expect(sourcesVerdict(list({}))).toBe(0);
  });

  it('says up to where a table has been read', () => {
    const watermark = { of: 'shop.orders public.orders.loaded_at by dt', at: '2026-11-28 11:59:40+00' };
    expect(renderSources(list({ watermark }), NOW)).toContain('\n  read up to 2026-11-28 11:59:40+00\n');
  });

  it('says what keeps a source from being scanned', () => {
    const paused = { by: 'ann@etl-1', reason: 'a new disk', at: '2026-11-28T11:00:00.000Z' };
    expect(renderSources(list({ paused, last_scan: null, known: 0 }, 0), NOW).split('\n')).toEqual([
      '‖ orders  shop.orders from /landing',
      '  paused by ann@etl-1 since 2026-11-28T11:00:00.000Z: a new disk',
      '  not scanned yet',
      '',
      '! no client of etl runs, so no source is scanned',
      '  → hippo run',
    ]);
    expect(sourcesVerdict(list({ paused }))).toBe(0);
    expect(sourcesVerdict(list({}, 0))).toBe(1);
  });

  it('shows why a scan failed, and control characters of paths as text', () => {
    const failed = { ...SCAN, error: 'the folder /landing is away: ESTALE', skips: [], skipped: 0 };
    expect(renderSources(list({ last_scan: failed }), NOW)).toContain(
      '\n  the folder /landing is away: ESTALE\n',
    );
    expect(sourcesVerdict(list({ last_scan: failed }))).toBe(1);
    const skips = [{ path: '/landing/a\u001B[31m', reason: 'its name is not dt=*' }];
    expect(renderSources(list({ last_scan: { ...SCAN, skips, skipped: 1 } }), NOW)).not.toContain(
      '\u001B[31m',
    );
  });
});

describe('hippo source scan', () => {
  it('says what the owner found', () => {
    const result = { hippo: 'etl', source: 'orders', scan: { ...SCAN, skips: [], skipped: 0 } };
    expect(renderScan(result)).toBe('✓ orders: 1,234 listed, 3 announced, 0 skipped, in 154 ms');
    expect(scanVerdict(result)).toBe(0);
    expect(scanVerdict({ ...result, scan: { ...SCAN, error: 'away' } })).toBe(1);
  });

  it('says in a dry run what would be announced and what is skipped', () => {
    const [source] = list({}).sources;
    if (source === undefined) throw new Error('there is no source');
    const preview = {
      hippo: 'etl',
      source,
      at: '2026-11-28T12:00:00.000Z',
      would_announce: [{ table: 'shop.orders', partition: 'dt=2026-11-28', exec_date: NOW / 1000 }],
      settle_ms: 0,
      waits_to_settle: [],
      listing: null,
      skipped: [{ path: '/landing/dt=2026-11-29', reason: 'it has no _SUCCESS', unfinished: true }],
      error: null,
      is_away: false,
    };
    expect(renderScan(preview).split('\n')).toEqual([
      'orders: would announce 1 landing; 1,234 known',
      '  shop.orders dt=2026-11-28  2026-11-28T12:00:00Z',
      'skips 1 path:',
      '  - /landing/dt=2026-11-29: it has no _SUCCESS',
    ]);
    expect(scanVerdict({ ...preview, error: 'away', is_away: true })).toBe(3);
    expect(scanVerdict({ ...preview, error: 'a part cannot be read' })).toBe(1);
    const [event] = preview.would_announce;
    const waits = [{ ...event!, partition: 'dt=\u202E3', settles_at: '2026-11-28T12:00:30Z' }];
    expect(
      renderScan({ ...preview, settle_ms: 60_000, waits_to_settle: waits, skipped: [] }).split('\n'),
    ).toEqual([
      'orders: would announce 1 landing, once a client has seen no change for 1 min;',
      '  1,234 known',
      '  shop.orders dt=2026-11-28  2026-11-28T12:00:00Z',
      '1 landing waits to settle (unchanged for 1 min):',
      String.raw`  shop.orders dt=\u202e3  not before 2026-11-28T12:00:30Z`,
    ]);
  });
});

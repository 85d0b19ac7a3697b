import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type SimulationReport, runSimulation } from '../../src/simulate/session.ts';
import { renderSimulation } from '../../src/ui/simulate.ts';

const YAML = `name: etl
sources:
  orders: { table: shop.orders, folder: landing, levels: dt=*, every: 20s, settle: 1m }
  rows: { table: shop.rows, sql: { url: "postgres://h/d", from: rows, watermark: at, levels: [dt] } }
jobs:
  load:
    every: day
    needs: [{ table: shop.orders, partition: { dt: "{{ window }}" } }]
    run: [./load.sh]
`;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hippo-listing-'));
  await writeFile(join(folder, 'hippo.yaml'), YAML);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

interface Listed {
  source?: string;
  landings: Record<string, number>;
  skipped?: { path: string; reason: string; unfinished: boolean }[];
  error?: string;
}

/** As `hippo source scan orders --dry-run --json` prints it: day → fingerprint. */
async function listing(
  name: string,
  time: string,
  { source = 'orders', landings, skipped = [], error }: Listed,
): Promise<string> {
  const path = join(folder, name);
  const value = {
    source: { name: source },
    at: `2017-04-28T${time}Z`,
    skipped,
    error: error ?? null,
    listing: Object.entries(landings).map(([day, fingerprint]) => ({
      ...{ id: `dt=2017-04-${day}`, partition: `dt=2017-04-${day}` },
      ...{ landed_at: `2017-04-28T11:00:00Z`, fingerprint },
    })),
  };
  await writeFile(path, JSON.stringify(value));
  return path;
}

function simulated(...listings: string[]): Promise<SimulationReport> {
  return runSimulation({
    ...{ file: join(folder, 'hippo.yaml'), profile: undefined, source: undefined, listings, announced: [] },
    ...{ from: undefined, to: undefined, jobDuration: 0, signal: new AbortController().signal },
  });
}

it('shows what a source would announce, when it settles, and which runs follow', async () => {
  const skipped = [{ path: '/landing/README\u202E', reason: 'it is not a folder', unfinished: false }];
  const first = await listing('first.json', '12:00:00', { landings: { 26: 1, 27: 1 }, skipped });
  // One of them is written again before it has settled, the other one long after.
  const second = await listing('second.json', '12:00:30', { landings: { 26: 2, 27: 1 } });
  const third = await listing('third.json', '13:00:00', { landings: { 27: 3 } });
  const report = await simulated(third, first, second);
  expect(report.announced).toMatchObject([
    {
      at: '2017-04-28T12:01:10.000Z',
      partition: 'dt=2017-04-27',
      found_at: '2017-04-28T12:00:00.000Z',
      relanded: false,
    },
    {
      at: '2017-04-28T12:01:30.000Z',
      partition: 'dt=2017-04-26',
      found_at: '2017-04-28T12:00:30.000Z',
      relanded: false,
    },
    {
      at: '2017-04-28T13:01:00.000Z',
      partition: 'dt=2017-04-27',
      found_at: '2017-04-28T13:00:00.000Z',
      relanded: true,
    },
  ]);
  expect(renderSimulation(report).split('\n')).toEqual([
    'etl with 2 landings of orders at 2017-04-28 12:00:00; 2 landings of orders at',
    '2017-04-28 12:00:30; 1 landing of orders at 2017-04-28 13:00:00 (UTC)',
    '',
    'Would announce (3)',
    '  2017-04-28 12:01:10 ▸ orders shop.orders dt=2017-04-27: exec_date',
    '      2017-04-28T11:00:00Z, found 2017-04-28 12:00:00, settled',
    '  2017-04-28 12:01:30 ▸ orders shop.orders dt=2017-04-26: exec_date',
    '      2017-04-28T11:00:00Z, found 2017-04-28 12:00:30, settled',
    '  2017-04-28 13:01:00 ▸ orders shop.orders dt=2017-04-27: exec_date',
    '      2017-04-28T11:00:01Z, landed again, found 2017-04-28 13:00:00, settled',
    '',
    'Would skip (1)',
    String.raw`  - orders /landing/README\u202e: it is not a folder`,
    '',
    'Would fire (3)',
    ...['12:01:10', '12:01:30', '13:01:00'].flatMap((time, index) => {
      const day = ['27', '26', '27'][index] ?? '';
      return [
        `  2017-04-28 ${time} ▶ load 2017-04-${day}`,
        `      ✓ shop.orders dt=2017-04-${day} (simulated)`,
        '      $ ./load.sh',
      ];
    }),
    '',
    '3 events would be published. 3 runs would fire.',
  ]);
});

it('a scan that did not come to its end forgets nothing', async () => {
  const first = await listing('first.json', '12:00:00', { landings: { 26: 1 } });
  const away = await listing('away.json', '14:00:00', { landings: {}, error: 'the folder /landing is away' });
  const again = await listing('again.json', '15:00:00', { landings: { 26: 1 } });
  const { announced, scans } = await simulated(first, away, again);
  expect(announced).toHaveLength(1);
  expect(scans.map(({ error }) => error)).toEqual([null, 'the folder /landing is away', null]);
});

it('does not wait for what only an earlier listing had', async () => {
  const first = await listing('first.json', '12:00:00', { landings: { 26: 1 } });
  const away = await listing('away.json', '12:00:30', { landings: { 27: 1 }, error: 'dt=26 cannot be read' });
  expect((await simulated(first, away)).announced).toMatchObject([
    { at: '2017-04-28T12:01:30.000Z', partition: 'dt=2017-04-27' },
  ]);
  // What has landed again and is then as before.
  const settled = await listing('settled.json', '12:05:00', { landings: { 26: 2 } });
  const back = await listing('back.json', '12:05:10', { landings: { 26: 1 }, error: 'away' });
  const { announced } = await simulated(
    await listing('known.json', '11:00:00', { landings: { 26: 1 } }),
    settled,
    back,
  );
  expect(announced).toHaveLength(1);
});

it('takes what one listing lacks for gone before it has settled', async () => {
  const first = await listing('first.json', '12:00:00', { landings: { 26: 1 } });
  const without = await listing('without.json', '12:00:10', { landings: {} });
  const again = await listing('again.json', '12:00:20', { landings: { 26: 1 } });
  expect((await simulated(first, without, again)).announced).toMatchObject([
    { at: '2017-04-28T12:01:20.000Z', partition: 'dt=2017-04-26' },
  ]);
});

it('does not take for gone what is no news of a growing table', async () => {
  const source = 'rows';
  const first = await listing('first.json', '12:00:00', { source, landings: { 26: 1, 27: 1 } });
  // After more than `keep`, twice.
  const empty = await listing('empty.json', '13:00:00', { source, landings: {} });
  const later = join(folder, 'later.json');
  const text = await readFile(empty, 'utf8');
  await writeFile(later, text.replace('2017-04-28T13', '2017-12-28T13'));
  const again = join(folder, 'again.json');
  await writeFile(again, (await readFile(first, 'utf8')).replace('2017-04-28T12', '2017-12-29T12'));
  expect((await simulated(first, empty, later, again)).announced).toHaveLength(2);
});

it.each([
  ['{', /is no listing of a source/, /JSON/],
  ['[]', /is no listing/, 'It is no JSON object.'],
  ['{"source":{"name":"calls"}}', /is no listing/, 'It is of the source calls; hippo.yaml has orders, rows.'],
  ['{"source":{"name":"orders"},"at":"soon"}', /is no listing/, '"at" is no time.'],
  [
    '{"source":{"name":"orders"},"at":"2017-04-28T12:00:00Z","listing":null}',
    /is no listing/,
    'It has no "listing": hippo prints it with --dry-run and --json only.',
  ],
  [
    '{"source":{"name":"orders"},"at":"2017-04-28T12:00:00Z","listing":[{"id":"x"}]}',
    /is no listing/,
    'listing[0] is no landing.',
  ],
  [
    JSON.stringify({
      ...{ source: { name: 'orders' }, at: '2017-04-28T12:00:00Z' },
      listing: [1, 2].map((fingerprint) => ({
        ...{ id: 'dt=1', partition: 'dt=1', landed_at: '2017-04-28T11:00:00Z', fingerprint },
      })),
    }),
    /is no listing/,
    'listing[1] has the id of one before it.',
  ],
])('refuses %s', async (text, message, why) => {
  const path = join(folder, 'bad.json');
  await writeFile(path, text);
  await expect(simulated(path)).rejects.toMatchObject({
    message: expect.stringMatching(message) as unknown,
    why: expect.stringMatching(
      why instanceof RegExp ? why : why.replaceAll(/[[\].]/g, String.raw`\$&`),
    ) as unknown,
  });
});

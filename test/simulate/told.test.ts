import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runSimulation } from '../../src/simulate/session.ts';
import { renderSimulation } from '../../src/ui/simulate.ts';

const YAML = `name: etl
services:
  stream: { run: ./stream.sh, events: {} }
jobs:
  load:
    every: day
    needs: [{ table: shop.orders, partition: { dt: "{{ window }}" } }]
    run: [./load.sh]
`;

function line(id: string, day: string, time: string): string {
  const event = { id, table: 'shop.orders', partition: { dt: `2017-04-${day}` } };
  return `${JSON.stringify({ ...event, landed_at: `2017-04-28T${time}Z` })}\n`;
}

async function simulated(lines: string, word = 'stream=events.jsonl') {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'hippo-told-'));
  await writeFile(join(folder.path, 'hippo.yaml'), YAML);
  await writeFile(join(folder.path, 'events.jsonl'), lines);
  return await runSimulation({
    ...{ file: join(folder.path, 'hippo.yaml'), profile: undefined, source: undefined, listings: [] },
    ...{ from: undefined, to: undefined, jobDuration: 0, signal: new AbortController().signal },
    announced: [word.replace('=', `=${folder.path}/`)],
  });
}

it('shows what a service would announce from its file, what it leaves out, and which runs follow', async () => {
  const report = await simulated(
    line('1', '27', '10:00:00') +
      line('1', '27', '10:00:00') +
      line('2', '27', '10:00:00') +
      '{"id":3}\n' +
      line('4', '28', '11:00:00'),
  );
  expect(renderSimulation(report)).toBe(`etl with 4 landings of stream at 2017-04-28 11:00:00 (UTC)

Would announce (3)
  2017-04-28 10:00:00 ▸ stream shop.orders dt=2017-04-27: exec_date
      2017-04-28T10:00:00Z
  2017-04-28 10:00:00 ▸ stream shop.orders dt=2017-04-27: exec_date
      2017-04-28T10:00:01Z
  2017-04-28 11:00:00 ▸ stream shop.orders dt=2017-04-28: exec_date
      2017-04-28T11:00:00Z

Would skip (1)
  - stream line 4: table is missing; it must be text

Would fire (3)
  2017-04-28 10:00:00 ▶ load 2017-04-27
      ✓ shop.orders dt=2017-04-27 (simulated)
      $ ./load.sh
  2017-04-28 10:00:00 ▶ load 2017-04-27
      ✓ shop.orders dt=2017-04-27 (simulated)
      $ ./load.sh
  2017-04-28 11:00:00 ▶ load 2017-04-28
      ✓ shop.orders dt=2017-04-28 (simulated)
      $ ./load.sh

3 events would be published. 3 runs would fire.`);
});

it('takes the lines in their order, whatever their times are', async () => {
  const report = await simulated(
    line('1', '27', '11:00:00') + line('2', '26', '10:00:00') + line('3', '28', '12:00:00'),
  );
  expect(report.announced.map(({ at, partition, exec_date }) => [at, partition, exec_date])).toEqual([
    ['2017-04-28T11:00:00.000Z', 'dt=2017-04-27', Date.UTC(2017, 3, 28, 11) / 1000],
    ['2017-04-28T11:00:00.000Z', 'dt=2017-04-26', Date.UTC(2017, 3, 28, 10) / 1000],
    ['2017-04-28T12:00:00.000Z', 'dt=2017-04-28', Date.UTC(2017, 3, 28, 12) / 1000],
  ]);
});

it.each([
  ['stream', '--announced must be SERVICE=FILE, not "stream"'],
  ['other=events.jsonl', 'there is no service other'],
  ['stream=gone.jsonl', 'gone.jsonl cannot be read'],
])('%s is refused', async (word, message) => {
  await expect(simulated('', word)).rejects.toThrow(message);
});

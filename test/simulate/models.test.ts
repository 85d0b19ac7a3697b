import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ModelMessage } from '../../src/messages/index.ts';
import { serialiseModel } from '../../src/messages/index.ts';
import { type SimulationReport, runSimulation } from '../../src/simulate/session.ts';
import { renderSimulation } from '../../src/ui/simulate.ts';
import { Recording } from './recording.ts';

const YAML = `name: flowers
jobs: { build: { run: ./build.sh } }
models:
  iris:
    builder: build
    location: file:///m/iris
    promote: { metric: accuracy, margin: 0.01 }
    params: { reg_param: { type: number } }
`;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hippo-simulate-'));
  await writeFile(join(folder, 'hippo.yaml'), YAML);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function simulated(
  messages: [string, Partial<ModelMessage> & { message: string }][],
): Promise<SimulationReport> {
  const recording = new Recording();
  for (const [time, message] of messages)
    recording.add(
      'hippo-model',
      0,
      time,
      serialiseModel({ kind: 'model', model: 'iris', extra: {}, ...message }),
    );
  const source = join(folder, 'events.jsonl');
  await writeFile(source, recording.lines.map((line) => `${line}\n`).join(''));
  return runSimulation({
    ...{ file: join(folder, 'hippo.yaml'), profile: undefined, source, from: undefined, to: undefined },
    ...{ jobDuration: 0, listings: [], announced: [], signal: new AbortController().signal },
  });
}

const recorded = (version: string, accuracy: number, more: object = {}) => ({
  message: 'NEW_MODEL',
  ...{ version, promoted: true, hippoName: 'flowers', location: 'file:///m/iris', metrics: { accuracy } },
  ...{ parent: null, serving: null, time: 1, ...more },
});

test('builds, promotions and refusals: each build is as good as the recorded one of its number', async () => {
  const report = await simulated([
    ['2026-11-28T10:00:00Z', { message: 'BUILD_MODEL' }],
    ['2026-11-28T10:01:00Z', recorded('r1', 0.97)],
    ['2026-11-28T11:00:00Z', { message: 'BUILD_MODEL', params: { depth: 1 } } as never],
    ['2026-11-28T12:00:00Z', { message: 'BUILD_MODEL' }],
    ['2026-11-28T12:01:00Z', recorded('r2', 0.9)],
    ['2026-11-28T13:00:00Z', { message: 'PROMOTE_MODEL', version: 'r2', expect: 'r1', by: 'ann' } as never],
    ['2026-11-28T13:00:01Z', recorded('r2', 0.9, { by: 'ann' })],
  ]);
  const [first = '', second = ''] = report.models.map(({ version }) => version);
  expect(report.models.map(({ promoted, metrics, by }) => [promoted, metrics['accuracy'], by])).toEqual([
    [true, 0.97, null],
    [false, 0.9, null],
    [true, 0.9, 'ann'],
  ]);
  const text = renderSimulation(report).replaceAll(/\s+/g, ' ');
  expect(text).toContain('Would build (3)');
  expect(text).toContain(`◆ iris ${first}: promoted, accuracy 0.97`);
  expect(text).toContain(`◆ iris ${second}: not promoted, accuracy 0.9, serving 0.97`);
  expect(text).toContain(`◆ iris ${second}: serves again, asked for by ann`);
  expect(text).toContain('refused: BUILD_MODEL iris: "depth" is no parameter; allowed: reg_param');
});

test('without a recorded version each build is promoted: nothing is known of its figures', async () => {
  const report = await simulated([['2026-11-28T10:00:00Z', { message: 'BUILD_MODEL' }]]);
  expect(report.models).toMatchObject([{ promoted: true, metrics: {} }]);
});

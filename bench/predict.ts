import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from '../src/core/exec.ts';
import { ids, randomNumbers, writeModel } from '../test/support/model.ts';
import type { Measure, Stage, Suite } from './harness.ts';
import type { Measured } from './predict-process.ts';

const USERS = 10_000;
const ITEMS = 100_000;
const RANK = 64;
const PROCESS = fileURLToPath(new URL('predict-process.ts', import.meta.url));

/** A recommender, predicting in a process of its own: computing only, without HTTP. */
export const predict: Suite = {
  name: 'predict',
  async measures(stage: Stage): Promise<Measure[]> {
    const varied = await measure(stage, 'varied');
    const equal = await measure(stage, 'equal');
    const plain = (one: Measured): string => `a plain loop: ${times(one.plain)}`;
    const what = `top 10 of ${ITEMS.toLocaleString('en')} items × ${RANK} factors`;
    return [
      { what: `${what}: median, 99th percentile`, ours: times(varied.ours), peer: plain(varied) },
      { what: 'the same where all norms are equal', ours: times(equal.ours), peer: plain(equal) },
      {
        what: 'predictions a second, one after the other on one core',
        ours: rate(varied.ours),
        peer: `all norms equal: ${rate(equal.ours)}; a plain loop: ${rate(varied.plain)}`,
      },
      {
        what: 'at 500 predictions a second, from when one is due to its end: median, 99th percentile',
        ours: times(varied.paced),
        peer: `all norms equal: ${times(equal.paced)}`,
      },
      {
        what: 'loading, checking and warming up',
        ours: `${Math.round(varied.load)} ms`,
        peer: `the longest hold of the event loop: ${varied.hold.toFixed(1)} ms`,
      },
      {
        what: 'memory of the process after 20 swaps',
        ours: `${megabytes(varied.swapped)} MB`,
        peer: `with the first model: ${megabytes(varied.resident)} MB, of it the model ${megabytes(varied.bytes)} MB`,
      },
    ];
  },
};

async function measure(stage: Stage, norms: 'varied' | 'equal'): Promise<Measured> {
  const folder = join(stage.folder, `model-${norms}`);
  stage.say(`making a recommender, norms ${norms}`);
  const random = randomNumbers(1);
  const { version } = await writeModel(folder, {
    ...{ kind: 'recommender', rank: RANK, users: ids('user-', USERS), items: ids('item-', ITEMS) },
    userFactors: factors(USERS, random, () => 1),
    itemFactors: factors(ITEMS, random, norms === 'equal' ? () => 1 : () => Math.exp(normal(random) / 2)),
    known: Array.from({ length: USERS }, (_, user) => [user, user + 1, user + 2]),
  });
  stage.say(`predicting, norms ${norms}`);
  const { stdout } = await execa(process.execPath, ['--expose-gc', PROCESS, folder, version], {
    stderr: 'inherit',
  });
  await rm(folder, { recursive: true });
  return JSON.parse(stdout) as Measured;
}

/** @param normOf called for each row */
function factors(rows: number, random: () => number, normOf: () => number): Float32Array {
  const all = new Float32Array(rows * RANK);
  for (let row = 0; row < rows; row += 1) {
    const vector = Array.from({ length: RANK }, () => normal(random));
    const scale = normOf() / Math.hypot(...vector);
    all.set(
      vector.map((factor) => factor * scale),
      row * RANK,
    );
  }
  return all;
}

/** Box–Muller. */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

function times({ median, late }: { median: number; late: number }): string {
  return `${median.toFixed(2)} ms, ${late.toFixed(2)} ms`;
}

function rate({ mean }: { mean: number }): string {
  return Math.round(1000 / mean).toLocaleString('en');
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1e6);
}

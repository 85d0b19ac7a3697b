/** `node --expose-gc predict-process.ts FOLDER VERSION`: loads a recommender, predicts, swaps it, and prints what that costs as JSON. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { type Recommender, loadModel } from '../src/predict/index.ts';
import { Best } from '../src/predict/best.ts';

/** Milliseconds. */
export interface Times {
  median: number;
  /** The 99th percentile. */
  late: number;
  mean: number;
}

export interface Measured {
  ours: Times;
  /** A plain loop over all items. */
  plain: Times;
  /** At 500 a second, from when a prediction is due. */
  paced: Times;
  /** Milliseconds. */
  load: number;
  /** The longest time between two turns of the event loop while a model was loaded, milliseconds. */
  hold: number;
  /** Of the model. */
  bytes: number;
  /** Bytes of the process with one model, and after the swaps. */
  resident: number;
  swapped: number;
}

const COUNT = 10;
const PREDICTIONS = 2_000;
const PLAIN = 100;
const RATE = 500;
const SECONDS = 5;
const SWAPS = 20;

const [, , folder = '', version = ''] = process.argv;

const load = async (): Promise<Recommender> => {
  const signal = new AbortController().signal;
  const model = await loadModel({ location: folder }, { name: 'films', version, signal });
  if (model.kind !== 'recommender') throw new Error(model.kind);
  return model;
};

let model = await load();
const resident = await restingMemory();
const [ours, plain] = await byTurns();
const paced = await atRate();
const loads: number[] = [];
const holds: number[] = [];
for (let swap = 0; swap < SWAPS; swap += 1) {
  const watch = watchHolds();
  const began = performance.now();
  const next = await load();
  loads.push(performance.now() - began);
  holds.push(await watch());
  model.dispose();
  model = next;
}
const measured: Measured = {
  ...{ ours, plain, paced, resident, bytes: model.bytes },
  load: timesOf(loads).median,
  // What else runs on the machine makes some longer.
  hold: timesOf(holds).median,
  swapped: await restingMemory(),
};
process.stdout.write(JSON.stringify(measured));

function userOf(times: number): string {
  return `user-${(times * 7_919) % model.users}`;
}

/** Ours and the plain loop, so that a busy machine is busy for both. */
async function byTurns(): Promise<[Times, Times]> {
  const factors = async (file: string): Promise<Float32Array> =>
    new Float32Array(Uint8Array.from(await readFile(join(folder, version, file))).buffer);
  const [users, items] = [await factors('user_factors.f32'), await factors('item_factors.f32')];
  const [mine, loops]: [number[], number[]] = [[], []];
  for (let times = 0; times < PREDICTIONS; times += 1) {
    mine.push(timeOf(() => model.top(userOf(times), COUNT)));
    if (times % (PREDICTIONS / PLAIN) > 0) continue;
    const row = (times * 7_919) % model.users;
    loops.push(timeOf(() => plainTop(users.subarray(row * model.rank, (row + 1) * model.rank), items)));
  }
  return [timesOf(mine), timesOf(loops)];
}

function plainTop(user: Float32Array, items: Float32Array): void {
  const best = new Best(COUNT);
  for (let row = 0; row < model.items; row += 1) {
    const from = row * user.length;
    let sum = 0;
    for (let at = 0; at < user.length; at += 1) sum += user[at]! * items[from + at]!;
    best.offer(row, sum);
  }
  best.sorted();
}

async function atRate(): Promise<Times> {
  const took: number[] = [];
  const began = performance.now();
  for (let times = 0; times < RATE * SECONDS; times += 1) {
    const due = began + (times * 1_000) / RATE;
    while (performance.now() < due) await setImmediate();
    model.top(userOf(times), COUNT);
    took.push(performance.now() - due);
  }
  return timesOf(took);
}

/** @returns a function that ends the watch, and gives the longest time between two turns */
function watchHolds(): () => Promise<number> {
  const watch = { isOn: true };
  const turns = async (): Promise<number> => {
    let longest = 0;
    let last = performance.now();
    while (watch.isOn) {
      await setImmediate();
      const now = performance.now();
      longest = Math.max(longest, now - last);
      last = now;
    }
    return longest;
  };
  const done = turns();
  return () => {
    watch.isOn = false;
    return done;
  };
}

/** V8 lets go in the background what it has collected. */
async function restingMemory(): Promise<number> {
  for (let times = 0; times < 3; times += 1) {
    globalThis.gc?.();
    await setTimeout(100);
  }
  return process.memoryUsage.rss();
}

function timeOf(work: () => unknown): number {
  const began = performance.now();
  work();
  return performance.now() - began;
}

function timesOf(millis: readonly number[]): Times {
  const sorted = millis.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
  return { median: at(0.5), late: at(0.99), mean: millis.reduce((a, b) => a + b) / millis.length };
}

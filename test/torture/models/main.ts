/**
 * `npm run torture:models -- [--seed N] [--minutes N] [--write]`: the kill matrix of ml-service projects. Models are built while
 * Spark, its Python, the API, the client and the broker are killed or frozen at each step; the API is asked all the time.
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { type Kill, STEPS, VICTIMS, isPossible } from './kill.ts';
import { Life } from './life.ts';
import { pageOf } from './page.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    minutes: { type: 'string', default: '15' },
    write: { type: 'boolean', default: false },
  },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000));
const begun = performance.now();
const until = begun + Number(values.minutes) * 60_000;
const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
process.once('SIGTERM', () => stop.abort());

/** Every victim at every step, in an order that the seed decides; then again. */
function* plans(): Generator<Kill> {
  let state = seed;
  const random = (): number => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31;
  for (;;) {
    const all = VICTIMS.flatMap((victim) => STEPS.map((step): Kill => ({ victim, step, order: random() })));
    yield* all.filter(isPossible).toSorted((one, other) => one.order - other.order);
  }
}

const life = await Life.begin();
const done: Kill[] = [];
try {
  for (const kill of plans()) {
    if (performance.now() > until || stop.signal.aborted) break;
    const took = await life.kill(kill);
    if (took === null) continue;
    done.push(kill);
    console.log(
      `${kill.victim} at ${kill.step}: the next version serves after ${(took / 1000).toFixed(1)} s`,
    );
  }
  const verdict = await life.end();
  console.log(verdict);
  const minutes = Math.round((performance.now() - begun) / 60_000);
  const page = pageOf({ seed, minutes, kills: done, verdict });
  const file = fileURLToPath(new URL('../../../docs/MODEL-TORTURE.md', import.meta.url));
  if (values.write) await writeFile(file, page);
  process.exitCode = verdict.violations.length === 0 && done.length > 0 ? 0 : 1;
} finally {
  await life.close();
}

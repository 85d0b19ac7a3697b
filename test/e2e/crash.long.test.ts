import { expect, test } from 'vitest';
import { type Round, runRound } from '../torture/round.ts';
import { World } from '../torture/world.ts';

/**
 * The crash test in its short form; docs/TORTURE.md says what it is, and `npm run torture -- --seed N --rounds 1` runs one
 * again. Between them: clients that are restarted and standbys that take over, six of the boundaries, all three signals, and
 * in 16 and 23 the broker, which the others feel, too.
 */
const SEEDS = [16, 2, 23, 12, 5];

test('clients and their broker are ended at any time, and all is as if nothing had been', async () => {
  const world = await World.create();
  const rounds: Round[] = [];
  try {
    const waiting = SEEDS.values();
    const worker = async (): Promise<void> => {
      for (const seed of waiting)
        rounds.push(
          await runRound(world, seed, { broker: true, changes: false, clock: false, machines: false }),
        );
    };
    await Promise.all([worker(), worker()]);
  } finally {
    await world.close();
  }
  const found = rounds.filter(({ violations }) => violations.length > 0);
  expect(found.map(({ seed, violations }) => ({ seed, violations }))).toEqual([]);
  expect(rounds).toHaveLength(SEEDS.length);
  expect(rounds.flatMap(({ deaths }) => deaths).length).toBeGreaterThanOrEqual(3 * SEEDS.length);
  expect(world.brokerDeaths).toBeGreaterThan(0);
});

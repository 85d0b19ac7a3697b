/**
 * `npm run torture -- [--seed N] [--rounds N | --minutes N] [--parallel N] [--no-broker] [--no-changes] [--write]`: the
 * crash test in its long form. Prints a line a round; a seed that is printed can be run again. `--write` appends the table to docs/TORTURE.md.
 */
import { appendFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { canMakeMachines } from './client.ts';
import { describe, tableOf } from './report.ts';
import { GIVING_UP, type Round, runRound } from './round.ts';
import { World } from './world.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    rounds: { type: 'string' },
    minutes: { type: 'string' },
    parallel: { type: 'string', default: '3' },
    'no-broker': { type: 'boolean', default: false },
    'no-changes': { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});
const first = Number(values.seed ?? Math.floor(Math.random() * 1_000_000));
const rounds = Number(values.rounds ?? (values.minutes === undefined ? 30 : Number.POSITIVE_INFINITY));
const until = performance.now() + Number(values.minutes ?? Number.POSITIVE_INFINITY) * 60_000;

const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
process.once('SIGTERM', () => stop.abort());

const changes = !values['no-changes'];
const world = await World.create(changes);
if (changes && world.faketime === null)
  console.error('! no clock is moved: libfaketime is not there (sudo apt-get install faketime)');
const extras = {
  broker: !values['no-broker'],
  changes,
  clock: world.faketime !== null,
  machines: canMakeMachines(),
};
if (!extras.machines) console.error('! no client has a machine of its own: that takes root, and unshare');
const done: Round[] = [];
let next = 0;
const worker = async (): Promise<void> => {
  while (next < rounds && performance.now() < until && !stop.signal.aborted) {
    const seed = first + next;
    next += 1;
    const round = await runRound(world, seed, extras);
    done.push(round);
    console.log(lineOf(round));
  }
};
const begun = performance.now();
try {
  await Promise.all(Array.from({ length: Number(values.parallel) }, worker));
} finally {
  const isFine = done.every(({ violations }) => violations.length === 0);
  await world.close(done.some(({ kept }) => kept !== null));
  process.exitCode = isFine && done.length > 0 ? 0 : 1;
}
const table = tableOf({
  rounds: done,
  seed: first,
  minutes: (performance.now() - begun) / 60_000,
  parallel: Number(values.parallel),
  brokerDeaths: world.brokerDeaths,
});
console.log(`\n${table}`);
if (values.write)
  await appendFile(fileURLToPath(new URL('../../docs/TORTURE.md', import.meta.url)), `\n${table}`);

function lineOf({ seed, scenario, deaths, took, violations, givenUp, kept }: Round): string {
  const how = [
    scenario.standby ? 'standby' : 'restart',
    ...(scenario.broker === null ? [] : [`broker ${scenario.broker.how}`]),
    ...(scenario.hasSource ? ['source'] : []),
    ...(scenario.hasReports ? ['http source'] : []),
    ...(scenario.services === 'none' ? [] : [`services, ${scenario.services}`]),
    ...(scenario.hasAlerts ? ['alerts'] : []),
    ...scenario.changes.map(describe),
  ];
  const verdict = violations.length > 0 ? '✗' : givenUp === null ? '✓' : '?';
  const why = givenUp === null ? [] : [`without a verdict: ${GIVING_UP[givenUp.reason]}`, ...givenUp.details];
  const details = [...why, ...violations].map((text) => `\n    ${text}`).join('');
  return `${verdict} seed ${seed}, ${how.join(', ')}: ${deaths.join('; ')} (${(took / 1000).toFixed(1)} s)${details}${kept === null ? '' : `\n    ${kept}`}`;
}

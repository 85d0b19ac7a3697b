/** The table of docs/TORTURE.md. */
import { cpus, totalmem } from 'node:os';
import { GIVING_UP, type Round } from './round.ts';
import type { PlannedChange } from './scenario.ts';

export interface Run {
  rounds: readonly Round[];
  /** Of the first round; each further one has the next number. */
  seed: number;
  minutes: number;
  parallel: number;
  brokerDeaths: number;
}

/** In words: `topic made again, longer, while a client runs`. */
export function describe({ change, isRunning }: PlannedChange): string {
  const { kind, ...details } = change;
  return [kind, ...Object.values(details), isRunning ? 'while a client runs' : 'while none runs'].join(', ');
}

function counted(names: readonly string[]): [string, number][] {
  return [...Map.groupBy(names, (name) => name)]
    .map(([name, all]): [string, number] => [`– ${name}`, all.length])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

export function tableOf({ rounds, seed, minutes, parallel, brokerDeaths }: Run): string {
  const sum = (count: (round: Round) => number): number =>
    rounds.reduce((total, round) => total + count(round), 0);
  const deaths = counted(rounds.flatMap((round) => round.deaths));
  const changes = counted(rounds.flatMap(({ scenario }) => scenario.changes.map(describe)));
  const takeovers = rounds.flatMap((round) => round.takeovers).sort((a, b) => a - b);
  const at = (share: number): string =>
    `${((takeovers[Math.min(takeovers.length - 1, Math.floor(takeovers.length * share))] ?? 0) / 1000).toFixed(1)} s`;
  const broken = rounds.filter(({ violations }) => violations.length > 0);
  const rows: [string, string | number][] = [
    ['rounds', rounds.length],
    ['messages delivered, with duplicates, in random order', sum(({ deliveries }) => deliveries)],
    ['clients ended', sum((round) => round.deaths.length)],
    ...deaths,
    ['changes of topics and clocks', sum(({ scenario }) => scenario.changes.length)],
    ...changes,
    ['broker ended and started again', brokerDeaths],
    ['runs that had to happen', sum(({ runs }) => runs)],
    ['attempts that were made', sum(({ attempts }) => attempts)],
    ['finish messages', sum(({ finishes }) => finishes)],
    ['events of outputs, one of each output of each success', sum(({ produced }) => produced)],
    ['alerts, each told once', sum(({ alerts }) => alerts.length)],
    ...counted(rounds.flatMap(({ alerts }) => alerts)),
    ['ends of alerts, each told once', sum(({ alertsOver }) => alertsOver)],
    ['alerts and ends that a receiver took, each at least once', sum(({ alertsTaken }) => alertsTaken)],
    ['bad messages, each once in the dead-letter topic', sum(({ deadLetters }) => deadLetters)],
    ['partitions written, written again and renamed, which a source watches', sum((round) => round.landings)],
    ['events of them, none of a landing twice', sum((round) => round.events)],
    ['landings reported over HTTP, each until it was answered', sum(({ reports }) => reports)],
    ['events of them, each once', sum(({ reported }) => reported)],
    ["processes of an owner's service, never two at once", sum(({ services }) => services)],
    [
      '– in rounds of which each client has a machine of its own',
      sum(({ scenario, services }) => (scenario.services === 'machines' ? services : 0)),
    ],
    ['events that they announced, each once', sum(({ announced }) => announced)],
    ['from a death to the next owner, median / 99 of 100', `${at(0.5)} / ${at(0.99)}`],
    ...Object.entries(GIVING_UP).map(([reason, text]): [string, number] => [
      `rounds without a verdict: ${text}`,
      rounds.filter(({ givenUp }) => givenUp?.reason === reason).length,
    ]),
    ['rounds in which something was lost, doubled or left over', broken.length],
  ];
  return [
    `| ${minutes.toFixed(0)} minutes, ${parallel} rounds at a time, seeds ${seed} to ${seed + rounds.length - 1} | |`,
    '|---|---:|',
    ...rows.map(([what, count]) => `| ${what} | ${count} |`),
    '',
    `${cpus().length} × ${cpus()[0]?.model ?? 'CPU'}, ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.version}.`,
    ...broken.map((round) => `\nSeed ${round.seed}: ${round.violations.join('; ')}`),
    '',
  ].join('\n');
}

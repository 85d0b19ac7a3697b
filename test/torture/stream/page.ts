/** docs/STREAM-TORTURE.md: what the kill matrix is, and what its last run has found. */
import { cpus } from 'node:os';
import { type Kill, STEPS, STEP_WORDS, VICTIMS } from './kill.ts';
import type { Verdict } from './life.ts';

export function pageOf(run: {
  seed: number;
  minutes: number;
  kills: readonly Kill[];
  verdict: Verdict;
}): string {
  const { seed, minutes, kills, verdict } = run;
  const count = (victim: string, step: string): number =>
    kills.filter((kill) => kill.victim === victim && kill.step === step).length;
  const rows = STEPS.map(
    (step) => `| ${STEP_WORDS[step]} | ${VICTIMS.map((victim) => count(victim, step)).join(' | ')} |`,
  );
  const results: [string, number][] = [
    ['events sent', verdict.sent],
    ['records in the archive', verdict.archived],
    ['**lost**', verdict.lost],
    ['**in the archive twice**', verdict.doubled],
    ['batches counted', verdict.batches],
    ['landings', verdict.landings],
    ['partition events, one of each landing', verdict.events],
    ['frozen Sparks that woke, found themselves fenced, and ended', verdict.fenced],
  ];
  return `# The kill matrix of stream-etl

\`npm run torture:stream\` runs the archive of a stream-etl project on a Kafka of its own, and sends it events all the time; some are
late. Meanwhile it kills with SIGKILL, at each step of the archive: Spark's JVM, the Python of its driver, the client, the broker. It also
freezes Spark (SIGSTOP), lets another process archive until an hour has landed, and wakes it (SIGCONT). A step is seen by the file or
folder that it begins with, so the kill comes within milliseconds. After each kill it waits until another hour has landed.

At the end DuckDB reads the archive: each event that was sent is there once, and kcat reads the partition events: one for each
landing, with as many rows as the archive has.

\`\`\`console
$ npm run torture:stream -- --minutes 20 --write     # writes this page
\`\`\`

In addition the project's own tests (\`spark-app/test_landings.py\`) kill the archive before each of its file operations, and freeze it there
until another process has done everything.

## The last run

Seed ${seed}, ${minutes} minutes, ${cpus().length} processors. Kills, by step and victim:

| when | ${VICTIMS.join(' | ')} |
|---|${VICTIMS.map(() => '---:').join('|')}|
${rows.join('\n')}

| what | number |
|---|---:|
${results.map(([what, number]) => `| ${what} | ${number} |`).join('\n')}
${verdict.violations.length === 0 ? '' : `\n${verdict.violations.map((text) => `- ${text}`).join('\n')}\n`}`;
}

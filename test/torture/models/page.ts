/** docs/MODEL-TORTURE.md: what the kill matrix is, and what its last run has found. */
import { cpus } from 'node:os';
import { type Kill, STEPS, STEP_WORDS, VICTIMS, isPossible } from './kill.ts';
import type { Verdict } from './life.ts';

export function pageOf(run: {
  seed: number;
  minutes: number;
  kills: readonly Kill[];
  verdict: Verdict;
}): string {
  const { seed, minutes, kills, verdict } = run;
  const cell = (victim: Kill['victim'], step: Kill['step']): string =>
    isPossible({ victim, step, order: 0 })
      ? String(kills.filter((kill) => kill.victim === victim && kill.step === step).length)
      : '–';
  const rows = STEPS.map(
    (step) => `| ${STEP_WORDS[step]} | ${VICTIMS.map((victim) => cell(victim, step)).join(' | ')} |`,
  );
  const results: [string, number][] = [
    ['builds asked for', verdict.asked],
    ['NEW_MODEL messages', verdict.announced],
    ['**builds without a NEW_MODEL**', verdict.lost],
    ['**versions announced twice**', verdict.doubled],
    ['answers of the API', verdict.answers],
    ['versions that have answered', verdict.versions],
    ['**answers that are not what Spark says of that version**', verdict.wrong],
    ['**answers of a version that was not promoted**', verdict.unpromoted],
    ['requests without an answer, while the API or its client was killed or frozen', verdict.unanswered],
    ['**requests without an answer at other times**', verdict.dropped],
    ['**versions of the state that are not whole**', verdict.broken],
  ];
  return `# The kill matrix of ml-service

\`npm run torture:models\` runs an ml-service project on a Kafka of its own, and asks for one build after the other. Meanwhile it kills with
SIGKILL, at each step of a build: Spark's JVM, the Python of its driver, the API, the client, the broker. It also freezes the build and
the API (SIGSTOP) for some seconds. A step is seen by the file that it begins with, so the kill comes within milliseconds. After each
kill it waits until a build has been announced and serves.

The API is asked all the time for a flower that each version has held out: the answer must be what Spark has predicted with the version that
the answer names. At the end each build has one NEW_MODEL, and each version that the state knows is loaded with all its checksums.

\`\`\`console
$ npm run torture:models -- --minutes 20 --write     # writes this page
\`\`\`

## The last run

Seed ${seed}, ${minutes} minutes, ${cpus().length} processors. Kills, by step and victim (–: the build has ended by then):

| when | ${VICTIMS.join(' | ')} |
|---|${VICTIMS.map(() => '---:').join('|')}|
${rows.join('\n')}

| what | number |
|---|---:|
${results.map(([what, number]) => `| ${what} | ${number} |`).join('\n')}
${verdict.violations.length === 0 ? '' : `\n${verdict.violations.map((text) => `- ${text}`).join('\n')}\n`}`;
}

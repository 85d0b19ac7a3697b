import { basename, dirname } from 'node:path';
import { expect } from 'vitest';
import { attemptLogPath } from '../../../src/client/host/attempt-log.ts';
import { listHeaders } from '../../../src/core/headers.ts';
import { deadLetter, readInput } from '../../../src/client/host/inputs.ts';
import { jobEnvironment } from '../../../src/client/host/job-environment.ts';
import {
  type Effect,
  type MachineState,
  type Submission,
  emptyState,
  step,
} from '../../../src/client/machine/index.ts';
import { serialiseMessage } from '../../../src/messages/index.ts';
import { parseConfig } from '../../../src/config/schema.ts';
import type { KafkaRecord } from '../../../src/kafka/port.ts';
import { define, landing } from '../machine/hippo.ts';
import { fuzz } from '../../torture/fuzz.ts';

/** The seed of a failure is in its message; `HIPPO_FUZZ_SEED` runs that one again. */
const SEED = Number(process.env['HIPPO_FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const NOW = Date.UTC(2017, 3, 28, 12);

const definition = define({
  fuzzed: {
    needs: [{ table: 'fuzz.events' }],
    run: './job.sh',
    args: ['{{ key }}', '{{ partition.part }}', '--part={{ partition.part }}'],
    env: { PART: '{{ partition.part }}' },
    concurrency: 2,
  },
  monthly: {
    every: 'month',
    needs: [{ table: 'fuzz.events', partition: { part: "{{ window | date: '%Y%m' }}" } }],
    run: './job.sh',
    args: ['{{ window | date: "%Y%m" }}'],
  },
  after: { needs: [{ job: 'other/done' }], run: './job.sh', args: ['{{ key }}'] },
});
const config = parseConfig({});

/** Checks every effect of each message. */
class Watcher {
  state: MachineState = emptyState();
  rejected = 0;
  accepted = 0;
  submitted = 0;
  finished = 0;

  tell(event: Parameters<typeof step>[2]): void {
    const { state, effects } = step(definition, this.state, event);
    this.state = state;
    for (const effect of effects) this.#check(effect);
    // Each job ends at once, so that the next run can start.
    for (const { job, key, attemptId } of submissions(effects)) {
      this.tell({
        type: 'job-exited',
        at: NOW,
        run: { job, key },
        attemptId,
        outcome: { status: 'succeeded' },
      });
    }
  }

  read(record: KafkaRecord, kind: Parameters<typeof readInput>[0]): void {
    const input = readInput(kind, record);
    if (input.ok) {
      this.accepted += 1;
      this.tell({ type: 'message', at: NOW, from: input.from, message: input.message });
      return;
    }
    this.rejected += 1;
    const { reason, key = '' } = input.rejection;
    expectThat(
      /^[^\p{Cc}]{1,200}$/u.test(reason) && /^[^\p{Cc}]{0,200}$/u.test(key),
      `a reason of one line: ${reason}`,
    );
    const letter = deadLetter(record, input.rejection, 'etl');
    const headers = listHeaders(letter.headers ?? {}).reduce(
      (sum, [name, text]) => sum + name.length + (text?.length ?? 0),
      0,
    );
    expectThat(
      (letter.key?.length ?? 0) + (letter.value?.length ?? 0) + headers < 1_040_000,
      'a dead letter that fits',
    );
  }

  #check(effect: Effect): void {
    if (effect.type === 'persist') {
      const text = JSON.stringify(effect.value);
      expectThat(
        text.length < 100_000 && effect.key.length < 1_000,
        `a small record ${effect.key.slice(0, 200)}`,
      );
      expectThat(!/[\p{Cc}]/u.test(effect.key), `a key that can be printed: ${JSON.stringify(effect.key)}`);
    } else if (effect.type === 'publish') {
      expectThat(serialiseMessage(effect.message).length < 100_000, 'a small message');
      if (effect.message.kind === 'finish') this.finished += 1;
    } else if (effect.type === 'submit') {
      this.submitted += 1;
      checkSubmission(effect.submission);
    }
  }
}

function checkSubmission(submission: Submission): void {
  const { argv, attemptId } = submission;
  expectThat(argv[0] === './job.sh', 'the program of hippo.yaml');
  const words = [...argv, ...Object.entries(environmentOf(submission)).flat()];
  // execve refuses NUL and broken surrogates would change.
  expectThat(
    !words.some((word) => word.includes('\0') || !word.isWellFormed()),
    `words without NUL: ${words.join('|')}`,
  );
  expectThat(
    argv.slice(1).every((word) => !word.startsWith('-') || word.startsWith('--part=')),
    `no option made of a value: ${argv.join(' ')}`,
  );
  expectThat(
    words.every((word) => word.length < 100_000),
    'words that fit',
  );
  const log = attemptLogPath('/project', submission);
  expectThat(dirname(log) === `/project/.hippo/logs/${submission.job}`, `a log in its folder: ${log}`);
  expectThat(basename(log).length < 255 && /^[\w.=%-]+$/.test(basename(log)), `a name of a file: ${log}`);
  expectThat(/^[a-z0-9-]{1,63}$/.test(attemptId), `an id for files and tags: ${attemptId}`);
}

function environmentOf(submission: Submission): Record<string, string> {
  const options = {
    hippo: 'etl',
    owner: 'cluster/etl',
    sparkSubmit: null,
    environment: {},
    yarn: config.yarn,
  };
  const inputs = { path: '/project/.hippo/inputs/x.json', json: JSON.stringify(submission.inputs) };
  const environment = jobEnvironment(
    options,
    submission,
    {},
    { result: '/project/.hippo/results/x.json', inputs },
  );
  return Object.fromEntries(Object.entries(environment).map(([name, value = '']) => [name, value]));
}

function submissions(effects: readonly Effect[]): Submission[] {
  return effects.flatMap((effect) => (effect.type === 'submit' ? [effect.submission] : []));
}

/** vitest's expect is too slow for a million checks. */
function expectThat(holds: boolean, what: string): void {
  if (!holds) throw new Error(`not ${what}`);
}

/**
 * Sends damaged messages to the machine: each must be taken in or rejected with a reason, and a good one after them must
 * start its run.
 *
 * @param messages how many; 20,000 take three seconds of a processor
 */
export function fuzzMachine(messages: number): void {
  const watcher = new Watcher();
  watcher.tell({ type: 'ownership-gained', at: NOW });
  let offset = 0n;
  for (const { kind, value, key, headers } of fuzz(SEED, messages, 'etl')) {
    offset += 1n;
    const record = { topic: kind, partition: 0, offset, timestamp: NOW, key, value, headers };
    try {
      watcher.read(record, kind);
    } catch (error) {
      const excerpt = value?.subarray(0, 500).toString() ?? 'null';
      throw new Error(`seed ${SEED}, message ${offset}, ${kind}: ${excerpt}`, { cause: error });
    }
  }
  expect(Object.keys({}.constructor.prototype as object)).toEqual([]);
  // Both outcomes must be common, or the test would not test one of them.
  for (const count of [watcher.accepted, watcher.rejected]) expect(count).toBeGreaterThan(messages / 10);
  for (const count of [watcher.submitted, watcher.finished]) expect(count).toBeGreaterThan(messages / 200);

  // A fuzzed request may have paused the job.
  const { submitted } = watcher;
  const from = { topic: 'schedule', partition: 0, offset: '1' };
  const resume = {
    kind: 'schedule',
    hippoName: 'etl',
    jobName: 'fuzzed',
    action: 'resume',
    extra: {},
  } as const;
  watcher.tell({ type: 'message', at: NOW, from, message: resume });
  const before = watcher.submitted;
  watcher.tell({
    type: 'message',
    at: NOW,
    from,
    message: landing('fuzz.events', 'part=good', 2_000_000_000),
  });
  expect(watcher.submitted).toBe(before + 1);
  expect(before).toBeGreaterThanOrEqual(submitted);
}

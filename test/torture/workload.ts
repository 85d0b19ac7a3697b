/** The hippo that is tortured: its jobs, what it is sent, and what must have come of it. */
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OutgoingRecord } from '../../src/kafka/port.ts';
import { partitionPath } from '../../src/messages/index.ts';
import type { Alarms } from './alarms.ts';
import { OUTPUTS } from './outputs.ts';
import type { Topics } from './world.ts';

/** What a run must have come to, whatever happened on the way. */
export type Expectation =
  /** Exactly one finish, a success. */
  | 'succeeded once'
  /** Exactly one finish, no success. */
  | 'failed once'
  /** A success with the newest landing; earlier landings may have had their own. */
  | 'succeeded with the newest'
  /** Failures, or none, and then a success. */
  | 'succeeded at last'
  /** One success by hand: nothing ran. */
  | 'marked';

/** `once`: to be sent once only, since each is a request of its own. */
export interface Message {
  record: OutgoingRecord;
  once: boolean;
}

export interface Workload {
  hippo: string;
  messages: readonly Message[];
  /** By `<job> <run key>`. */
  expected: ReadonlyMap<string, Expectation>;
  /** Values that cannot be parsed: each delivery of one becomes a dead letter. */
  bad: readonly string[];
  /** Of the run whose expectation is about the newest landing: the version of that landing, epoch seconds. */
  newest: number;
  /** Whether events stay in their topic: then a job needs what another one produces, and their number is judged. */
  keepsEvents: boolean;
  alarms: Alarms | null;
}

/** Deeds of ./job.sh: how long it works (milliseconds) and how it behaves. */
type Behaviour = 'plain' | 'deaf' | 'escapee' | 'flaky' | 'broken' | 'mended';

interface Job {
  yaml: string;
  behaviour: Behaviour;
  work: number;
}

const JOBS: Readonly<Record<string, Job>> = {
  each: { behaviour: 'plain', work: 150, yaml: 'needs: [{ table: DB.each }]\nconcurrency: 3' },
  both: { behaviour: 'deaf', work: 250, yaml: 'needs: [{ table: DB.left }, { table: DB.right }]' },
  daily: {
    behaviour: 'escapee',
    work: 200,
    yaml: `every: day
needs:
  - { table: DB.day, partition: { yyyymmdd: "{{ window | date: '%Y%m%d' }}" } }
  - any_of:
      - { table: DB.month, partition: { yyyymm: "{{ window | date: '%Y%m' }}" } }
      - { table: DB.month2, partition: { yyyymm: "{{ window | date: '%Y%m' }}" } }
concurrency: 2`,
  },
  after: { behaviour: 'plain', work: 50, yaml: 'every: day\nneeds: [{ job: HIPPO/daily }]' },
  /** It needs what `daily` produces. */
  through: {
    behaviour: 'plain',
    work: 50,
    yaml: `every: day\nneeds: [{ table: DB.days, partition: { yyyymmdd: "{{ window | date: '%Y%m%d' }}" } }]`,
  },
  flaky: {
    behaviour: 'flaky',
    work: 50,
    yaml: 'needs: [{ table: DB.flaky }]\nretries: { attempts: 2, backoff: 50ms }',
  },
  broken: {
    behaviour: 'broken',
    work: 50,
    yaml: 'needs: [{ table: DB.broken }]\nretries: { attempts: 1, backoff: 50ms }',
  },
  fresh: { behaviour: 'plain', work: 150, yaml: 'needs: [{ table: DB.fresh }]\non_reland: rerun' },
};

/** Those of alarms.ts. */
const ALERTING: Readonly<Record<string, Job>> = {
  minutes: {
    behaviour: 'plain',
    work: 50,
    yaml: `every: 5m
needs: [{ table: DB.five, partition: { minute: "{{ window | date: '%Y-%m-%dT%H:%M' }}" } }]
deadline: 2s
concurrency: 2`,
  },
  mended: {
    behaviour: 'mended',
    work: 50,
    yaml: 'needs: [{ table: DB.mended }]\nretries: { attempts: 1, backoff: 50ms }\non_reland: rerun',
  },
  resting: { behaviour: 'plain', work: 50, yaml: 'needs: [{ table: DB.resting }]' },
};

/**
 * Each attempt holds a lock that its children inherit: who finds it taken meets an earlier attempt of the same run. `flaky`
 * fails twice, counted by what it has written; `escapee` leaves a process behind in a session of its own; `deaf` ignores SIGTERM.
 */
const SCRIPT = `#!/usr/bin/env bash
work=$1 behaviour=$2
note() { echo "$1 $HIPPO_JOB $HIPPO_RUN_KEY $HIPPO_ATTEMPT" >> journal; }
[ "$behaviour" = deaf ] && trap '' TERM
exec 9>> "locks/$HIPPO_JOB $HIPPO_RUN_KEY"
flock -n 9 || note overlap
note start
[ "$behaviour" = escapee ] && { setsid sleep 60 & }
sleep "$work"
case $behaviour in
  flaky)
    echo >> "locks/failures $HIPPO_RUN_KEY"
    [ "$(wc -l < "locks/failures $HIPPO_RUN_KEY")" -gt 2 ] || { note failure; exit 3; }
    echo '{"done": 7}' > "$HIPPO_RESULT_FILE"
    ;;
  broken) note failure; exit 7 ;;
  mended) [ -e "mended $HIPPO_RUN_KEY" ] || { note failure; exit 9; } ;;
esac
note end
`;

/** Epoch seconds of the first landing. */
const LANDED = 1_750_000_000;

/** @param keepsEvents no events are removed from their topic, which a job needs that another one has produced */
export function workloadOf(
  hippo: string,
  topics: Topics,
  keepsEvents: boolean,
  alarms: Alarms | null,
): Workload {
  const messages: Message[] = [];
  const expected = new Map<string, Expectation>();
  const send = (topic: string, value: object | string, once = false): void => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    messages.push({ record: { topic, key: hippo, value: text }, once });
  };
  const lands = (table: string, name: string, value: string, version = 0): void => {
    const event = {
      table,
      db: hippo,
      partition: [{ name, value }],
      method: 'partition',
      exec_date: String(LANDED + version),
    };
    send(topics.of('frontier'), event);
  };
  const asks = (job: string, runKey: string, action: object): void => {
    const request = { hippo_name: hippo, job_name: job, run_key: runKey, ...action };
    send(topics.of('schedule'), request, true);
  };

  for (const part of ['a', 'b', "c'; rm -rf /"]) {
    lands('each', 'part', part);
    expected.set(`each ${partitionPath([{ name: 'part', value: part }])}`, 'succeeded once');
  }
  for (const part of ['a', 'b']) {
    lands('left', 'part', part);
    lands('right', 'part', part);
    expected.set(`both part=${part}`, 'succeeded once');
  }
  for (const day of ['20170430', '20170501']) {
    lands('day', 'yyyymmdd', day);
    const key = day.replace(/(....)(..)(..)/, '$1-$2-$3');
    expected.set(`daily ${key}`, 'succeeded once').set(`after ${key}`, 'succeeded once');
    if (keepsEvents) expected.set(`through ${key}`, 'succeeded once');
  }
  lands('month', 'yyyymm', '201704');
  lands('month2', 'yyyymm', '201704');
  lands('month2', 'yyyymm', '201705');
  lands('flaky', 'part', 'a');
  expected.set('flaky part=a', 'succeeded once');
  lands('broken', 'part', 'a');
  expected.set('broken part=a', 'failed once');
  for (const version of [0, 1, 2]) lands('fresh', 'part', 'a', version);
  expected.set('fresh part=a', 'succeeded with the newest');
  // Half of what it needs: never to run, until a person says so.
  lands('left', 'part', 'alone');
  lands('left', 'part', 'by hand');
  asks('both', 'part=by hand', { by: 'torture' });
  expected.set('both part=by hand', 'succeeded once');
  asks('each', 'part=marked', { action: 'mark_success', by: 'torture' });
  expected.set('each part=marked', 'marked');

  const bad = [`{"db": "${hippo}", "table":`, `${hippo} [] `, `{"db": "${hippo}", "table": 7}`];
  for (const value of bad) send(topics.of('frontier'), value);
  messages.push(...(alarms?.messages ?? []));
  for (const run of alarms?.runs() ?? []) expected.set(run, 'succeeded once');
  for (const run of alarms?.mended ?? []) expected.set(run, 'succeeded at last');
  return { hippo, messages, expected, bad, newest: LANDED + 2, keepsEvents, alarms };
}

/** Writes the project's folder: hippo.yaml, job.sh, and a place for what the jobs note. */
export async function writeProject(
  directory: string,
  workload: Workload,
  sections: Readonly<Record<string, unknown>>,
): Promise<void> {
  const own = [
    ...Object.entries(JOBS).filter(([name]) => name !== 'through' || workload.keepsEvents),
    ...Object.entries(ALERTING).filter(([name]) => workload.alarms?.has(name) === true),
  ];
  const jobs = own.map(([name, { yaml, behaviour, work }]) =>
    [
      `${name}:`,
      ...yaml.split('\n').map((line) => `  ${line}`),
      ...(name in OUTPUTS ? ['  produces:'] : []),
      ...(OUTPUTS[name] ?? []).map((output) => `    - ${output.yaml}`),
      '  run: ./job.sh',
      `  args: ["${work / 1000}", ${behaviour}]`,
    ]
      .map((line) => `  ${line}`)
      .join('\n')
      .replaceAll('DB', workload.hippo)
      .replaceAll('HIPPO', workload.hippo),
  );
  const head = Object.entries({ name: workload.hippo, ...sections }).map(
    ([name, value]) => `${name}: ${JSON.stringify(value)}`,
  );
  await mkdir(join(directory, 'locks'), { recursive: true });
  await writeFile(join(directory, 'hippo.yaml'), [...head, 'jobs:', ...jobs, ''].join('\n'));
  await writeFile(join(directory, 'job.sh'), SCRIPT);
  await chmod(join(directory, 'job.sh'), 0o755);
}

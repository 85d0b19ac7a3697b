import { describe, expect, test } from 'vitest';
import type { FoundPause } from '../../src/trigger/follow.ts';
import type { WaitReport } from '../../src/trigger/following.ts';
import type { NoRun } from '../../src/trigger/no-run.ts';
import type { EventProgress } from '../../src/trigger/progress.ts';
import { planEvent } from '../../src/trigger/publish.ts';
import type { TriggerReport } from '../../src/trigger/trigger.ts';
import { dryRunJson, dryRunText } from '../../src/ui/trigger-dry-run.ts';
import {
  renderExplanation,
  renderOutcome,
  renderProgress,
  renderPublished,
  renderUnknownTable,
  renderUnpublished,
  triggerVerdict,
} from '../../src/ui/trigger.ts';
import { ProgressLine } from '../../src/ui/progress-line.ts';
import { readLine } from '../../src/records/envelope.ts';

const ID = '20170428T155546Z-k3x9';

const report = (more: Partial<TriggerReport> = {}): TriggerReport => ({
  published: 1,
  events: [],
  backfill: null,
  file: null,
  stopped: null,
  next: null,
  unknown_tables: [],
  other_orders: [],
  no_run: [],
  unpublished: [],
  wait: null,
  ...more,
});
const wait = (outcome: WaitReport['outcome'], more: Partial<WaitReport> = {}): WaitReport => ({
  outcome,
  runs: [],
  unanswered: 0,
  pending: { undecided: [], open: [], running: [] },
  live: ['etl'],
  readers: ['etl'],
  down: [],
  hidden: [],
  ...more,
});
const run = (outcome: 'running' | 'succeeded' | 'failed', key: string) => ({
  hippo: 'etl',
  job: 'load',
  job_id: 'load_1',
  run_key: key,
  outcome,
  duration: null,
  error: null,
  built: null,
  because: [],
});

const pausedRun = <Paused extends FoundPause>(key: string, paused: Paused) => ({
  ...{ hippo: 'etl', job: 'load', run_key: key, status: 'ready', has: [] },
  paused,
});

const noRun = (reason: NoRun['reason']): NoRun => ({
  hippo: 'etl',
  job: 'load',
  table: 'btd.party',
  partition_path: 'yyyymm=201704',
  exec_date: 1_493_394_946,
  reason,
  landing: { topic: 'frontier-adw', partition: 1, offset: '7', exec_date: 1_493_394_947 },
  run: { run_key: '201704', status: 'succeeded', finished_at: '2017-04-28T16:00:00.000Z' },
});

describe('the last lines', () => {
  const backfill = { id: ID, total: 12, remaining: 0 };
  const next = `hippo trigger --resume ${ID} --wait`;
  test.each<[string, TriggerReport, number, string]>([
    ['a single event has been told', report(), 0, ''],
    ['a range', report({ published: 12, backfill }), 0, `✓ Published 12 events, backfill ${ID}.`],
    ['nothing left', report({ published: 0, backfill }), 0, '✓ Nothing is left: all events are published.'],
    [
      'a file',
      report({ published: 1_000_000, file: { name: 'e.jsonl', lines: 1_000_002, skipped: 2 } }),
      0,
      '✓ Published 1,000,000 events of e.jsonl, 2 lines skipped.',
    ],
    [
      'a file, interrupted',
      report({
        published: 41,
        file: { name: 'e.jsonl', lines: 41, skipped: 0 },
        stopped: 'interrupted',
        next: 'hippo trigger --file e.jsonl --from-line 42',
      }),
      130,
      '! Interrupted: 41 events are published, up to line 41.\n  → hippo trigger --file e.jsonl --from-line 42',
    ],
    [
      'a range, interrupted',
      report({ published: 5, backfill: { ...backfill, remaining: 7 }, stopped: 'interrupted', next }),
      130,
      `! Interrupted: 5 of 12 events are published.\n  → ${next}`,
    ],
    [
      'all well',
      report({
        published: 2,
        backfill,
        wait: wait('succeeded', { runs: [run('succeeded', '1')], unanswered: 1 }),
      }),
      0,
      '! 1 of 2 events caused no run.\n✓ 1 run succeeded.',
    ],
    [
      'one failed',
      report({ wait: wait('failed', { runs: [run('failed', '1'), run('succeeded', '2')] }) }),
      1,
      '✗ 1 of 2 runs failed.\n  → hippo tractor',
    ],
    [
      'too long, and not all published',
      report({
        published: 2,
        backfill: { ...backfill, remaining: 10 },
        stopped: 'timed-out',
        next,
        wait: wait('timed-out', {
          pending: {
            undecided: ['slow'],
            open: [
              { hippo: 'etl', job: 'load', run_key: 'again', status: 'ready', has: [], paused: null },
              { hippo: 'etl', job: 'load', run_key: 'next', status: 'ready', has: [], paused: null },
            ],
            running: ['0', '1', '2', '3', '4', '5', '6', 'again'].map((key) => run('running', key)),
          },
        }),
      }),
      4,
      [
        '✗ Timed out: 2 of 12 events are published.',
        ...[0, 1, 2, 3, 4].map((key) => `  ▶ etl/load ${key} is still running`),
        '  … and 2 more',
        '  … etl/load again is ready, and waits for its next attempt',
        '  … etl/load next is ready, not yet started',
        '  … slow has not read it yet',
        '  → hippo doctor',
        `  → ${next}`,
      ].join('\n'),
    ],
    [
      'what is still to come is held back by a pause',
      report({
        wait: wait('timed-out', {
          pending: {
            undecided: [],
            open: [
              pausedRun('1', { by: 'ann@desk', reason: 'disk full', since: '2017-04-28T15:55:46.000Z' }),
              pausedRun('2', { by: null, reason: null, since: null }),
            ],
            running: [],
          },
        }),
      }),
      4,
      [
        '✗ Timed out.',
        '  … etl/load 1 is ready, but its job is paused by ann@desk since',
        '    2017-04-28T15:55:46Z: disk full',
        '  … etl/load 2 is ready, but its job is paused',
        '  → hippo job resume etl/load',
      ].join('\n'),
    ],
    [
      'interrupted while a pause holds it back',
      report({
        wait: wait('interrupted', {
          pending: {
            undecided: ['slow'],
            open: [pausedRun('1', { by: 'ann@desk', reason: null, since: null })],
            running: [],
          },
        }),
      }),
      130,
      [
        '! Interrupted: 1 event published, not waited for any longer.',
        '  … etl/load 1 is ready, but its job is paused by ann@desk',
        '  … slow has not read it yet',
        '  → hippo job resume etl/load',
        '  → hippo doctor',
      ].join('\n'),
    ],
    [
      'no client runs',
      report({ wait: wait('no-reaction', { live: [], readers: [] }) }),
      4,
      '✗ No hippo reacted.\n  No hippo is running; the event waits in its topic until one starts.\n' +
        "  → hippo run    (in the hippo's project)",
    ],
    [
      'all that are known are down',
      report({ wait: wait('no-reaction', { live: [], readers: [], down: ['etl', 'load'] }) }),
      4,
      '✗ No hippo reacted.\n' +
        '  No client of etl, load runs; the event waits in its topic until one starts.\n' +
        "  → hippo run    (in the hippo's project)",
    ],
    [
      'one has read it, one has not, one is down',
      report({ wait: wait('no-reaction', { live: ['etl', 'slow'], down: ['load'] }) }),
      4,
      '✗ No hippo reacted.\n' +
        '  etl has read it, and none of its needs matches: the table, the levels of the\n' +
        '  partition or its date differ, or a condition (when) is false. The log of its\n' +
        '  client names the conditions that were false. slow has not read it. No client\n' +
        '  of load runs.\n' +
        '  → hippo tail start --from -1h',
    ],
    [
      'one has ignored it: which landing is newer, what became of its run, and what helps',
      report({
        no_run: [noRun('not-newer')],
        wait: wait('no-reaction', { unanswered: 1, live: ['etl', 'other'], readers: ['etl', 'other'] }),
      }),
      4,
      '✗ No hippo reacted.\n' +
        '  etl/load ignores btd.party yyyymm=201704: its exec_date 2017-04-28T15:55:46Z\n' +
        '  is not newer than that of the landing 2017-04-28T15:55:47Z (frontier-adw 1:7).\n' +
        '  Run 201704 succeeded at 2017-04-28T16:00:00Z.\n' +
        '  → hippo trigger --table btd.party --partition yyyymm=201704 --exec-date now\n' +
        '  other has read it, and none of its needs matches: the table, the levels of the\n' +
        '  partition or its date differ, or a condition (when) is false. The log of its\n' +
        '  client names the conditions that were false.',
    ],
    [
      'one has ignored that it landed again',
      report({ no_run: [noRun('re-landing')], wait: wait('no-reaction', { unanswered: 1 }) }),
      4,
      '✗ No hippo reacted.\n' +
        '  etl/load ignores btd.party yyyymm=201704: it landed again after its run, and\n' +
        '  the job has on_reland: ignore. Run 201704 succeeded at 2017-04-28T16:00:00Z.\n' +
        '  → hippo job run etl/load --key 201704',
    ],
  ])('%s', (_, given, code, text) => {
    expect(renderOutcome(given)).toBe(text);
    expect(triggerVerdict(given)).toBe(code);
  });
});

test('while it waits: a paused job, and what resumes it', () => {
  const paused = { by: 'ann@desk', reason: null, since: '2017-04-28T15:55:46.000Z' };
  expect(renderExplanation({ type: 'job-paused', run: pausedRun('201704', paused) })).toBe(
    '! etl/load 201704 is ready, but its job is paused by ann@desk since\n' +
      '  2017-04-28T15:55:46Z\n' +
      '  → hippo job resume etl/load',
  );
});

describe('progress', () => {
  const events = (more: Partial<EventProgress>): string =>
    renderProgress({
      kind: 'events',
      total: 12,
      published: 5,
      done: 0,
      failed: 0,
      running: 0,
      waiting: 0,
      remaining: 7,
      left: null,
      ...more,
    });
  test.each([
    [
      events({ done: 3, failed: 1, running: 2, left: 240_000 }),
      '3 of 12 done, 1 failed, 2 running, 7 to publish, about 4 min left',
    ],
    [events({ done: 3, waiting: 2 }), '3 of 12 done, 2 waiting, 7 to publish'],
    [events({ left: 400 }), '5 of 12 published, about 1 s left'],
    [
      renderProgress({ kind: 'lines', published: 412_000, rate: 350_123.4, fraction: 0.419, left: 1_700 }),
      '412,000 events, 350,123/s, 41 %, about 2 s left',
    ],
    [renderProgress({ kind: 'lines', published: 3, rate: 1, fraction: null, left: null }), '3 events, 1/s'],
  ])('%s', (text, expected) => {
    expect(text).toBe(expected);
  });

  class Screen {
    text = '';
    isTTY: boolean;
    columns: number;
    constructor(isTTY: boolean, columns: number) {
      this.isTTY = isTTY;
      this.columns = columns;
    }
    write(piece: string): void {
      this.text += piece.replaceAll('\r\u001b[K', '⌫');
    }
  }

  test('is one line on a terminal, below all that is printed', () => {
    const screen = new Screen(true, 20);
    const line = new ProgressLine(screen, () => 0, {});
    line.show('1 of 3 done');
    line.show('1 of 3 done');
    line.above(() => screen.write('a run started\n'));
    line.show('2 of 3 done, about 4 min left');
    line.end();
    expect(screen.text).toBe('⌫1 of 3 done⌫a run started\n1 of 3 done⌫2 of 3 done, about…⌫');
  });

  test('fits a terminal that does not know how wide it is', () => {
    const screen = new Screen(true, 0);
    new ProgressLine(screen, () => 0, {}).show('1 of 3 done');
    expect(screen.text).toBe('⌫1 of 3 done');
  });

  test.each([{ CI: 'true' }, { TERM: 'dumb' }])('is a line now and then with %j', (env) => {
    expect(lines(new Screen(true, 80), env)).toBe('2\n4\n');
  });

  test('is a line now and then where there is no terminal', () => {
    expect(lines(new Screen(false, 80), {})).toBe('2\n4\n');
  });

  function lines(screen: Screen, env: NodeJS.ProcessEnv): string {
    let now = 0;
    const line = new ProgressLine(screen, () => now, env);
    for (const [at, text] of [
      [0, '1'],
      [10_000, '2'],
      [19_000, '3'],
      [20_000, '4'],
      [40_000, '4'],
    ] as const) {
      now = at;
      line.show(text);
    }
    line.end();
    return screen.text;
  }
});

describe('an event', () => {
  const event = planEvent(
    {
      kind: 'frontier',
      dialect: 'pairs',
      db: 'btd',
      table: 'party',
      method: 'partition',
      execDate: 1_493_394_946,
      partitions: [[{ name: 'yyyymm', value: '201703' }]],
      extra: {},
    },
    'frontier-adw',
    { id: ID, n: 3, total: 12 },
    { 'hippo-backfill-plan': '{}' },
  );

  test('that was published, alone and as one of several', () => {
    const place = { topic: 'frontier-adw', partition: 2, offset: '17', key: 'btd.party', traceparent: null };
    const published = { n: 3, table: 'btd.party', partition_path: 'yyyymm=201703', ...place };
    expect(renderPublished(published, null)).toBe(
      '✓ Published btd.party yyyymm=201703\n  topic frontier-adw, partition 2, offset 17',
    );
    expect(renderPublished(published, { total: 12 })).toBe(
      '✓  3/12 btd.party yyyymm=201703  frontier-adw 2:17',
    );
  });

  test('in a dry run: where it would go, with its message', () => {
    expect(dryRunText.event({ ...event, to: 2 })).toBe(
      `  3 btd.party yyyymm=201703 → partition 2, key btd.party
    hippo-backfill: ${ID}/3/12
    {"table":"party","partition":[{"name":"yyyymm","value":"201703"}],
    "db":"btd","method":"partition","exec_date":"1493394946"}
`,
    );
    expect(
      dryRunText.event({
        ...event,
        table: null,
        partition: '',
        to: null,
        record: { topic: 't', key: null, value: null },
      }),
    ).toBe('  3 a message → any partition, no key\n    no value\n');
  });

  test('in a dry run for programs: a line that --file reads', () => {
    const bytes = { key: Buffer.from([0xff]), value: null, headers: { h: Buffer.from([0x80]), t: 'text' } };
    const line = dryRunJson.event({ ...event, to: 2, record: { topic: 'frontier-adw', ...bytes } });
    expect(readLine(Buffer.from(line.trimEnd()))).toEqual({
      ok: true,
      input: {
        kind: 'envelope',
        topic: 'frontier-adw',
        key: bytes.key,
        value: null,
        headers: { h: Buffer.from([0x80]), t: Buffer.from('text') },
      },
    });
  });

  test('of a table that no job needs', () => {
    expect(renderUnknownTable({ table: 'btd.partyy', near: ['btd.party'] })).toBe(
      '! No hippo is known to need btd.partyy. Did you mean btd.party?',
    );
  });
});

test('events that a partition could not take are named, and make the exit code 3', () => {
  const first = { n: 17, table: 'btd.party', partition_path: 'yyyymm=201704' };
  const unpublished = { topic: 'frontier-adw', partition: 1, events: 3, first, reason: 'no leader' };
  expect(renderUnpublished(unpublished, false)).toBe(
    '✗ 3 events are not published to frontier-adw[1]; the first is event 17\n  (btd.party yyyymm=201704).',
  );
  const ofFile = { ...unpublished, events: 1, first: { n: 17, table: null, partition_path: null } };
  expect(renderUnpublished(ofFile, true)).toBe(
    '✗ 1 event is not published to frontier-adw[1]; it is line 17.',
  );
  expect(triggerVerdict(report({ unpublished: [unpublished] }))).toBe(3);
  expect(triggerVerdict(report({ unpublished: [unpublished], wait: wait('failed') }))).toBe(3);
  expect(triggerVerdict(report({ unpublished: [unpublished], stopped: 'interrupted' }))).toBe(130);
});

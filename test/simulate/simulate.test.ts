import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type SimulationReport, runSimulation } from '../../src/simulate/session.ts';
import { renderSimulation } from '../../src/ui/simulate.ts';
import { Recording } from './recording.ts';

const YAML = `name: etl
calendar: { timezone: Asia/Taipei, day_starts: "22:00" }
jobs:
  load:
    every: day
    needs:
      - table: btd.party
        partition: { yyyymm: "{{ window | minus: '1 month' | date: '%Y%m' }}" }
      - each: { region: [us, eu] }
        table: sales.orders
        partition: { day: "{{ window | date: '%Y%m%d' }}", region: "{{ region }}" }
      - any_of:
          - { job: dim/customers }
          - { table: dim.customers, partition: { day: "{{ window | date: '%Y%m%d' }}" } }
    args: [--day, "{{ window | date: '%Y-%m-%d' }}", --password, "\${PW:-hunter2}", "--note=it's  two spaces"]
    deadline: 2h
  mart:
    every: day
    needs: [{ job: etl/load }]
    run: [./mart.sh]
    timeout: 10m
    retries: { attempts: 1, backoff: 5m }
`;

const recording = (): Recording =>
  new Recording()
    .landing('btd.party', { yyyymm: '201703' }, '2017-04-27T15:00:00Z')
    .landing('sales.orders', { day: '20170428', region: 'us' }, '2017-04-27T16:00:00Z', 1)
    .landing('sales.orders', { day: '20170428', region: 'eu' }, '2017-04-27T17:00:00Z', 1)
    .add('frontier-adw', 1, '2017-04-27T17:00:01Z', '{"db":')
    .finish('dim', 'customers', '2017-04-28', '2017-04-27T18:00:00Z')
    // What really came of it is not what is simulated.
    .finish('etl', 'load', '2017-04-28', '2017-04-27T18:00:05Z', false)
    .landing('sales.orders', { day: '20170429', region: 'us' }, '2017-04-28T16:00:00Z', 1)
    .landing('web.clicks', { day: '20170429' }, '2017-04-28T16:30:00Z', 2)
    .request({ hippo_name: 'etl', job_name: 'mart', action: 'pause', by: 'ann' }, '2017-04-29T18:00:00Z')
    .add('hippo-start', 0, '2017-04-29T18:00:00Z', '{}')
    .request(
      { hippo_name: 'etl', job_name: 'load', run_key: '2017-04-30', by: 'ann', reason: 'late source' },
      '2017-04-29T18:10:00Z',
    );

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hippo-simulate-'));
  await writeFile(join(folder, 'hippo.yaml'), YAML);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function simulateLines(lines: readonly string[], jobDuration = 0): Promise<SimulationReport> {
  const source = join(folder, 'events.jsonl');
  await writeFile(source, lines.map((line) => `${line}\n`).join(''));
  return runSimulation({
    file: join(folder, 'hippo.yaml'),
    profile: undefined,
    source,
    listings: [],
    announced: [],
    from: undefined,
    to: undefined,
    jobDuration,
    signal: new AbortController().signal,
  });
}

test('the whole report of a recorded file', async () => {
  expect(renderSimulation(await simulateLines(recording().lines))).toBe(
    `etl with 11 records, 2017-04-27 23:00:00 to 2017-04-30 02:10:00 (Asia/Taipei)

Would fire (3)
  2017-04-28 02:00:00 ▶ load 2017-04-28
      ✓ btd.party yyyymm=201703 (frontier-adw 0:0)
      ✓ sales.orders{region=us} day=20170428/region=us (frontier-adw 1:0)
      ✓ sales.orders{region=eu} day=20170428/region=eu (frontier-adw 1:1)
      ✓ dim/customers (hippo-finish 0:0)
      $ ./start-spark.sh --day 2017-04-28 --password '***' \\
          '--note=it'\\''s  two spaces'
  2017-04-28 02:00:00 ▶ mart 2017-04-28
      ✓ etl/load (simulated)
      $ ./mart.sh
  2017-04-30 02:10:00 ▶ load 2017-04-30
      ✓ btd.party yyyymm=201703 (frontier-adw 0:0)
      ! asked for by ann: late source
      $ ./start-spark.sh --day 2017-04-30 --password '***' \\
          '--note=it'\\''s  two spaces'

Still waiting (2)
  … load 2017-04-29 since 2017-04-29 00:00:00
      ✓ btd.party yyyymm=201703 (frontier-adw 0:0)
      ✓ sales.orders{region=us} day=20170429/region=us (frontier-adw 1:3)
      ✗ sales.orders{region=eu} day=20170429/region=eu
      ✗ 1 of dim/customers 2017-04-29, dim.customers day=20170429
  … mart 2017-04-30 since 2017-04-30 02:10:00
      ✓ etl/load (simulated)
      · ready; its job is paused

Notices (1)
  2017-04-30 00:00:00 ✗ load 2017-04-29 has missed its deadline: it is waiting
      for sales.orders{region=eu} and 1 of dim/customers, dim.customers

Rejected (1)
  1 × is not JSON: Unexpected end of JSON input, first frontier-adw 1:2

3 runs would fire. 2 runs would wait.`,
  );
});

test('the whole report, for programs', async () => {
  const { fired, waiting, input } = await simulateLines(recording().lines);
  expect(fired[0]).toEqual({
    at: '2017-04-27T18:00:00.000Z',
    job: 'load',
    run_key: '2017-04-28',
    job_id: 'load_1493316000',
    attempt: 1,
    window: { start: '2017-04-27T14:00:00.000Z', end: '2017-04-28T14:00:00.000Z' },
    argv: ['./start-spark.sh', '--day', '2017-04-28', '--password', '***', "--note=it's  two spaces"],
    manual: null,
    inputs: [
      {
        need: 'btd.party',
        topic: 'frontier-adw',
        partition: 0,
        offset: '0',
        values: { yyyymm: '201703' },
      },
      {
        need: 'sales.orders{region=us}',
        topic: 'frontier-adw',
        partition: 1,
        offset: '0',
        values: { day: '20170428', region: 'us' },
      },
      {
        need: 'sales.orders{region=eu}',
        topic: 'frontier-adw',
        partition: 1,
        offset: '1',
        values: { day: '20170428', region: 'eu' },
      },
      { need: 'dim/customers', topic: 'hippo-finish', partition: 0, offset: '0', values: {} },
    ],
    outcome: 'succeeded',
    ended_at: '2017-04-27T18:00:00.000Z',
  });
  expect(fired[1]?.inputs).toEqual([
    { need: 'etl/load', topic: 'hippo-finish', partition: null, offset: null, values: {} },
  ]);
  expect(waiting[0]?.missing).toEqual([
    { atLeast: 1, needs: [{ need: 'sales.orders{region=eu}', expected: 'day=20170429/region=eu' }] },
    {
      atLeast: 1,
      needs: [
        { need: 'dim/customers', expected: '2017-04-29' },
        { need: 'dim.customers', expected: 'day=20170429' },
      ],
    },
  ]);
  expect(input).toEqual({
    records: 11,
    from: '2017-04-27T15:00:00.000Z',
    to: '2017-04-29T18:10:00.000Z',
    elsewhere: { 'hippo-start': 1 },
    unneeded: { 'web.clicks': 1 },
    own_finishes: 1,
    own_events: 0,
    rejected: [
      {
        reason: 'is not JSON: Unexpected end of JSON input',
        field: null,
        count: 1,
        first: { topic: 'frontier-adw', partition: 1, offset: '2' },
      },
    ],
  });
});

test('jobs that take their time: a timeout ends an attempt, and the next one comes after its pause', async () => {
  const { fired } = await simulateLines(recording().lines, 15 * 60_000);
  expect(
    fired.map(({ job, run_key: key, attempt, at, ended_at: end, outcome }) =>
      [job, key, attempt, at.slice(11, 16), end.slice(11, 16), outcome].join(' '),
    ),
  ).toEqual([
    'load 2017-04-28 1 18:00 18:15 succeeded',
    'mart 2017-04-28 1 18:15 18:25 cancelled',
    'mart 2017-04-28 2 18:30 18:40 cancelled',
    'load 2017-04-30 1 18:10 18:25 succeeded',
  ]);
});

test('within a partition offsets decide, even where clocks disagree', async () => {
  const lines = new Recording()
    .request({ hippo_name: 'etl', job_name: 'load', action: 'pause' }, '2017-04-29T18:00:00Z')
    .request({ hippo_name: 'etl', job_name: 'load', action: 'resume' }, '2017-04-29T17:00:00Z').lines;
  expect((await simulateLines(lines.toReversed())).notices).toEqual([]);
});

describe('when nothing fires', () => {
  test.each([
    { what: 'no records', lines: [], text: 'Nothing would fire. There are no records.' },
    {
      what: 'other tables and topics',
      lines: new Recording()
        .landing('btd.parties', { yyyymm: '201703' }, '2017-04-27T15:00:00Z')
        .landing('btd.parties', { yyyymm: '201704' }, '2017-04-27T16:00:00Z')
        .add('uat-frontier-adw', 0, '2017-04-27T17:00:00Z', '{}').lines,
      text: `Nothing would fire. The jobs of etl need btd.party, sales.orders{region=us},
sales.orders{region=eu}, dim/customers, dim.customers, etl/load. The records
tell of btd.parties (2). Not read by its client: uat-frontier-adw (1).`,
    },
    {
      what: 'a need is missing',
      lines: new Recording().landing('dim.customers', { day: '20170428' }, '2017-04-27T15:00:00Z').lines,
      text: 'Nothing would fire. 1 run would wait.',
    },
  ])('$what: it says so', async ({ lines, text }) => {
    const report = renderSimulation(await simulateLines(lines));
    expect(report.slice(report.indexOf('Nothing'))).toBe(text);
  });
});

describe('a line that is not a record is refused, with its number', () => {
  test.each([
    { line: '{"table":"party","db":"btd"}' },
    { line: 'no json' },
    { line: '{"topic":"t","partition":0,"offset":-12,"timestamp":0,"value":""}' },
    { line: '{"topic":"t","partition":0,"offset":"1","value":""}' },
    { line: '{"topic":"t","partition":0,"offset":"1","timestamp":0,"value":7}' },
  ])('$line', async ({ line }) => {
    await expect(simulateLines([...recording().lines.slice(0, 2), '', line])).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/^line 4: ("[a-z]+" must be|it must be)/) as string,
      place: { line: 4 },
      next: [expect.stringContaining('hippo tail')],
    });
  });

  test('a separator that JSON may hold ends no line', async () => {
    const text = 'a\u2028b\rc';
    const lines = new Recording().landing(`btd.${text}`, {}, '2017-04-27T15:00:00Z').lines;
    expect((await simulateLines(lines)).input).toMatchObject({ records: 1 });
  });
});

test('an attempt that cannot be started, and a run that is marked as done, are said', async () => {
  await writeFile(
    join(folder, 'hippo.yaml'),
    'name: etl\njobs: { load: { needs: [{ table: a.b }], args: ["{{ partition.nothing }}"] } }',
  );
  const { fired, notices } = await simulateLines(
    new Recording()
      .landing('a.b', { day: '1' }, '2017-04-27T15:00:00Z')
      .request(
        { hippo_name: 'etl', job_name: 'load', action: 'mark_success', run_key: 'day=2' },
        '2017-04-27T16:00:00Z',
      ).lines,
  );
  expect(fired).toEqual([]);
  expect(notices).toMatchObject([
    {
      level: 'error',
      run_key: 'day=1',
      text: expect.stringContaining('fails before it starts: argument 1') as string,
    },
    { level: 'info', run_key: 'day=2', text: 'is marked as done' },
  ]);
});

describe('a chain through tables inside the project', () => {
  const CHAIN = `name: etl
jobs:
  load:
    every: day
    needs: [{ table: btd.party, partition: { dt: "{{ window }}" } }]
    produces:
      - { table: dm.party, partition: { yyyymmdd: "{{ window | date: '%Y%m%d' }}" } }
      - { table: dm.model, partition: { version: "{{ result.version }}" } }
    run: ./load.sh
  mart:
    every: day
    needs: [{ table: dm.party, partition: { yyyymmdd: "{{ window | date: '%Y%m%d' }}" } }]
    run: ./mart.sh
`;
  beforeEach(() => writeFile(join(folder, 'hippo.yaml'), CHAIN));

  test('is followed: what a job produces starts the job that needs it', async () => {
    const { lines } = new Recording()
      .landing('btd.party', { dt: '2017-04-28' }, '2017-04-28T12:00:00Z')
      // What it really produced is produced by the simulation, too.
      .add('frontier-adw', 0, '2017-04-28T12:05:00Z', {
        table: 'party',
        partition: [{ name: 'yyyymmdd', value: '20170428' }],
        db: 'dm',
        method: 'partition',
        exec_date: String(Date.parse('2017-04-28T12:05:00Z') / 1000),
        produced_by: { hippo_name: 'etl', job_name: 'load', job_id: 'load_1' },
      });
    const report = await simulateLines(lines, 60_000);
    expect(report.fired.map(({ job, run_key: key, inputs }) => [job, key, inputs[0]?.offset])).toEqual([
      ['load', '2017-04-28', '0'],
      ['mart', '2017-04-28', null],
    ]);
    expect(report.produced).toEqual([
      {
        ...{ at: '2017-04-28T12:01:00.000Z', job: 'load', run_key: '2017-04-28', job_id: 'load_1493380800' },
        ...{ table: 'dm.model', partition: null, exec_date: null },
      },
      {
        ...{ at: '2017-04-28T12:01:00.000Z', job: 'load', run_key: '2017-04-28', job_id: 'load_1493380800' },
        ...{ table: 'dm.party', partition: 'yyyymmdd=20170428', exec_date: 1493380860 },
      },
    ]);
    expect(report.input).toMatchObject({ own_events: 1 });
    const text = renderSimulation(report);
    expect(text).toContain(
      [
        'Would produce (2)',
        "  2017-04-28 12:01:00 ▸ load 2017-04-28: dm.model, whose partition the job's",
        '      result tells',
        '  2017-04-28 12:01:00 ▸ load 2017-04-28: dm.party yyyymmdd=20170428',
      ].join('\n'),
    );
    expect(text).toContain('2 events would be published. 2 runs would fire.');
  });
});

test('dead letters alert where hippo.yaml has alerts, until no record was rejected for a while', async () => {
  await writeFile(join(folder, 'hippo.yaml'), `${YAML}alerts: { dead_letters: { quiet: 2h } }\n`);
  const report = await simulateLines(recording().add('frontier-adw', 1, '2017-04-27T17:30:00Z', '[]').lines);
  expect(report.alerts.filter(({ condition }) => condition === 'dead-letters')).toMatchObject([
    {
      subject: 'frontier-adw',
      raised_at: '2017-04-27T17:00:01.000Z',
      resolved_at: '2017-04-27T19:30:00.000Z',
      text: expect.stringContaining('a record of frontier-adw was rejected') as string,
      over: 'no record of frontier-adw has been rejected for 2 h; 2 were before',
    },
  ]);
});

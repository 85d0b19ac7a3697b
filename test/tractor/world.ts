import { RecordSet } from '../../src/core/record-ref.ts';
import type { RunState } from '../../src/state/index.ts';
import type { GroupInfo } from '../../src/kafka/port.ts';
import type { FrontierEvent, JobFinish, ManualRequest, ServiceHealth } from '../../src/messages/index.ts';
import type { Found, HippoGroup, KnownRun, Snapshot } from '../../src/observe/index.ts';

/** Snapshots for tests: noon of a day, and helpers that say only what matters. */
export const NOON = Date.UTC(2026, 10, 24, 12);
export const minutes = (count: number): number => count * 60_000;
export const hours = (count: number): number => count * 3_600_000;

export function world(parts: Partial<Snapshot> = {}): Snapshot {
  return {
    now: NOON,
    since: NOON - hours(48),
    runs: [],
    succeeded: new Set(),
    withRuns: new Set(parts.runs?.map(({ hippo }) => hippo)),
    paused: [],
    landed: new RecordSet(),
    events: [],
    starts: [],
    finishes: [],
    requests: [],
    jobs: new Map(),
    forgotten: new Map(),
    health: new Map(),
    groups: [],
    unreadable: 0,
    ...parts,
  };
}

export function run(hippo: string, job: string, key: string, state: Partial<RunState> = {}): KnownRun {
  return {
    hippo,
    run: {
      job,
      key,
      status: 'failed',
      jobId: `${job}_1`,
      attempt: 1,
      failures: 1,
      attemptId: 'a',
      inputs: {},
      relanded: {},
      firstInputAt: NOON - hours(5),
      startedAt: NOON - hours(4),
      attemptAt: null,
      finishedAt: NOON - hours(3),
      notBefore: null,
      deadlineMissed: false,
      ...state,
    },
  };
}

export function group(
  hippo: string,
  state: GroupInfo['state'],
  read: Record<number, string> = {},
): HippoGroup {
  const members = state === 'Stable' ? [{ memberId: 'm', clientId: 'hippo', clientHost: '/10.0.0.4' }] : [];
  return {
    hippo,
    info: { group: `hippo.${hippo}`, state, members },
    read: new Map([
      [
        'frontier-adw',
        new Map(Object.entries(read).map(([partition, next]) => [Number(partition), BigInt(next)])),
      ],
    ]),
  };
}

let offset = 0;
function found<Message>(topic: string, message: Message, at: number): Found<Message> {
  return { message, at, ref: { topic, partition: 0, offset: String((offset += 1)) } };
}

export function landing(
  table: string,
  partition: Record<string, string>,
  at: number,
  offset = '7',
): Found<FrontierEvent> {
  const [db = '', name = ''] = table.split('.');
  return {
    at,
    ref: { topic: 'frontier-adw', partition: 1, offset },
    message: {
      kind: 'frontier',
      dialect: 'pairs',
      db,
      table: name,
      partitions: [Object.entries(partition).map(([level, value]) => ({ name: level, value }))],
      method: 'partition',
      execDate: Math.floor(at / 1000),
      extra: {},
    },
  };
}

export function finish(
  hippo: string,
  job: string,
  runKey: string | undefined,
  success: boolean,
  at: number,
  more: Partial<JobFinish> = {},
): Found<JobFinish> {
  return found(
    'hippo-finish',
    {
      kind: 'finish',
      hippoName: hippo,
      jobName: job,
      jobId: `${job}_1`,
      isSuccess: success,
      finishTime: Math.floor(at / 1000),
      durationTime: 50,
      ...(runKey !== undefined && { runKey }),
      extra: {},
      ...more,
    },
    at,
  );
}

export function request(
  hippo: string,
  job: string,
  runKey: string,
  action: ManualRequest['action'],
  at: number,
): Found<ManualRequest> {
  return found(
    'hippo-schedule',
    { kind: 'schedule', hippoName: hippo, jobName: job, action, runKey, by: 'ann@desk', extra: {} },
    at,
  );
}

export function sign(hippo: string, at: number, path: string): [string, Found<ServiceHealth>] {
  return [
    hippo,
    found(
      'service-health',
      {
        kind: 'health',
        clientIp: '10.0.0.4',
        path,
        serviceName: hippo,
        monitorPid: 1,
        servicePid: 2,
        execTime: at,
        isSuccess: 1,
        errorMsg: '',
        coordAddress: '',
        interval: 30_000,
        user: 'etl',
        extra: {},
      },
      at,
    ),
  ];
}

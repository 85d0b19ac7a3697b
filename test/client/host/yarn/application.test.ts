import { describe, expect, it } from 'vitest';
import {
  hasLostSight,
  readApplication,
  statusOf,
  submittedIn,
} from '../../../../src/client/host/yarn/application.ts';

describe('statusOf', () => {
  it.each([
    ['NEW', 'UNDEFINED', 'alive'],
    ['NEW_SAVING', 'UNDEFINED', 'alive'],
    ['SUBMITTED', 'UNDEFINED', 'alive'],
    ['ACCEPTED', 'UNDEFINED', 'alive'],
    ['RUNNING', 'UNDEFINED', 'alive'],
    ['A_STATE_TO_COME', 'SUCCEEDED', 'alive'],
    ['FINISHED', 'SUCCEEDED', 'succeeded'],
    ['FINISHED', 'FAILED', 'failed'],
    ['FINISHED', 'KILLED', 'killed'],
    ['FINISHED', 'UNDEFINED', 'failed'],
    ['FINISHED', '', 'failed'],
    ['FAILED', 'FAILED', 'failed'],
    ['FAILED', 'SUCCEEDED', 'failed'],
    ['KILLED', 'KILLED', 'killed'],
  ] as const)('%s with final status %s: %s', (state, finalStatus, status) => {
    expect(statusOf(state, finalStatus)).toBe(status);
  });
});

describe('readApplication', () => {
  const report = {
    id: 'application_1476912658570_0002',
    user: 'etl',
    name: 'flights.summarize',
    state: 'FINISHED',
    finalStatus: 'FAILED',
    diagnostics: 'User class threw exception:\n\tjava.lang.Error: \u001b[31mno\u001b[0m',
    applicationTags: 'hippo-run-1, hippo-attempt-2',
    applicationType: 'SPARK',
  };

  it('says how it is about the application, in one line', () => {
    expect(readApplication(report)).toEqual({
      id: 'application_1476912658570_0002',
      status: 'failed',
      report: 'FINISHED with final status FAILED: User class threw exception: java.lang.Error: [31mno [0m',
      tags: ['hippo-run-1', 'hippo-attempt-2'],
    });
  });

  it('does without diagnostics and tags', () => {
    const running = { id: report.id, state: 'RUNNING', finalStatus: 'UNDEFINED' };
    expect(readApplication(running)).toMatchObject({ status: 'alive', report: 'RUNNING', tags: [] });
  });

  it('cuts what goes on and on', () => {
    const { report: text } = readApplication({ ...report, diagnostics: 'x'.repeat(10_000) }) ?? {
      report: '',
    };
    expect(text.length).toBeLessThan(600);
  });

  it.each([null, 'text', [], {}, { ...report, id: 'application_1/../2' }, { ...report, state: 7 }])(
    'takes nothing else for one: %j',
    (value) => {
      expect(readApplication(value)).toBeNull();
    },
  );
});

describe('submittedIn', () => {
  it.each([
    ['26/01/31 12:00:00 INFO YarnClientImpl: Submitted application application_1476912658570_0002', 1],
    ['… Submitted application application_1476912658570_0002\r', 1],
    ['{"level":"INFO","msg":"Submitted application application_1476912658570_0002","logger":"…"}', 1],
    [
      '26/01/31 12:00:00 INFO Client: Submitting application application_1476912658570_0002 to ResourceManager',
      0,
    ],
    ['Submitted application application_1476912658570_0002 by somebody else', 0],
    ['Resubmitted application application_1476912658570_0002', 0],
    ['Submitted application application_1476912658570_0002$(reboot)', 0],
    ['Submitted application application_x', 0],
  ])('%s: %i', (line, count) => {
    const found = Array.from({ length: count }, () => 'application_1476912658570_0002');
    expect(submittedIn(`before\n${line}\nafter`)).toEqual(found);
  });

  it('names each once', () => {
    const line = (number: number) => `Submitted application application_1_${number}\n`;
    expect(submittedIn(line(1) + line(2) + line(1))).toEqual(['application_1_1', 'application_1_2']);
  });
});

it('a spark-submit says when it has lost sight of its application', () => {
  expect(hasLostSight('ERROR Client: Failed to contact YARN for application application_1_2.')).toBe(true);
  expect(hasLostSight('SparkException: Application application_1_2 finished with failed status')).toBe(false);
});

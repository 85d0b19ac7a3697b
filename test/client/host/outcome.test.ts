import { describe, expect, it } from 'vitest';
import {
  type ProgramEnd,
  outcomeOfProgram,
  outcomeOnYarn,
  withResult,
} from '../../../src/client/host/outcome.ts';
import type { Application, ApplicationStatus } from '../../../src/client/host/yarn/application.ts';

const end = (exitCode: number | null, signal: string | null = null): ProgramEnd => ({
  ...{ program: './start-spark.sh', exitCode, signal, tail: '' },
});
const application = (status: ApplicationStatus, number = 1): Application => ({
  ...{ id: `application_1_${number}`, status, report: status.toUpperCase(), tags: [] },
});

describe('a program', () => {
  it.each([
    [end(0), { status: 'succeeded' }],
    [end(1), { status: 'failed', exitCode: 1, error: './start-spark.sh ended with exit code 1' }],
    [end(143), { status: 'failed', exitCode: 143, error: './start-spark.sh ended with exit code 143' }],
    [
      end(null, 'SIGSEGV'),
      {
        status: 'failed',
        exitCode: null,
        signal: 'SIGSEGV',
        error: './start-spark.sh ended with signal SIGSEGV',
      },
    ],
    [
      { ...end(1), tail: 'boom\nbang' },
      { status: 'failed', exitCode: 1, error: './start-spark.sh ended with exit code 1\nboom\nbang' },
    ],
  ])('%j', (given, outcome) => expect(outcomeOfProgram(given)).toEqual(outcome));
});

describe("on YARN: spark-submit's end, the applications' ends, whether it had lost sight of them", () => {
  it.each<[ProgramEnd | null, ApplicationStatus[], boolean, 'succeeded' | RegExp]>([
    [end(0), ['succeeded'], false, 'succeeded'],
    [end(0), ['succeeded', 'succeeded'], false, 'succeeded'],
    [end(1), ['succeeded'], true, 'succeeded'],
    [end(137), ['succeeded'], false, 'succeeded'],
    [end(null, 'SIGKILL'), ['succeeded'], false, 'succeeded'],
    [null, ['succeeded'], false, 'succeeded'],
    [
      end(1),
      ['succeeded'],
      false,
      /^application_1_1 succeeded, but \.\/start-spark\.sh ended with exit code 1$/,
    ],
    [
      end(0),
      ['failed'],
      false,
      /^application_1_1: FAILED \(its log: yarn logs -applicationId application_1_1\)$/,
    ],
    [end(0), ['killed'], false, /^application_1_1: KILLED/],
    [end(0), ['gone'], false, /^application_1_1: GONE/],
    [null, ['failed'], false, /^application_1_1: FAILED/],
    [end(0), ['succeeded', 'failed'], false, /^application_1_2: FAILED/],
    [end(0), [], false, /^\.\/start-spark\.sh ended with exit code 0, but no application carries its tags/],
    [end(3), [], false, /^\.\/start-spark\.sh ended with exit code 3$/],
    [end(1), [], true, /^\.\/start-spark\.sh ended with exit code 1$/],
  ])('%j %j %s: %s', (given, statuses, lostSight, expected) => {
    const applications = statuses.map((status, index) => application(status, index + 1));
    const outcome = outcomeOnYarn(given, applications, lostSight);
    if (expected === 'succeeded') expect(outcome).toEqual({ status: 'succeeded' });
    else
      expect(outcome).toMatchObject({ status: 'failed', error: expect.stringMatching(expected) as string });
  });
});

describe('withResult', () => {
  const success = { status: 'succeeded' } as const;
  it('adds a result to a success, and to nothing else', () => {
    const written = { ok: true, result: { rows: 3 } } as const;
    const failure = { status: 'failed', exitCode: 1, error: 'boom' } as const;
    expect(withResult(success, written, true)).toEqual({ status: 'succeeded', result: { rows: 3 } });
    expect(withResult(failure, written, true)).toEqual(failure);
  });

  it('makes a failure of a success whose result cannot be used, or is required and missing', () => {
    expect(withResult(success, { ok: false, why: 'it is not a JSON object' }, false)).toMatchObject({
      status: 'failed',
    });
    expect(withResult(success, { ok: true, result: null }, true)).toMatchObject({
      status: 'failed',
      exitCode: 0,
    });
    expect(withResult(success, { ok: true, result: null }, false)).toEqual(success);
  });
});

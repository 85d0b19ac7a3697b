import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ServiceError } from '../../src/core/errors.ts';
import { type Check, type Diagnosis, ok, skipped, warning, worst } from '../../src/doctor/check.ts';
import { chooseChecks } from '../../src/doctor/choose.ts';
import { diagnose } from '../../src/doctor/runner.ts';
import { newMachine } from './machine.ts';

function check(id: string, run: Check['run'], timeLimit?: number): Check {
  return { id, title: id, category: 'tools', about: id, run, ...(timeLimit !== undefined && { timeLimit }) };
}

const fine = (summary: string): Diagnosis => ({ summary, findings: [ok(summary)] });

test('checks start at once and are reported in their order', async () => {
  await using machine = await newMachine();
  const gate = Promise.withResolvers<undefined>();
  const events: string[] = [];
  const report = await diagnose(
    [
      check('slow', async () => {
        events.push('slow starts');
        await gate.promise;
        return fine('late');
      }),
      check('quick', async () => {
        events.push('quick starts');
        gate.resolve(undefined);
        return Promise.resolve(fine('early'));
      }),
    ],
    await machine.environment(),
    ({ id }) => events.push(`${id} reported`),
  );
  expect(events).toEqual(['slow starts', 'quick starts', 'slow reported', 'quick reported']);
  expect(report.totals).toEqual({ ok: 2, warning: 0, unknown: 0, error: 0, skipped: 0 });
});

test('what a check throws is its finding, and the others go on', async () => {
  await using machine = await newMachine();
  const { checks, totals } = await diagnose(
    [
      check('known', () =>
        Promise.reject(new ServiceError('no broker answers', { why: 'tried h:1.', next: ['hippo up'] })),
      ),
      check('synchronous', () => {
        throw new TypeError('x is not a function');
      }),
      check('well', () => Promise.resolve(fine('well'))),
    ],
    await machine.environment(),
  );
  expect(checks.map(({ id, status, findings }) => ({ id, status, findings }))).toEqual([
    {
      id: 'known',
      status: 'error',
      findings: [
        { status: 'error', text: 'No broker answers. Tried h:1', remedy: { commands: ['hippo up'] } },
      ],
    },
    {
      id: 'synchronous',
      status: 'error',
      findings: [{ status: 'error', text: 'The check itself failed: x is not a function' }],
    },
    { id: 'well', status: 'ok', findings: [{ status: 'ok', text: 'well' }] },
  ]);
  expect(totals).toEqual({ ok: 1, warning: 0, unknown: 0, error: 2, skipped: 0 });
});

test('a check that does not end is given up, and told so; it is unknown, not an error', async () => {
  await using machine = await newMachine();
  let told = false;
  const { checks, totals } = await diagnose(
    [
      check(
        'stuck',
        async (_, signal) => {
          await sleep(60_000, undefined, { signal }).catch(() => (told = true));
          return fine('never');
        },
        30,
      ),
    ],
    await machine.environment(),
  );
  expect(checks[0]?.findings).toEqual([
    {
      status: 'unknown',
      text: 'This check had no answer within 30 ms: this machine may be overloaded',
      remedy: { commands: [], text: 'Repeat the check when the machine has less to do.' },
    },
  ]);
  expect(totals).toMatchObject({ unknown: 1, error: 0 });
  await sleep(1);
  expect(told).toBe(true);
});

test.each([
  { findings: [], status: 'ok' },
  { findings: [ok('a')], status: 'ok' },
  { findings: skipped('s').findings, status: 'skipped' },
  { findings: [...skipped('s').findings, ok('a')], status: 'ok' },
  { findings: [ok('a'), warning('w')], status: 'warning' },
])('the status of a check is that of its worst finding: $status', ({ findings, status }) => {
  expect(worst(findings)).toBe(status);
});

test('only the named checks run, by id or by title, in their own order; an unknown name is refused', () => {
  const all = ['node', 'kafka', 'group'].map((id) => ({ id, title: id === 'group' ? 'Client' : id }));
  expect(chooseChecks(all, [])).toEqual(all);
  expect(chooseChecks(all, ['group', 'node', 'group']).map(({ id }) => id)).toEqual(['node', 'group']);
  expect(chooseChecks(all, ['client']).map(({ id }) => id)).toEqual(['group']);
  expect(() => chooseChecks(all, ['kafk'])).toThrow(
    expect.objectContaining({
      message: 'there is no check named "kafk"',
      exitCode: 2,
      why: 'Did you mean kafka?',
    }),
  );
});

import { expect, test } from 'vitest';
import type { CheckReport, DoctorReport } from '../../src/doctor/runner.ts';
import { renderCheck, renderCheckList, renderTotals } from '../../src/ui/doctor.ts';

function report(checks: Partial<CheckReport>[]): DoctorReport {
  const whole = checks.map((check): CheckReport => ({
    id: 'x',
    title: 'X',
    category: 'tools',
    status: 'ok',
    summary: '',
    findings: [],
    took: 1,
    ...check,
  }));
  const totals = { ok: 0, warning: 0, unknown: 0, error: 0, skipped: 0 };
  for (const { status } of whole) totals[status] += 1;
  return { hippo: 'etl', file: '/p/hippo.yaml', checks: whole, totals };
}

/** The whole report, as the command prints it. */
const renderDoctor = (all: DoctorReport): string =>
  [...all.checks.map(renderCheck), '', renderTotals(all)].join('\n');

test('a whole report: marks, findings, remedies as commands, and a last line that counts', () => {
  const text = renderDoctor(
    report([
      { title: 'Node', summary: '24.21.0', findings: [{ status: 'ok', text: '/usr/bin/node' }] },
      {
        title: 'Spark',
        status: 'warning',
        summary: 'not found',
        findings: [
          {
            status: 'warning',
            text: "No Spark: no SPARK_HOME, no spark-submit on PATH, none in hippo's cache",
            remedy: { commands: ['hippo up'], text: 'The local stack fetches one:' },
          },
        ],
      },
      {
        title: 'Kafka',
        status: 'error',
        summary: 'failed',
        findings: [
          {
            status: 'error',
            text: 'no Kafka broker answers within 5 s: tried kafka-1.example.com:9092 and kafka-2.example.com:9092',
            remedy: { commands: ['hippo up', 'hippo config'] },
          },
        ],
      },
      {
        title: 'Topics',
        status: 'skipped',
        summary: 'skipped',
        findings: [{ status: 'skipped', text: 'Kafka cannot be reached: see above' }],
      },
    ]),
  );
  expect(text).toBe(`\
[✓] Node (24.21.0)
    ✓ /usr/bin/node
[!] Spark (not found)
    ! No Spark: no SPARK_HOME, no spark-submit on PATH, none in hippo's cache
      The local stack fetches one:
      → hippo up
[✗] Kafka (failed)
    ✗ no Kafka broker answers within 5 s: tried kafka-1.example.com:9092 and
      kafka-2.example.com:9092
      → hippo up
      → hippo config
[-] Topics (skipped)
    - Kafka cannot be reached: see above

✗ Issues in 2 of 3 checks: 1 error, 1 warning (1 skipped).`);
});

test.each([
  [[{}, {}], '✓ No issues found in 2 checks.'],
  [[{}], '✓ No issues found in 1 check.'],
  [[{}, { status: 'skipped' as const }], '✓ No issues found in 1 check (1 skipped).'],
  [[{ status: 'warning' as const }, {}], '! Issues in 1 of 2 checks: 1 warning.'],
  [[{ status: 'unknown' as const }, {}], '! Issues in 1 of 2 checks: 1 unknown.'],
  [[{ status: 'error' as const }, { status: 'error' as const }], '✗ Issues in 2 of 2 checks: 2 errors.'],
])('the last line', (checks, line) => {
  expect(renderTotals(report(checks))).toBe(line);
});

test('the list of checks is aligned', () => {
  expect(
    renderCheckList([
      { id: 'node', about: 'the Node' },
      { id: 'spark-submit', about: 'the Spark' },
    ]),
  ).toBe('node          the Node\nspark-submit  the Spark');
});

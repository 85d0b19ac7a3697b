import { expect, it } from 'vitest';
import type { ListedAlert } from '../../src/alerts/list.ts';
import { renderAlerts, renderAlertsTest, testVerdict } from '../../src/ui/alerts.ts';

const NOW = Date.UTC(2026, 5, 12, 10);
const ALERT: ListedAlert = {
  condition: 'failed',
  ...{ id: 'etl/alert/x', hippo: 'etl', subject: 'load', run_key: '2017-04-28' },
  ...{ since: '2026-06-12T08:00:00.000Z', text: 'load 2017-04-28 has failed: exit code 3' },
  ...{ next: ['hippo job run etl/load --key 2017-04-28'], delivered: ['oncall'] },
};

it('open alerts are listed with what to type', () => {
  const alerts = [ALERT];
  expect(renderAlerts({ hippo: 'etl', configured: true, alerts }, NOW).split('\n')).toEqual([
    '▲ failed  etl/load 2017-04-28',
    '  load 2017-04-28 has failed: exit code 3',
    '  since 2026-06-12T08:00:00Z (2 h), told to oncall',
    '  → hippo job run etl/load --key 2017-04-28',
    '',
    '1 open alert',
  ]);
});

it.each([
  [{ hippo: 'etl', configured: true, alerts: [] }, 'etl has no open alert'],
  [{ hippo: null, configured: null, alerts: [] }, 'no hippo has an open alert'],
  [
    { hippo: 'etl', configured: false, alerts: [] },
    'etl has no open alert\n! hippo.yaml has no `alerts`, so nothing is alerted',
  ],
])('that none is open is said plainly', (list, text) => {
  expect(renderAlerts(list, NOW)).toBe(text);
});

it.each([
  ['taken', '✓ ops (h) has taken it after 20 ms: 200', 0],
  [
    'refused',
    '✗ ops (h) refuses it after 20 ms: 200\n  → check url and credentials of alerts.receivers.ops in hippo.yaml',
    1,
  ],
  ['busy', '✗ ops (h) takes no more for now after 20 ms: 200', 1],
  [
    'failed',
    '✗ sending to ops (h) failed after 20 ms: 200\n  → check url and credentials of alerts.receivers.ops in hippo.yaml',
    3,
  ],
] as const)('a receiver that has %s a test', (outcome, line, code) => {
  const test = {
    hippo: 'etl',
    receivers: [{ name: 'ops', kind: 'slack', place: 'h', outcome, answer: '200', took_ms: 20 } as const],
  };
  expect(renderAlertsTest(test)).toBe(line);
  expect(testVerdict(test)).toBe(code);
});

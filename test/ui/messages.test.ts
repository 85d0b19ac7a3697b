import { expect, test } from 'vitest';
import type { Alert } from '../../src/messages/index.ts';
import { describeMessage } from '../../src/ui/messages.ts';

const ALERT: Alert = {
  kind: 'alert',
  alertId: 'etl/load/failed/201704/1',
  state: 'firing',
  condition: 'failed',
  hippoName: 'etl',
  subject: 'load',
  since: 1_493_394_946,
  time: 1_493_402_146,
  text: 'load 201704 has failed: exit code 3',
  extra: {},
};

test('an alert is told as one, and not as if the hippo had failed', () => {
  expect(describeMessage(ALERT)).toBe('▲ alert failed of etl: load 201704 has failed: exit code 3');
  expect(describeMessage({ ...ALERT, state: 'resolved', text: 'load 201704 has succeeded' })).toBe(
    '✓ alert failed of etl, over after 2 h: load 201704 has succeeded',
  );
});

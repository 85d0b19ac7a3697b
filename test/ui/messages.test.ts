import { expect, test } from 'vitest';
import type { Alert, ModelMessage, NewModel } from '../../src/messages/index.ts';
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

const SERVING = { version: '20261127T000000Z-aaaaaa', metrics: { accuracy: 0.97 } };
const BUILT: NewModel = {
  kind: 'model',
  message: 'NEW_MODEL',
  model: 'iris',
  version: '20261128T234539Z-d2680d',
  promoted: true,
  hippoName: 'flowers',
  location: 'file:///m/iris',
  metrics: { accuracy: 0.966_666_7, f1: 0.95 },
  parent: null,
  serving: SERVING,
  time: 1_795_909_539,
  extra: {},
};
const ANN = { kind: 'model', model: 'iris', by: 'ann@desk', reason: 'new labels', extra: {} } as const;

test.each<[string, ModelMessage]>([
  ['◆ NEW_MODEL iris promoted 20261128T234539Z-d2680d accuracy 0.9667 f1 0.95', BUILT],
  [
    '◆ NEW_MODEL iris not promoted: accuracy 0.91, serving 0.97 (20261128T234539Z-d2680d)',
    { ...BUILT, promoted: false, metrics: { accuracy: 0.91 } },
  ],
  [
    '◆ NEW_MODEL iris not promoted (20261128T234539Z-d2680d)',
    { ...BUILT, promoted: false, metrics: {}, serving: null },
  ],
  [
    '◆ BUILD_MODEL iris reg_param=0.1 by ann@desk: new labels',
    { ...ANN, message: 'BUILD_MODEL', params: { reg_param: 0.1 } },
  ],
  [
    '◆ PROMOTE_MODEL iris 20261127T000000Z-aaaaaa by ann@desk: new labels',
    { ...ANN, message: 'PROMOTE_MODEL', version: SERVING.version, expect: null },
  ],
  ['■ KILL iris api by ann@desk: new labels', { ...ANN, message: 'KILL', target: 'api' }],
  ['■ KILL iris by ann@desk: new labels', { ...ANN, message: 'KILL' }],
  ['◆ NEW_DATA iris', { kind: 'model', message: 'NEW_DATA', model: 'iris', extra: {} }],
  ['◆ KILL', { kind: 'model', message: 'KILL', extra: {} }],
])('%s', (text, message) => {
  expect(describeMessage(message)).toBe(text);
});

test('the figures of a version that is not promoted fit a line of tail in 80 columns', () => {
  const message = { ...BUILT, promoted: false, metrics: { accuracy: 0.91 } };
  const before = '15:42:26 0:12   '.length;
  expect(before + describeMessage(message).indexOf(' (')).toBeLessThan(80);
});

import { expect, test } from 'vitest';
import type { ClientEvent } from '../../src/client/host/client-event.ts';
import { showsState } from './client.ts';

const SHOW: [ClientEvent['event'][], boolean][] = [
  [['started'], false],
  [['started', 'owner'], false],
  [['started', 'owner', 'notice', 'rejected'], false],
  [['started', 'owner', 'input'], true],
  [['started', 'owner', 'input', 'lost'], false],
  [['started', 'owner', 'input', 'lost', 'owner', 'disconnected'], false],
  [['started', 'owner', 'input', 'lost', 'owner', 'finished', 'notice'], true],
];

test.each(SHOW)('a client that has told %j has the state in memory: %s', (events, shown) => {
  expect(showsState(events)).toBe(shown);
});

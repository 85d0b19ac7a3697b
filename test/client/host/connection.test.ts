import { expect, it } from 'vitest';
import { Connection } from '../../../src/client/host/connection.ts';

it('Kafka is away as soon as one says so, and back when none does; each change is told once', () => {
  const told: object[] = [];
  const connection = new Connection((event) => told.push(event));
  connection.back('group');
  expect(connection.isAway).toBe(false);
  connection.away('group', 'refused');
  connection.away('group', 'refused again');
  connection.away('owner', 'no answer');
  connection.back('group');
  expect(connection.isAway).toBe(true);
  connection.back('owner');
  connection.back('owner');
  expect(connection.isAway).toBe(false);
  expect(told).toEqual([{ event: 'disconnected', reason: 'refused' }, { event: 'connected' }]);
});

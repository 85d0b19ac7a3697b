import { expect, it } from 'vitest';
import { Connection } from '../../../src/client/host/connection.ts';

it('Kafka is away as soon as one says so, and back when none does; each change is told once', () => {
  const told: object[] = [];
  const connection = new Connection(
    (event) => told.push(event),
    () => false,
  );
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

it('a client that stops while Kafka is away does not say that it is back', () => {
  const told: object[] = [];
  let stopping = false;
  const connection = new Connection(
    (event) => told.push(event),
    () => stopping,
  );
  connection.away('owner', 'refused');
  stopping = true;
  connection.back('owner');
  expect(told).toEqual([{ event: 'disconnected', reason: 'refused' }]);
});

import { expect, it } from 'vitest';
import { Connection } from '../../../src/client/host/connection.ts';

it('is disconnected while a part of the client is, and logs each change once', () => {
  const logged: object[] = [];
  const connection = new Connection(
    (event) => logged.push(event),
    () => false,
  );
  connection.connected('group');
  expect(connection.isConnected).toBe(true);
  connection.disconnected('group', 'refused');
  connection.disconnected('group', 'refused again');
  connection.disconnected('owner', 'no answer');
  connection.connected('group');
  expect(connection.isConnected).toBe(false);
  connection.connected('owner');
  connection.connected('owner');
  expect(connection.isConnected).toBe(true);
  expect(logged).toEqual([{ event: 'disconnected', reason: 'refused' }, { event: 'connected' }]);
});

it('a client that stops while Kafka is away does not log a connection', () => {
  const logged: object[] = [];
  let stopping = false;
  const connection = new Connection(
    (event) => logged.push(event),
    () => stopping,
  );
  connection.disconnected('owner', 'refused');
  stopping = true;
  connection.connected('owner');
  expect(logged).toEqual([{ event: 'disconnected', reason: 'refused' }]);
});

it('is not connected while Kafka refuses what the owner writes, and does not call that a lost connection', () => {
  const logged: object[] = [];
  const connection = new Connection(
    (event) => logged.push(event),
    () => false,
  );
  connection.refused('Kafka refuses the time of a record');
  connection.refused('Kafka refuses the time of a record');
  connection.connected('group');
  expect(connection.isConnected).toBe(false);
  connection.connected('owner');
  expect(connection.isConnected).toBe(true);
  expect(logged).toEqual([
    { event: 'notice', level: 'error', text: 'Kafka refuses the time of a record' },
    { event: 'connected' },
  ]);
});

import { expect, test } from 'vitest';
import type { ClientEvent } from '../../src/client/host/client-event.ts';
import { renderClientEvent } from '../../src/ui/run.ts';

const away: ClientEvent = { event: 'disconnected', reason: '127.0.0.1:9092: nothing listens there' };
const at = new Date(2017, 3, 28, 15, 4, 5);

test('a line of the log is broken between words on a terminal, and nowhere else', () => {
  expect(renderClientEvent(away, at, 50)).toBe(`\
15:04:05 ! Kafka is away, jobs go on:
           127.0.0.1:9092: nothing listens there`);
  expect(renderClientEvent(away, at)).toBe(
    '15:04:05 ! Kafka is away, jobs go on: 127.0.0.1:9092: nothing listens there',
  );
});

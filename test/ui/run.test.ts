import { expect, test } from 'vitest';
import type { ClientEvent } from '../../src/client/host/client-event.ts';
import { renderClientEvent } from '../../src/ui/run.ts';

const away: ClientEvent = { event: 'disconnected', reason: '127.0.0.1:9092: nothing listens there' };
const at = new Date(2017, 3, 28, 15, 4, 5);

test('announced landings are one line, and names from outside cannot turn it around', () => {
  const landings = ['dt=1', 'dt=\u202E2'].map((partition) => ({ partition, exec_date: 1_493_394_946 }));
  expect(
    renderClientEvent({ event: 'announced', source: 'orders', table: 'shop.orders', landings }, at),
  ).toBe(String.raw`15:04:05 · orders announced shop.orders dt=1, dt=\u202e2`);
  const whole = [{ partition: '', exec_date: 1_493_394_946 }];
  expect(
    renderClientEvent({ event: 'announced', source: 'orders', table: 'shop.orders', landings: whole }, at),
  ).toBe('15:04:05 · orders announced shop.orders');
});

test('a line of the log is broken between words on a terminal, and nowhere else', () => {
  expect(renderClientEvent(away, at, 50)).toBe(`\
15:04:05 ! Kafka is away, jobs go on:
           127.0.0.1:9092: nothing listens there`);
  expect(renderClientEvent(away, at)).toBe(
    '15:04:05 ! Kafka is away, jobs go on: 127.0.0.1:9092: nothing listens there',
  );
});

test('a rejected record names its dead-letter topic, or says that no letter was written', () => {
  const rejected = {
    event: 'rejected',
    topic: 'frontier-adw',
    partition: 3,
    offset: '2',
    reason: 'no JSON',
  } as const;
  expect(renderClientEvent({ ...rejected, dlq: 'frontier-adw.dlq' }, at)).toBe(
    '15:04:05 ! frontier-adw 3:2 → frontier-adw.dlq: no JSON',
  );
  expect(renderClientEvent({ ...rejected, dlq: null }, at)).toBe(
    '15:04:05 ! frontier-adw 3:2 is rejected, without a dead letter: no JSON',
  );
});

test('a notice is preceded by the run that it is about, unless its text names the run', () => {
  const notice = { event: 'notice', level: 'error', job: 'load', run_key: '201704' } as const;
  expect(renderClientEvent({ ...notice, text: 'the hook failed' }, at)).toBe(
    '15:04:05 ! load 201704: the hook failed',
  );
  expect(renderClientEvent({ ...notice, text: 'load 201704 failed: exit 3' }, at)).toBe(
    '15:04:05 ! load 201704 failed: exit 3',
  );
});

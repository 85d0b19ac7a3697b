import { expect, test } from 'vitest';
import { HoldUps } from '../../src/kafka/hold-ups.ts';
import { abortCommand, describeHoldUp, endOfTransaction } from '../../src/core/open-transaction.ts';
import type { Kafka, OpenTransaction } from '../../src/kafka/port.ts';

const OPEN: OpenTransaction = {
  topic: 'frontier-adw',
  partition: 0,
  offset: 42n,
  since: Date.UTC(2017, 3, 28, 12),
  endsBy: Date.UTC(2017, 3, 28, 12, 10),
  transactionalId: 'sales-export',
  producerId: 4000n,
};

/** A partition whose ends are given, look by look. */
function looks(...ends: [stable: bigint, high: bigint][]) {
  const asked: unknown[] = [];
  let at = 0;
  const kafka: Pick<Kafka, 'offsets' | 'openTransactions'> = {
    offsets: () => {
      const [stable, high] = ends[at++] ?? [0n, 0n];
      return Promise.resolve([{ partition: 0, low: 0n, stable, high }]);
    },
    openTransactions: (places) => {
      asked.push(...places);
      return Promise.resolve([OPEN]);
    },
  };
  const holdUps = new HoldUps(kafka, 0);
  return { look: () => holdUps.look(['frontier-adw']), asked, holdUps };
}

test('a transaction that stays open is reported once, and once more when it has ended', async () => {
  const { look, asked, holdUps } = looks([42n, 43n], [42n, 50n], [42n, 51n], [52n, 52n]);
  expect(await look()).toEqual({ found: [OPEN], over: [] });
  expect(await look()).toEqual({ found: [], over: [] });
  expect(holdUps.open).toEqual([OPEN]);
  expect(await look()).toEqual({ found: [], over: [] });
  expect(await look()).toEqual({ found: [], over: [OPEN] });
  expect(asked).toEqual([{ topic: 'frontier-adw', partition: 0, offset: 42n }]);
});

test('short transactions are not reported, and the brokers are not asked about them', async () => {
  const { holdUps } = looks();
  expect(await holdUps.look(['frontier-adw'])).toEqual({ found: [], over: [] });
  const asked: unknown[] = [];
  let stable = 0n;
  const moving = new HoldUps(
    {
      offsets: () => Promise.resolve([{ partition: 0, low: 0n, stable: (stable += 2n), high: stable + 1n }]),
      openTransactions: (places) => Promise.resolve(void asked.push(places)).then(() => []),
    },
    1,
  );
  for (let look = 0; look < 3; look += 1) await moving.look(['frontier-adw']);
  expect(asked).toEqual([]);
});

test('a topic that cannot be asked about is left out', async () => {
  const denied = new HoldUps(
    {
      offsets: () => Promise.reject(new Error('denied')),
      openTransactions: () => Promise.reject(new Error('denied')),
    },
    0,
  );
  expect(await denied.look(['frontier-adw'])).toEqual({ found: [], over: [] });
});

test.each<[string, Partial<OpenTransaction>, string]>([
  [
    'all',
    {},
    'frontier-adw[0]: the transaction of transactional id sales-export has been open since 2017-04-28T12:00:00Z; it hides all records from offset 42 on',
  ],
  [
    'not what its coordinator knows',
    { transactionalId: null, endsBy: null },
    'frontier-adw[0]: the transaction of another producer (producer id 4000) has been open since 2017-04-28T12:00:00Z or longer; it hides all records from offset 42 on',
  ],
  [
    'only where it is',
    { transactionalId: null, endsBy: null, since: null, producerId: null },
    'frontier-adw[0]: the transaction of another producer is open; it hides all records from offset 42 on',
  ],
])('the sentence says what is known: %s', (_, less, text) => {
  expect(describeHoldUp({ ...OPEN, ...less })).toBe(text);
});

test('the remedy names the program, the end that Kafka sets, and the command for what stays open', () => {
  expect(endOfTransaction(OPEN)).toBe(
    'Stop the program with transactional id sales-export, or wait: Kafka aborts it at 2017-04-28T12:10:00Z (transaction.timeout.ms of that program). If it is still open after that, type the command.',
  );
  expect(abortCommand(['127.0.0.1:9092'], OPEN)).toBe(
    'kafka-transactions.sh --bootstrap-server 127.0.0.1:9092 abort --topic frontier-adw --partition 0 --start-offset 42',
  );
});

test('where the transactional id is not known, the remedy says who may see it', () => {
  expect(endOfTransaction({ ...OPEN, transactionalId: null, endsBy: null })).toBe(
    "Stop the program that writes it, or wait: Kafka aborts it after that program's transaction.timeout.ms. Kafka names it only to users with the operation Describe on its transactional id. If it is still open after that, type the command.",
  );
});

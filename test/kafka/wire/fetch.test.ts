import { expect, test } from 'vitest';
import { type ErrorName, errorNamed } from '../../../src/kafka/wire/error-codes.ts';
import { hasMoved } from '../../../src/kafka/wire/requests/fetch.ts';

/** As Kafka's own consumer does: FetchCollector#handleInitializeErrors, and LEADER_NOT_AVAILABLE of older brokers. */
test('only these errors of a partition are retried', () => {
  const known = Array.from({ length: 134 }, (_, code) => errorNamed(code)).filter(
    (name) => name !== undefined,
  );
  const again: ErrorName[] = [
    'UNKNOWN_TOPIC_OR_PARTITION',
    'LEADER_NOT_AVAILABLE',
    'NOT_LEADER_OR_FOLLOWER',
    'REPLICA_NOT_AVAILABLE',
    'KAFKA_STORAGE_ERROR',
    'FENCED_LEADER_EPOCH',
    'UNKNOWN_LEADER_EPOCH',
    'OFFSET_NOT_AVAILABLE',
    'UNKNOWN_TOPIC_ID',
    'INCONSISTENT_TOPIC_ID',
  ];
  expect(known.filter(hasMoved)).toEqual(again);
});

import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import { ProtocolError, errorNamed, errorOf, failOn } from '../../../src/kafka/wire/error-codes.ts';

const { errorCodes } = createRequire(import.meta.url)('kafkajs/src/protocol/error.js') as {
  errorCodes: { code: number; type: string; retriable: boolean }[];
};

/** kafkajs keeps names that Kafka has changed since. */
const RENAMED: Record<string, string> = {
  UNKNOWN: 'UNKNOWN_SERVER_ERROR',
  NOT_LEADER_FOR_PARTITION: 'NOT_LEADER_OR_FOLLOWER',
  GROUP_LOAD_IN_PROGRESS: 'COORDINATOR_LOAD_IN_PROGRESS',
  GROUP_COORDINATOR_NOT_AVAILABLE: 'COORDINATOR_NOT_AVAILABLE',
  NOT_COORDINATOR_FOR_GROUP: 'NOT_COORDINATOR',
};

describe('the error codes of the protocol', () => {
  test('of the list of kafkajs have the same names, and can be retried or not as there', () => {
    expect(errorCodes.length).toBeGreaterThan(80);
    for (const { code, type, retriable } of errorCodes)
      expect(errorOf(code)).toMatchObject({ type: RENAMED[type] ?? type, retriable });
  });

  test.each([
    [0, undefined],
    [undefined, undefined],
    [89, 'THROTTLING_QUOTA_EXCEEDED'],
    [90, 'PRODUCER_FENCED'],
    [100, 'UNKNOWN_TOPIC_ID'],
    [103, 'INCONSISTENT_TOPIC_ID'],
    [133, 'SHARE_SESSION_LIMIT_REACHED'],
    [9_999, 'UNKNOWN_SERVER_ERROR'],
  ])('%s is %s', (code, name) => {
    expect(errorNamed(code)).toBe(name);
  });

  test('a code that is not in the list is named by its number', () => {
    expect(errorOf(9_999)?.message).toBe('The broker answered with error code 9999.');
  });

  test("the broker's own message goes before Kafka's general one", () => {
    expect(errorOf(17, 'topic name ?? is illegal')?.message).toBe('topic name ?? is illegal');
    expect(errorOf(3, null)?.message).toBe('This server does not host this topic-partition.');
  });

  test('failOn throws for an error code, unless the caller allows it', () => {
    expect(() => failOn(3)).toThrow(ProtocolError);
    expect(() => failOn(3, 'UNKNOWN_TOPIC_OR_PARTITION')).not.toThrow();
    expect(() => failOn(5, 'UNKNOWN_TOPIC_OR_PARTITION')).toThrow('leadership election');
    expect(() => failOn(0)).not.toThrow();
  });
});

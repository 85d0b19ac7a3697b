import { type ErrorDetails, ServiceError, UserError } from '../core/errors.ts';
import type { Right } from './rights.ts';

/**
 * Another producer has taken the transactional id over: this process is not the owner any more and must stop writing.
 */
export class FencedError extends ServiceError {}

/**
 * Kafka answers, and refuses what was asked: another try fails in the same way until an operator changes a setting or a
 * right.
 */
export class RefusedError extends ServiceError {}

/** A setting of the brokers, or of one of Kafka's own topics, keeps them from coordinating groups or transactions. */
export class CoordinatorError extends RefusedError {}

/** The user may not do this: an ACL is missing, or denies it. */
export class DeniedError extends RefusedError {
  /** null: the broker's answer does not say which right is missing. */
  readonly right: Right | null;

  constructor(message: string, right: Right | null, details: ErrorDetails) {
    super(message, details);
    this.right = right;
  }

  /** The name of the topic that this is about, if it is about one. */
  get topic(): string | undefined {
    return this.right?.resource.type === 'topic' ? this.right.resource.name : undefined;
  }
}

/** A partition has no leader: the brokers that hold its replicas are down. */
export class LeaderlessError extends ServiceError {}

/** A topic that was there is gone: it was deleted, and may be made again. */
export class AbsentError extends RefusedError {
  readonly topic: string;

  constructor(topic: string, details: ErrorDetails) {
    super(`the topic ${topic} does not exist any more`, details);
    this.topic = topic;
  }
}

/** No broker of the list can be reached. */
export class UnreachableError extends ServiceError {}

/** The size limit of a topic, and the setting that gives it. */
export interface TopicLimit {
  /** Of a batch of records; Infinity where it is unknown. */
  bytes: number;
  setting: 'max.message.bytes' | 'segment.bytes';
}

/** One record, alone in its batch, is larger than its topic takes. */
export class RecordTooLargeError extends UserError {
  readonly topic: string;
  readonly partition: number;
  /** Its place among the records that were handed over, from 0. */
  readonly index: number;
  /** Of the batch that holds nothing else. */
  readonly bytes: number;
  readonly limit: TopicLimit;
  readonly #brokers: readonly string[];

  constructor(
    { topic, partition }: { topic: string; partition: number },
    index: number,
    {
      bytes,
      limit,
      brokers,
      cause,
    }: { bytes: number; limit: TopicLimit; brokers: readonly string[]; cause?: unknown },
  ) {
    super(`a record is too large for topic ${topic}`, {
      why: `it needs ${bytes} bytes; ${limit.bytes === Infinity ? 'the topic takes fewer' : `${limit.setting} of the topic is ${limit.bytes}`}`,
      next: [
        `kafka-configs.sh --bootstrap-server ${brokers.join(',')} --alter --topic ${topic} --add-config ${limit.setting}=${bytes}`,
        'or make this one record smaller',
      ],
      place: { topic, partition },
      cause,
    });
    this.topic = topic;
    this.partition = partition;
    this.index = index;
    this.bytes = bytes;
    this.limit = limit;
    this.#brokers = brokers;
  }

  /** The same, with the record's place in another list. */
  at(index: number): RecordTooLargeError {
    const { bytes, limit, cause } = this;
    return new RecordTooLargeError(this, index, { bytes, limit, brokers: this.#brokers, cause });
  }
}

import {
  BugError,
  type ErrorDetails,
  HippoError,
  ServiceError,
  UserError,
  messageOf,
} from '../core/errors.ts';
import {
  AbsentError,
  DeniedError,
  FencedError,
  LeaderlessError,
  RefusedError,
  UnreachableError,
} from './failures.ts';
import { LackedRight } from './lacking.ts';
import { describeResource, grantCommand, listCommand } from './rights.ts';
import { credentialsRefused, handshakeFailed } from './sasl-errors.ts';
import { USE_CERTIFICATE, USE_PLAIN, USE_TLS, isTlsFailure, tlsFailed } from './tls-errors.ts';
import {
  CredentialsRefusedError,
  type ErrorName,
  SaslHandshakeError,
  isClosedConnection,
  isLostConnection,
  isRequestTimeout,
} from './wire/index.ts';

/** What a protocol error of ours and kafkajs's errors carry, as far as it is used. */
interface KafkaError extends Error {
  /** Of a protocol error. */
  type?: ErrorName;
  retriable?: boolean;
  /** Of a protocol error, where a request was about several partitions. */
  place?: { topic: string; partition: number };
  /** A connection error's system code. */
  code?: number | string;
  /** `host:port` of a connection error. */
  broker?: string;
}

/** What was being done, for the text of an error. */
export interface Doing {
  brokers: readonly string[];
  /** Who we are to the brokers' authorizer, e.g. `User:hippo`; left out: not known. */
  principal?: string | null;
  /** Addresses that brokers advertise, and for each the broker that answered with it. */
  advertised?: ReadonlyMap<string, string>;
  topic?: string;
  group?: string;
  transactionalId?: string;
}

/** The broker could not be reached; another try, or another broker, may help. */
export function isConnectionError(thrown: unknown): boolean {
  if (thrown instanceof UnreachableError) return true;
  return isLostConnection(thrown) && !isTlsFailure(codeOf(thrown));
}

/** Whether the name of a host is unknown: no other broker can help with that, and waiting seldom does. */
export function isUnresolved(thrown: unknown): boolean {
  return ['ENOTFOUND', 'EAI_AGAIN'].includes(codeOf(thrown));
}

/** Kafka's own name of a protocol error, e.g. `OFFSET_OUT_OF_RANGE`. */
export function errorType(thrown: unknown): ErrorName | undefined {
  return thrown instanceof Error ? (thrown as KafkaError).type : undefined;
}

export function isRetriable(thrown: unknown): boolean {
  return (
    thrown instanceof Error &&
    (thrown as KafkaError).type !== undefined &&
    (thrown as KafkaError).retriable === true
  );
}

function isFenced(thrown: unknown): boolean {
  const type = errorType(thrown);
  return thrown instanceof FencedError || type === 'INVALID_PRODUCER_EPOCH' || type === 'PRODUCER_FENCED';
}

/**
 * Turns anything that kafkajs, TLS or the socket throws into an error that says what, why and what to do next.
 * Errors of ours pass unchanged.
 */
export function translate(thrown: unknown, doing: Doing): HippoError {
  if (thrown instanceof HippoError) return thrown;
  if (thrown instanceof TypeError || thrown instanceof RangeError)
    return new BugError(thrown.message, { cause: thrown });
  const error = thrown as KafkaError;
  if (isFenced(error)) return fenced(doing, error);
  const at = error.broker ?? doing.brokers.join(', ');
  if (error instanceof SaslHandshakeError) return handshakeFailed(at, error);
  if (error instanceof CredentialsRefusedError) return credentialsRefused(error);
  const tls = tlsFailed(codeOf(error), { at, words: messageOf(error), cause: error });
  if (tls !== undefined) return tls;
  if (isConnectionError(error)) {
    const by = doing.brokers.includes(at) ? undefined : doing.advertised?.get(at);
    if (by !== undefined) return unreachableListener(at, by, error);
    return unreachable(doing, new Map([[at, { reason: connectionReason(error) }]]), error);
  }
  return protocolError(error.place === undefined ? doing : { ...doing, topic: error.place.topic }, error);
}

/** Why a broker cannot be reached. */
export interface Unreachability {
  /** Reads on after `127.0.0.1:9092: `. */
  reason: string;
  /** What to do about it, where that is known. */
  cure?: Pick<ErrorDetails, 'next' | 'place'>;
}

/** The remedies if it is unknown where the brokers' addresses come from. */
const UNREACHABLE_NEXT = [
  'hippo doctor    (finds out what is wrong)',
  'check kafka.brokers in hippo.yaml, or HIPPO_BROKERS',
];

/** The same error with other remedies, unless the brokers' answers already gave some. */
export function advised(error: UnreachableError, next: readonly string[]): UnreachableError {
  if (error.next !== UNREACHABLE_NEXT) return error;
  const { message, why, place, cause } = error;
  return new UnreachableError(message, { why, place, cause, next });
}

/** @param reasons by the brokers' addresses */
export function unreachable(
  doing: Doing,
  reasons: ReadonlyMap<string, Unreachability>,
  cause?: unknown,
): UnreachableError {
  return new UnreachableError(`Kafka cannot be reached at ${doing.brokers.join(', ')}`, {
    why: [...reasons].map(([address, { reason }]) => `${address}: ${reason}`).join('\n'),
    next: UNREACHABLE_NEXT,
    ...[...reasons.values()].find(({ cure }) => cure !== undefined)?.cure,
    cause,
  });
}

/**
 * A broker of the list answers and names the address of a broker that does not. Each broker names the addresses in its own
 * setting `advertised.listeners`, and clients use no others.
 *
 * @param at the address that fails
 * @param by the broker that answered
 */
function unreachableListener(at: string, by: string, cause: KafkaError): UnreachableError {
  const host = at.slice(0, at.lastIndexOf(':'));
  const [problem, ...steps] = listenerProblem(cause, host);
  return new UnreachableError(`Kafka's broker ${at} cannot be reached`, {
    why: `${by} answered; it advertises ${at}, ${problem}`,
    next: [
      ...steps,
      'or set its advertised.listeners to an address that this machine reaches',
      'hippo doctor kafka    (asks each broker)',
    ],
    cause,
  });
}

/** @returns what the address does, and the first step of the remedy */
function listenerProblem(cause: KafkaError, host: string): [problem: string, step: string] {
  switch (codeOf(cause)) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN': // no name server answered
      return ['which this machine cannot resolve', `make ${host} known to this machine (DNS, /etc/hosts)`];
    case 'ECONNREFUSED':
      return ['which refuses the connection', `start the broker at ${host} if it is down`];
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return ['to which this machine has no route', `give this machine a route to ${host}`];
  }
  const reason = connectionReason(cause);
  return [
    reason === 'no answer' ? 'which does not answer' : `which cannot be used: ${reason}`,
    `start the broker at ${host} if it is down, and open its port in the firewall`,
  ];
}

/**
 * Derives what a broker requires from the step at which it closed the connection.
 *
 * @param contact whether TLS was spoken, with a client certificate or not, and whether the broker had answered before
 */
export function unspokenWish(
  error: unknown,
  contact: { tls: boolean; certificate: boolean; answered: boolean },
): Unreachability | undefined {
  if (!isClosed(error)) return undefined;
  if (contact.answered) {
    return {
      reason: 'it closed the connection at the first request; does this port want SASL?',
      cure: {
        next: ['set kafka.sasl in hippo.yaml', "or name the broker's port without SASL in kafka.brokers"],
        place: { key: 'kafka.sasl' },
      },
    };
  }
  if (!contact.tls) {
    return {
      reason: 'it closed the connection at once; does this port want TLS?',
      cure: { next: USE_TLS, place: { key: 'kafka.tls' } },
    };
  }
  if (messageOf(error).includes('before secure TLS connection')) {
    return {
      reason: 'it broke off the TLS handshake; does this port speak TLS?',
      cure: { next: USE_PLAIN, place: { key: 'kafka.tls' } },
    };
  }
  return contact.certificate
    ? undefined
    : {
        reason: 'it closed the connection after the TLS handshake; does it want a client certificate?',
        cure: { next: USE_CERTIFICATE, place: { key: 'kafka.tls.cert_file' } },
      };
}

function isClosed(error: unknown): boolean {
  return ['ECONNRESET', 'EPIPE'].includes(codeOf(error)) || isClosedConnection(error);
}

/** Why a connection failed, in words. */
export function connectionReason(error: unknown): string {
  switch (codeOf(error)) {
    case 'ECONNREFUSED':
      return 'nothing listens there (connection refused)';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the host name is unknown';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'there is no route to that host';
    case 'ECONNRESET':
    case 'EPIPE':
      return 'the connection was reset';
    case 'ETIMEDOUT':
      return 'no answer';
  }
  if (!(error instanceof Error)) return String(error);
  if (isClosedConnection(error)) return 'the connection was closed';
  if (isRequestTimeout(error) || error.message === 'Connection timeout') return 'no answer';
  return error.message.replace(/^Connection error: /, '');
}

function codeOf(error: unknown): string {
  return error instanceof Error ? String((error as KafkaError).code ?? '') : '';
}

function fenced(doing: Doing, cause: unknown): FencedError {
  return new FencedError(`another process has taken over ${doing.transactionalId ?? 'this producer'}`, {
    why: 'a newer producer with the same transactional id has fenced this one',
    cause,
  });
}

/** A topic that is not there: the configuration or the argument is wrong, or the stack has not created it yet. */
export function unknownTopic(
  topic: string,
  brokers: readonly string[],
  { partition, cause }: { partition?: number; cause?: unknown } = {},
): UserError {
  const missing = partition === undefined ? `topic ${topic}` : `partition ${partition} of the topic ${topic}`;
  return new UserError(`Kafka at ${brokers.join(', ')} has no ${missing}`, {
    next: ['hippo up        (creates the topics of hippo.yaml)', 'check topics in hippo.yaml'],
    place: { topic, ...(partition === undefined ? {} : { partition }) },
    cause,
  });
}

/** Whether an error says that a topic, or a partition of it, is not there. */
export function isUnknownTopic(thrown: unknown): thrown is UserError {
  return thrown instanceof UserError && errorType(thrown.cause) === 'UNKNOWN_TOPIC_OR_PARTITION';
}

/** A topic that was there, and was deleted since. */
export function absentTopic(topic: string, brokers: readonly string[]): AbsentError {
  return new AbsentError(topic, {
    why: `Kafka at ${brokers.join(', ')} says that it was deleted.`,
    next: ['hippo up    (creates the topics of hippo.yaml)'],
    place: { topic },
  });
}

/** Partitions that cannot be read or written for now: no broker leads them. */
export function leaderless(
  topic: string,
  partitions: readonly number[],
  brokers: readonly string[],
): LeaderlessError {
  const [verb, which] = partitions.length === 1 ? ['has', 'its'] : ['have', 'their'];
  const [partition] = partitions;
  return new LeaderlessError(`${topic}[${partitions.join(', ')}] ${verb} no leader`, {
    why: `The brokers that hold ${which} replicas are down, says Kafka at ${brokers.join(', ')}.`,
    next: ['start those brokers', 'hippo doctor topics'],
    place: partition === undefined || partitions.length > 1 ? { topic } : { topic, partition },
  });
}

function protocolError(doing: Doing, error: KafkaError): HippoError {
  const at = `Kafka at ${doing.brokers.join(', ')}`;
  switch (error.type) {
    case 'UNKNOWN_TOPIC_OR_PARTITION':
      return doing.topic === undefined
        ? new ServiceError(`${at} does not know that topic or partition`, { cause: error })
        : unknownTopic(doing.topic, doing.brokers, { cause: error });
    case 'INVALID_TOPIC_EXCEPTION':
      return new UserError(`${doing.topic ?? 'that'} is not a valid topic name`, {
        why: error.message,
        cause: error,
      });
    case 'TOPIC_AUTHORIZATION_FAILED':
    case 'GROUP_AUTHORIZATION_FAILED':
    case 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED':
    case 'CLUSTER_AUTHORIZATION_FAILED':
      return denied(doing, error);
    case 'LEADER_NOT_AVAILABLE':
    case 'NOT_LEADER_OR_FOLLOWER':
      return error.place === undefined
        ? new ServiceError(`${at} has no leader for a partition${of(doing.topic)}`, {
            next: ['hippo doctor topics'],
            cause: error,
          })
        : leaderless(error.place.topic, [error.place.partition], doing.brokers);
    case 'COORDINATOR_NOT_AVAILABLE':
    case 'COORDINATOR_LOAD_IN_PROGRESS':
    case 'NOT_COORDINATOR':
      return new ServiceError(`${at} has no coordinator for ${coordinated(doing)}`, {
        why: 'the broker that coordinates it is starting, or is down',
        next: ['hippo doctor kafka topics'],
        cause: error,
      });
    case 'NON_EMPTY_GROUP':
      return new UserError(`group ${doing.group ?? ''} still has members`, {
        why: 'only an empty group can be deleted',
        next: ['stop its members first'],
        cause: error,
      });
    case 'INVALID_TIMESTAMP':
      return new RefusedError(`${at} refuses the time of a record${of(doing.topic)}`, {
        why: `this machine's clock says ${new Date().toISOString()}; the topic's message.timestamp.before.max.ms and message.timestamp.after.max.ms limit how far that may be from the broker's clock`,
        next: ['date -u    (on this machine and on the broker; set the wrong one right)'],
        cause: error,
      });
    case 'POLICY_VIOLATION':
    case 'INVALID_REPLICATION_FACTOR':
    case 'INVALID_PARTITIONS':
    case 'INVALID_CONFIG':
      return new UserError(`${at} refuses the settings of topic ${doing.topic ?? ''}`, {
        why: error.message,
        cause: error,
      });
    default:
      return new ServiceError(`${at} failed${error.type === undefined ? '' : `: ${error.type}`}`, {
        why: messageOf(error),
        next: ['hippo doctor    (finds out what is wrong)'],
        cause: error,
      });
  }
}

function coordinated({ group, transactionalId }: Doing): string {
  if (group !== undefined) return `group ${group}`;
  return transactionalId === undefined ? 'this request' : `transactional id ${transactionalId}`;
}

function of(topic: string | undefined): string {
  return topic === undefined ? '' : ` for topic ${topic}`;
}

/** A missing right, with the command that grants it. */
function denied({ brokers, principal = null }: Doing, error: KafkaError): DeniedError {
  const at = `Kafka at ${brokers.join(', ')}`;
  const user = principal ?? 'this user';
  if (!(error instanceof LackedRight)) {
    return new DeniedError(`${at} denies ${user} a right`, null, {
      why: `${error.type ?? ''}: ${error.message}`,
      next: [`kafka-acls.sh --bootstrap-server ${brokers.join(',')} --list`],
      cause: error,
    });
  }
  const { right } = error;
  const [what, which] = [right.operation, describeResource(right.resource)];
  return new DeniedError(`${at} denies ${user} the operation ${what} on ${which}`, right, {
    why: 'No ACL allows it, or one denies it.',
    next: [
      grantCommand(brokers, principal, [right]),
      `${listCommand(brokers, right)}    (remove an ACL that denies it)`,
    ],
    cause: error,
  });
}

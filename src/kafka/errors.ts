import { BugError, HippoError, ServiceError, UserError, messageOf } from '../core/errors.ts';

/** Another producer has taken the transactional id over: this process is not the owner any more and must stop writing. */
export class FencedError extends ServiceError {}

/** No broker of the list can be talked to. */
export class UnreachableError extends ServiceError {}

/** What kafkajs's errors carry, as far as it is used. */
interface KafkaJsError extends Error {
  /** Kafka's own name of the error, e.g. `NOT_LEADER_FOR_PARTITION`. */
  type?: string;
  /** A protocol error's number, or a connection error's system code. */
  code?: number | string;
  retriable?: boolean;
}

/** What was being done, for the text of an error. */
export interface Doing {
  brokers: readonly string[];
  topic?: string;
  group?: string;
  transactionalId?: string;
}

const CONNECTION_ERRORS = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSLockTimeout',
]);

/** The broker could not be talked to; another try, or another broker, may help. */
export function isConnectionError(thrown: unknown): boolean {
  if (thrown instanceof UnreachableError) return true;
  return (
    thrown instanceof Error && CONNECTION_ERRORS.has(thrown.name) && tlsReason(codeOf(thrown)) === undefined
  );
}

/** Kafka's own name of a protocol error, e.g. `OFFSET_OUT_OF_RANGE`. */
export function errorType(thrown: unknown): string | undefined {
  return thrown instanceof Error ? (thrown as KafkaJsError).type : undefined;
}

export function isRetriable(thrown: unknown): boolean {
  return (
    thrown instanceof Error &&
    (thrown as KafkaJsError).type !== undefined &&
    (thrown as KafkaJsError).retriable === true
  );
}

export function isFenced(thrown: unknown): boolean {
  return thrown instanceof FencedError || errorType(thrown) === 'INVALID_PRODUCER_EPOCH';
}

/**
 * Turns anything that kafkajs, TLS or the socket throws into an error that says what, why and what to do next.
 * Errors of ours pass unchanged.
 */
export function translate(thrown: unknown, doing: Doing): HippoError {
  if (thrown instanceof HippoError) return thrown;
  if (thrown instanceof TypeError || thrown instanceof RangeError)
    return new BugError(thrown.message, { cause: thrown });
  const error = thrown as KafkaJsError;
  if (isFenced(error)) return fenced(doing, error);
  if (error instanceof Error && error.name === 'KafkaJSSASLAuthenticationError')
    return authenticationFailed(doing, error);
  const tls = tlsReason(codeOf(error));
  if (tls !== undefined) return tlsFailed(doing, tls, error);
  if (isConnectionError(error))
    return unreachable(doing, [`${doing.brokers.join(', ')}: ${connectionReason(error)}`], error);
  return protocolError(doing, error);
}

/** @param reasons one line a broker: `127.0.0.1:9092: nothing listens there` */
export function unreachable(doing: Doing, reasons: readonly string[], cause?: unknown): UnreachableError {
  return new UnreachableError(`Kafka cannot be reached at ${doing.brokers.join(', ')}`, {
    why: reasons.join('\n'),
    next: [
      'hippo up        (starts a local Kafka)',
      'hippo doctor    (finds out what is wrong)',
      'check kafka.brokers in hippo.yaml, or HIPPO_BROKERS',
    ],
    cause,
  });
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
      return 'the connection was reset; does this port expect TLS or SASL?';
    case 'ETIMEDOUT':
      return 'no answer';
  }
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'KafkaJSConnectionClosedError')
    return 'the connection was closed; does this port expect TLS or SASL?';
  if (error.name === 'KafkaJSRequestTimeoutError' || error.message === 'Connection timeout')
    return 'no answer';
  return error.message.replace(/^Connection error: /, '');
}

function codeOf(error: unknown): string {
  return error instanceof Error ? String((error as KafkaJsError).code ?? '') : '';
}

interface TlsReason {
  message: string;
  next: string[];
}

/** Node's names of TLS failures: https://nodejs.org/api/tls.html#x509-certificate-error-codes */
function tlsReason(code: string): TlsReason | undefined {
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return { message: "the broker's certificate has expired", next: ["renew the broker's certificate"] };
    case 'CERT_NOT_YET_VALID':
      return {
        message: "the broker's certificate is not valid yet",
        next: ['check the clocks of this machine and of the broker'],
      };
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'CERT_UNTRUSTED':
      return {
        message: "the broker's certificate is signed by nobody that this machine trusts",
        next: ['set kafka.tls.ca_file in hippo.yaml to the certificate of its authority'],
      };
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return {
        message: "the broker's certificate is for another host name",
        next: [
          'use a host name of the certificate in kafka.brokers',
          'or set kafka.tls.server_name in hippo.yaml to one of them',
        ],
      };
    case 'CERT_REVOKED':
      return {
        message: "the broker's certificate has been revoked",
        next: ["renew the broker's certificate"],
      };
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return {
        message: 'the broker does not speak TLS on this port',
        next: ["set kafka.tls to false in hippo.yaml, or use the broker's TLS port in kafka.brokers"],
      };
    case 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED':
    case 'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE':
    case 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE':
      return {
        message: 'the broker asks for a client certificate',
        next: ['set kafka.tls.cert_file and kafka.tls.key_file in hippo.yaml'],
      };
    case 'ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_UNKNOWN':
    case 'ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN':
    case 'ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE':
    case 'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE':
    case 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA':
    case 'ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED':
    case 'ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED':
      return {
        message: 'the broker refuses our client certificate',
        next: [
          'check kafka.tls.cert_file in hippo.yaml: its dates, and whether the broker trusts its authority',
        ],
      };
    default:
      return undefined;
  }
}

function tlsFailed(doing: Doing, { message, next }: TlsReason, cause: Error): ServiceError {
  return new ServiceError(`TLS with Kafka at ${doing.brokers.join(', ')} failed: ${message}`, {
    why: cause.message.replace(/^Connection error: /, ''),
    next,
    cause,
  });
}

function authenticationFailed(doing: Doing, cause: Error): ServiceError {
  const mechanism = /mechanism is not supported/.test(cause.message);
  return new ServiceError(
    mechanism
      ? `Kafka at ${doing.brokers.join(', ')} does not offer the SASL mechanism of kafka.sasl.mechanism`
      : `Kafka at ${doing.brokers.join(', ')} refused the credentials of kafka.sasl`,
    {
      why: cause.message,
      next: mechanism
        ? ['set kafka.sasl.mechanism in hippo.yaml to one that the broker offers']
        : [
            'check the user name and the password (or token) of kafka.sasl in hippo.yaml',
            'hippo config    (shows where each value came from)',
          ],
      cause,
    },
  );
}

function fenced(doing: Doing, cause: unknown): FencedError {
  return new FencedError(`another process has taken over ${doing.transactionalId ?? 'this producer'}`, {
    why: 'a newer producer with the same transactional id has fenced this one',
    cause,
  });
}

/** A topic that is not there: the configuration or the argument is wrong, or the stack has not created it yet. */
export function unknownTopic(topic: string, brokers: readonly string[], cause?: unknown): UserError {
  return new UserError(`Kafka at ${brokers.join(', ')} has no topic ${topic}`, {
    next: ['hippo up        (creates the topics of hippo.yaml)', 'check topics in hippo.yaml'],
    place: { topic },
    cause,
  });
}

function protocolError(doing: Doing, error: KafkaJsError): HippoError {
  const at = `Kafka at ${doing.brokers.join(', ')}`;
  switch (error.type) {
    case 'UNKNOWN_TOPIC_OR_PARTITION':
      return doing.topic === undefined
        ? new ServiceError(`${at} does not know that topic or partition`, { cause: error })
        : unknownTopic(doing.topic, doing.brokers, error);
    case 'INVALID_TOPIC_EXCEPTION':
      return new UserError(`${doing.topic ?? 'that'} is no name for a topic`, {
        why: error.message,
        cause: error,
      });
    case 'TOPIC_AUTHORIZATION_FAILED':
      return notAuthorised(at, doing.topic === undefined ? 'these topics' : `topic ${doing.topic}`, error);
    case 'GROUP_AUTHORIZATION_FAILED':
      return notAuthorised(at, doing.group === undefined ? 'this group' : `group ${doing.group}`, error);
    case 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED':
      return notAuthorised(at, `transactional id ${doing.transactionalId ?? ''}`, error);
    case 'CLUSTER_AUTHORIZATION_FAILED':
      return notAuthorised(at, 'the cluster', error);
    case 'NON_EMPTY_GROUP':
      return new UserError(`group ${doing.group ?? ''} still has members`, {
        why: 'only an empty group can be deleted',
        next: ['stop its members first'],
        cause: error,
      });
    case 'MESSAGE_TOO_LARGE':
    case 'RECORD_LIST_TOO_LARGE':
      return new UserError(`a record is too large for topic ${doing.topic ?? ''}`, {
        why: error.message,
        next: ['raise max.message.bytes of the topic, or send less'],
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

function notAuthorised(at: string, what: string, cause: Error): ServiceError {
  return new ServiceError(`${at} does not allow us to use ${what}`, {
    why: cause.message,
    next: ['ask for an ACL for the user of kafka.sasl (or of the client certificate)'],
    cause,
  });
}

import { ServiceError } from '../core/errors.ts';
import type { CredentialsRefusedError, SaslHandshakeError } from './wire/index.ts';

/** @param at the broker, `host:port` */
export function handshakeFailed(at: string, error: SaslHandshakeError): ServiceError {
  const { mechanism, offered } = error;
  if (offered.length === 0) {
    return new ServiceError(`Kafka at ${at} takes no SASL`, {
      next: ["name the broker's SASL port in kafka.brokers", 'or remove kafka.sasl from hippo.yaml'],
      place: { key: 'kafka.sasl' },
      cause: error,
    });
  }
  return new ServiceError(`Kafka at ${at} does not offer ${mechanism}`, {
    why: `It offers ${offered.join(', ')}.`,
    next: ['set kafka.sasl.mechanism in hippo.yaml to one of them'],
    place: { key: 'kafka.sasl.mechanism' },
    cause: error,
  });
}

export function credentialsRefused(error: CredentialsRefusedError): ServiceError {
  const { at, sasl, expiry } = error;
  const { mechanism, secretKey } = sasl;
  const origin = 'hippo config    (shows where each value came from)';
  const place = { key: secretKey };
  if (mechanism !== 'oauthbearer') {
    return new ServiceError(`Kafka at ${at} refuses the user name or password`, {
      why: reason(
        error,
        `It knows no user ${sasl.username} with this password (${mechanism.toUpperCase()}).`,
      ),
      next: [`check kafka.sasl.username and ${secretKey} in hippo.yaml`, origin],
      place,
      cause: error,
    });
  }
  const next = [`put a new token into ${secretKey}`, origin];
  return expiry !== undefined && expiry.getTime() <= Date.now()
    ? new ServiceError(`Kafka at ${at} refuses the token of ${secretKey}: it has expired`, {
        why: `It was good until ${expiry.toISOString()}.`,
        next,
        place,
        cause: error,
      })
    : new ServiceError(`Kafka at ${at} refuses the token of ${secretKey}`, {
        why: reason(error, 'The broker finds it invalid.'),
        next,
        place,
        cause: error,
      });
}

/** What brokers say of everything that is wrong with a user name, a password or a token. */
const COMMONPLACE = /invalid credentials|invalid username or password/i;

function reason({ message }: CredentialsRefusedError, instead: string): string {
  return COMMONPLACE.test(message) ? instead : `The broker says: ${message}`;
}

import { ServiceError } from '../core/errors.ts';
import type { Sasl } from './settings.ts';

/** The broker does not take up SASL, or not this mechanism: before any credentials were sent. */
export class SaslHandshakeError extends Error {
  readonly mechanism: string;
  /** The mechanisms that the broker offers; none: this port takes no SASL at all. */
  readonly offered: readonly string[];

  constructor(mechanism: string, offered: readonly string[]) {
    super(`the broker offers ${offered.length === 0 ? 'no SASL' : offered.join(', ')}`);
    this.mechanism = mechanism;
    this.offered = offered;
  }
}

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

export interface Refusal {
  /** The broker, `host:port`. */
  at: string;
  sasl: Sasl;
  /** What was refused; it is not told. */
  secret: string;
  /** The broker's own. */
  words: string;
  cause: unknown;
}

export function credentialsRefused(refusal: Refusal): ServiceError {
  const { at, sasl, secret, cause } = refusal;
  const { mechanism, secretKey } = sasl;
  const origin = 'hippo config    (shows where each value came from)';
  const place = { key: secretKey };
  if (mechanism !== 'oauthbearer') {
    return new ServiceError(`Kafka at ${at} refuses the user name or password`, {
      why: reason(
        refusal,
        `It knows no user ${sasl.username} with this password (${mechanism.toUpperCase()}).`,
      ),
      next: [`check kafka.sasl.username and ${secretKey} in hippo.yaml`, origin],
      place,
      cause,
    });
  }
  const expiry = expiryOf(secret);
  const next = [`put a new token into ${secretKey}`, origin];
  return expiry !== undefined && expiry.getTime() <= Date.now()
    ? new ServiceError(`Kafka at ${at} refuses the token of ${secretKey}: it has expired`, {
        why: `It was good until ${expiry.toISOString()}.`,
        next,
        place,
        cause,
      })
    : new ServiceError(`Kafka at ${at} refuses the token of ${secretKey}`, {
        why: reason(refusal, 'The broker finds it invalid.'),
        next,
        place,
        cause,
      });
}

/** What brokers say of everything that is wrong with a user name, a password or a token. */
const COMMONPLACE = /invalid credentials|invalid username or password/i;

function reason({ words, secret }: Refusal, instead: string): string {
  return COMMONPLACE.test(words) ? instead : `The broker says: ${words.replaceAll(secret, '…')}`;
}

/** When a JSON web token ends (RFC 7519, section 4.1.4); undefined where it does not say, or is none. */
function expiryOf(token: string): Date | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    const { exp } = claims as { exp?: unknown };
    return typeof exp === 'number' ? new Date(exp * 1000) : undefined;
  } catch {
    return undefined;
  }
}

import type {
  AuthenticationProvider,
  Authenticator,
  SaslExchange,
} from 'kafkajs/src/broker/saslAuthenticator/index.js';
import plain from 'kafkajs/src/broker/saslAuthenticator/plain.js';
import scram256 from 'kafkajs/src/broker/saslAuthenticator/scram256.js';
import scram512 from 'kafkajs/src/broker/saslAuthenticator/scram512.js';
import { messageOf } from '../../core/errors.ts';
import { isLostConnection } from './lost.ts';
import { parsePlainJson } from '../../core/json.ts';

interface Secret {
  /**
   * The password or the token; if a file holds it, the file is read for each login, because the program that renews the
   * secret writes to that file.
   */
  secret: () => string;
  /** Where hippo.yaml says it, e.g. `kafka.sasl.token_file`. */
  secretKey: string;
}

export type Sasl =
  | ({ mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'; username: string } & Secret)
  | ({ mechanism: 'oauthbearer' } & Secret);

/** The broker does not offer SASL, or not this mechanism. No credentials were sent. */
export class SaslHandshakeError extends Error {
  readonly mechanism: string;
  /** The mechanisms that the broker offers; none: this port does not use SASL. */
  readonly offered: readonly string[];

  constructor(mechanism: string, offered: readonly string[]) {
    super(`the broker offers ${offered.length === 0 ? 'no SASL' : offered.join(', ')}`);
    this.mechanism = mechanism;
    this.offered = offered;
  }
}

/** The broker refuses the password or the token. The message is the broker's own, with the secret blotted out. */
export class CredentialsRefusedError extends Error {
  /** The broker, `host:port`. */
  readonly at: string;
  readonly sasl: Sasl;
  /** When the token ends; undefined where it does not say, or is a password. */
  readonly expiry: Date | undefined;

  constructor(at: string, { sasl, secret, cause }: { sasl: Sasl; secret: string; cause: unknown }) {
    const words = messageOf(cause);
    super(secret === '' ? words : words.replaceAll(secret, '…'), { cause });
    this.at = at;
    this.sasl = sasl;
    this.expiry = sasl.mechanism === 'oauthbearer' ? expiryOf(secret) : undefined;
  }
}

/** What kafkajs takes as `sasl`. Each connection, and each session of it, reads the password or the token anew. */
export function saslProvider(sasl: Sasl): {
  mechanism: string;
  authenticationProvider: AuthenticationProvider;
} {
  return {
    mechanism: sasl.mechanism,
    authenticationProvider: (context) => ({
      authenticate: async () => {
        const secret = sasl.secret();
        let failure: unknown;
        const saslAuthenticate: SaslExchange = async (call) => {
          try {
            return await context.saslAuthenticate(call);
          } catch (error) {
            failure = error;
            throw error;
          }
        };
        try {
          await authenticatorOf(sasl, secret)({ ...context, saslAuthenticate }).authenticate();
        } catch (error) {
          // kafkajs reports every failure as a refusal, a lost connection too.
          const cause = failure ?? error;
          if (isLostConnection(cause)) throw cause;
          throw new CredentialsRefusedError(`${context.host}:${context.port}`, { sasl, secret, cause });
        }
      },
    }),
  };
}

const BY_PASSWORD = { plain, 'scram-sha-256': scram256, 'scram-sha-512': scram512 } as const;

function authenticatorOf(sasl: Sasl, secret: string): AuthenticationProvider {
  if (sasl.mechanism === 'oauthbearer') return bearer(secret);
  return BY_PASSWORD[sasl.mechanism]({ username: sasl.username, password: secret });
}

/**
 * kafkajs reports a refused token as accepted: the refusal comes as a challenge, and the broker reports the failure
 * only after the client answers that challenge (RFC 7628, section 3.2.3).
 */
function bearer(token: string): AuthenticationProvider {
  const exchange = (message: string) => ({
    request: { encode: () => Promise.resolve(sized(message)) },
    response: {
      decode: (answer: Buffer) => Promise.resolve(answer.subarray(4).toString()),
      parse: (challenge: unknown) => Promise.resolve(challenge),
    },
  });
  return ({ saslAuthenticate }): Authenticator => ({
    authenticate: async () => {
      const challenge = await saslAuthenticate(exchange(`n,,\x01auth=Bearer ${token}\x01\x01`));
      if (challenge !== '') await saslAuthenticate(exchange('\x01'));
    },
  });
}

function sized(message: string): Buffer {
  const bytes = Buffer.from(message);
  const size = Buffer.alloc(4);
  size.writeInt32BE(bytes.length);
  return Buffer.concat([size, bytes]);
}

/** When a JSON web token ends (RFC 7519, section 4.1.4); undefined where it does not say, or is none. */
function expiryOf(token: string): Date | undefined {
  try {
    const claims = parsePlainJson(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    const { exp } = claims as { exp?: unknown };
    return typeof exp === 'number' ? new Date(exp * 1000) : undefined;
  } catch {
    return undefined;
  }
}

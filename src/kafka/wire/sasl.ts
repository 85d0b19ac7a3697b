import type {
  AuthenticationProvider,
  Authenticator,
  SaslExchange,
} from 'kafkajs/src/broker/saslAuthenticator/index.js';
import plain from 'kafkajs/src/broker/saslAuthenticator/plain.js';
import scram256 from 'kafkajs/src/broker/saslAuthenticator/scram256.js';
import scram512 from 'kafkajs/src/broker/saslAuthenticator/scram512.js';
import Connection from 'kafkajs/src/network/connection.js';
import protocol from 'kafkajs/src/protocol/requests/index.js';
import { messageOf } from '../../core/errors.ts';
import { isConnectionError } from '../errors.ts';
import { SaslHandshakeError, credentialsRefused } from '../sasl-errors.ts';
import type { Sasl } from '../settings.ts';

/** Of a session's life, when its credentials are shown again; as Kafka's own client does, at the earliest. */
const REAUTHENTICATE_AT = 0.85;
/** Brokers refuse it sooner after the last time. */
const REAUTHENTICATE_AFTER_MS = 1000;

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
          // kafkajs calls everything a refusal, a lost connection too.
          const cause = failure ?? error;
          if (isConnectionError(cause)) throw cause;
          const at = `${context.host}:${context.port}`;
          throw credentialsRefused({ at, sasl, secret, words: messageOf(cause), cause });
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
 * kafkajs takes a refused token for a good one: the refusal comes as a challenge, and the broker says that it has failed only
 * when that is answered (RFC 7628, section 3.2.3).
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

/** UNSUPPORTED_SASL_MECHANISM, and ILLEGAL_SASL_STATE where the port takes no SASL. */
const HANDSHAKE_REFUSED = new Set([33, 34]);

/** A refused handshake lists the mechanisms that the broker offers; kafkajs drops the list. */
const handshake = protocol.requests['SaslHandshake'];
if (handshake !== undefined) {
  const encodings = handshake.protocol;
  handshake.protocol = (options) => (args) => {
    const { request, response } = encodings(options)(args);
    const parse = (data: unknown): Promise<unknown> => {
      const { errorCode, enabledMechanisms } = data as { errorCode: number; enabledMechanisms: string[] };
      const { mechanism } = args as { mechanism: string };
      if (HANDSHAKE_REFUSED.has(errorCode)) throw new SaslHandshakeError(mechanism, enabledMechanisms);
      return response.parse(data);
    };
    return { request, response: { decode: response.decode, parse } };
  };
}

/** kafkajs begins 10 s before a session's end, however short that is: a session of 10 s would begin again with each request. */
Connection.prototype.isAuthenticated = function (this: Connection): boolean {
  if (this.authenticatedAt === null) return false;
  const lifetime = Number(this.sessionLifetime.toString());
  const [seconds, nanos] = process.hrtime(this.authenticatedAt);
  const age = seconds * 1000 + nanos / 1e6;
  return lifetime === 0 || age < Math.max(lifetime * REAUTHENTICATE_AT, REAUTHENTICATE_AFTER_MS);
};

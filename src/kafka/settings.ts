import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import type { KafkaConfig } from '../config/schema.ts';
import { UserError, messageOf } from '../core/errors.ts';

/** What a connection needs, with files read and the words of kafkajs. Holds secrets: never print it. */
export interface ConnectionSettings {
  /** `host:port` each. */
  brokers: readonly string[];
  clientId: string;
  /** Milliseconds. */
  connectTimeout: number;
  /** Milliseconds. */
  requestTimeout: number;
  tls: ConnectionOptions | null;
  sasl: Sasl | null;
}

type Sasl =
  | { mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'; username: string; password: string }
  | { mechanism: 'oauthbearer'; oauthBearerProvider: () => Promise<{ value: string }> };

/**
 * @throws UserError naming the key of hippo.yaml for a missing user name, an unreadable file or an address without a port
 */
export function connectionSettings(
  brokers: readonly string[],
  settings: KafkaConfig,
  clientId = settings.client_id,
): ConnectionSettings {
  return {
    brokers: checked(brokers),
    clientId,
    connectTimeout: settings.connect_timeout,
    requestTimeout: settings.request_timeout,
    tls: tlsOptions(settings.tls),
    sasl: settings.sasl === undefined ? null : saslOptions(settings.sasl),
  };
}

function checked(brokers: readonly string[]): readonly string[] {
  if (brokers.length === 0)
    throw new UserError('no Kafka broker is configured', {
      next: ['hippo up', 'set kafka.brokers in hippo.yaml, or HIPPO_BROKERS'],
    });
  for (const broker of brokers) {
    const port = Number(/^(?:\[[^\]]+\]|[^:\s/]+):(\d{1,5})$/.exec(broker)?.[1]);
    if (!(port >= 1 && port <= 65_535)) {
      throw new UserError(`"${broker}" is no address of a broker`, {
        why: 'a broker is host:port, e.g. 127.0.0.1:9092',
        next: ['set kafka.brokers in hippo.yaml, or HIPPO_BROKERS'],
        place: { key: 'kafka.brokers' },
      });
    }
  }
  return brokers;
}

function tlsOptions(tls: KafkaConfig['tls']): ConnectionOptions | null {
  if (tls === false) return null;
  if (tls === true) return {};
  return {
    ...(tls.ca_file === undefined ? {} : { ca: read(tls.ca_file, 'kafka.tls.ca_file') }),
    ...(tls.cert_file === undefined ? {} : { cert: read(tls.cert_file, 'kafka.tls.cert_file') }),
    ...(tls.key_file === undefined ? {} : { key: read(tls.key_file, 'kafka.tls.key_file') }),
    ...(tls.key_passphrase === undefined ? {} : { passphrase: tls.key_passphrase }),
    ...(tls.server_name === undefined ? {} : { servername: tls.server_name }),
  };
}

function saslOptions(sasl: NonNullable<KafkaConfig['sasl']>): Sasl {
  const { mechanism } = sasl;
  if (mechanism === 'oauthbearer') {
    const { token, token_file: file } = sasl;
    if (token === undefined && file === undefined)
      throw missing('kafka.sasl.token', 'or kafka.sasl.token_file');
    // A file is read for each connection: what renews the token writes it there.
    return {
      mechanism,
      oauthBearerProvider: () =>
        Promise.resolve({ value: token ?? read(file ?? '', 'kafka.sasl.token_file').trim() }),
    };
  }
  if (sasl.username === undefined) throw missing('kafka.sasl.username');
  const password =
    sasl.password ??
    (sasl.password_file === undefined
      ? undefined
      : read(sasl.password_file, 'kafka.sasl.password_file').trim());
  if (password === undefined) throw missing('kafka.sasl.password', 'or kafka.sasl.password_file');
  return { mechanism, username: sasl.username, password };
}

function missing(key: string, other = ''): UserError {
  return new UserError(`${key} is not set`, {
    why: 'the SASL mechanism of kafka.sasl needs it',
    next: [`set ${key} ${other}`.trim() + ' in hippo.yaml; ${VAR} takes it from the environment'],
    place: { key },
  });
}

function read(file: string, key: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UserError(`the file of ${key} cannot be read`, {
      why: messageOf(error),
      next: [`check ${key} in hippo.yaml`],
      place: { file, key },
      cause: error,
    });
  }
}

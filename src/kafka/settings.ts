import type { KafkaConfig } from '../config/schema.ts';
import { UserError } from '../core/errors.ts';
import { readSettingFile, unusableFile } from './setting-file.ts';
import { tlsOptions } from './tls.ts';
import type { ConnectionSettings, Sasl } from './wire/index.ts';

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
    sasl: settings.sasl === undefined ? null : saslSettings(settings.sasl),
    principal: principalOf(settings),
  };
}

/** Of a token and of a client certificate only the brokers know whom they name. */
function principalOf({ sasl, tls }: KafkaConfig): string | null {
  if (sasl !== undefined)
    return sasl.mechanism === 'oauthbearer' || sasl.username === undefined ? null : `User:${sasl.username}`;
  return typeof tls === 'object' && tls.cert_file !== undefined ? null : 'User:ANONYMOUS';
}

function checked(brokers: readonly string[]): readonly string[] {
  if (brokers.length === 0)
    throw new UserError('no Kafka broker is configured', {
      next: ['hippo up', 'set kafka.brokers in hippo.yaml, or HIPPO_BROKERS'],
    });
  for (const broker of brokers) {
    const port = Number(/^(?:\[[^\]]+\]|[^:\s/]+):(\d{1,5})$/.exec(broker)?.[1]);
    if (!(port >= 1 && port <= 65_535)) {
      throw new UserError(`"${broker}" is not the address of a broker`, {
        why: 'a broker is host:port, e.g. 127.0.0.1:9092',
        next: ['set kafka.brokers in hippo.yaml, or HIPPO_BROKERS'],
        place: { key: 'kafka.brokers' },
      });
    }
  }
  return brokers;
}

function saslSettings(sasl: NonNullable<KafkaConfig['sasl']>): Sasl {
  const { mechanism } = sasl;
  if (mechanism === 'oauthbearer')
    return { mechanism, ...secretOf(sasl.token, sasl.token_file, 'kafka.sasl.token') };
  if (sasl.username === undefined) throw missing('kafka.sasl.username');
  return {
    mechanism,
    username: sasl.username,
    ...secretOf(sasl.password, sasl.password_file, 'kafka.sasl.password'),
  };
}

function secretOf(
  value: string | undefined,
  file: string | undefined,
  key: string,
): Pick<Sasl, 'secret' | 'secretKey'> {
  if (value !== undefined) return { secret: () => value, secretKey: key };
  if (file === undefined) throw missing(key, `or ${key}_file`);
  const secretKey = `${key}_file`;
  const secret = (): string => {
    const text = readSettingFile(file, secretKey).replace(/\r?\n$/, '');
    if (text === '') throw unusableFile(file, secretKey, { problem: 'is empty' });
    return text;
  };
  // What is wrong with the file is better known before a broker is asked.
  secret();
  return { secret, secretKey };
}

function missing(key: string, other = ''): UserError {
  return new UserError(`${key} is not set`, {
    why: 'the SASL mechanism of kafka.sasl needs it',
    next: [`set ${key} ${other}`.trim() + ' in hippo.yaml; ${VAR} takes it from the environment'],
    place: { key },
  });
}

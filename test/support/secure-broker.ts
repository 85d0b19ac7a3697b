/** A real broker with a port for each way to be let in, and for each way to be turned away, and with an authorizer. */
import { createPrivateKey } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import getPort from 'get-port';
import type { BrokerProperties } from '../../src/stack/properties.ts';
import { startBroker } from '../../src/stack/broker.ts';
import { makeFolder } from './folder.ts';
import { createAuthority, selfSigned } from './certificates.ts';

/** Security protocols by the names of Kafka, and of each port with TLS the broker's certificate. */
const LISTENERS = {
  TLS: ['SSL', 'broker'],
  MTLS: ['SSL', 'broker'],
  EXPIRED: ['SSL', 'expired'],
  UNTRUSTED: ['SSL', 'untrusted'],
  SELF_SIGNED: ['SSL', 'self-signed'],
  OTHER_HOST: ['SSL', 'other-host'],
  SASL_TLS: ['SASL_SSL', 'broker'],
  SASL: ['SASL_PLAINTEXT'],
  /** Without SCRAM; credentials are to be shown again every {@link BRIEF_SESSION_MS}. */
  BRIEF: ['SASL_PLAINTEXT'],
} as const;
export type Port = 'PLAINTEXT' | keyof typeof LISTENERS;
const NAMES = Object.keys(LISTENERS) as (keyof typeof LISTENERS)[];

export const BRIEF_SESSION_MS = 2_000;

/** The one user of PLAIN and SCRAM; tokens may name anybody. */
export const USERNAME = 'hippo';
export const PASSWORD = 'correct horse battery staple';
/** Of certificates and tokens that have expired. */
export const EXPIRED = { from: '2023-01-01', to: '2024-01-01' } as const;
/** Of `client-encrypted.key`. */
export const PASSPHRASE = 'a long passphrase';

export interface SecureBroker {
  /** `host:port` */
  address: Record<Port, string>;
  /**
   * Certificates by name, `<name>.pem` and `<name>.key`, for hippo.yaml: ca; client, and what is wrong with another one: stranger,
   * expired-client; the broker's own.
   */
  certificates: string;
  stop(): Promise<void>;
}

/** Its data, log and certificates are in a temporary folder, which goes with it. */
export async function startSecureBroker(): Promise<SecureBroker> {
  const directory = await makeFolder('secure');
  const certificates = join(directory, 'certs');
  await makeCertificates(certificates);
  const address = {} as Record<Port, string>;
  for (const name of NAMES) {
    const host = name === 'OTHER_HOST' ? 'localhost' : '127.0.0.1';
    address[name] = `${host}:${await getPort({ host: '127.0.0.1' })}`;
  }
  const broker = await startBroker({
    directory,
    formatArguments: ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
      '--add-scram',
      `${mechanism}=[name=${USERNAME},password="${PASSWORD}"]`,
    ]),
    properties: ({ client, controller }) => {
      const listeners = [
        `PLAINTEXT://127.0.0.1:${client}`,
        ...NAMES.map((name) => `${name}://${address[name]}`),
      ];
      const protocols = NAMES.map((name) => `${name}:${LISTENERS[name][0]}`);
      return {
        listeners: [...listeners, `CONTROLLER://127.0.0.1:${controller}`].join(','),
        'advertised.listeners': listeners.join(','),
        'listener.security.protocol.map': ['PLAINTEXT:PLAINTEXT', 'CONTROLLER:PLAINTEXT', ...protocols].join(
          ',',
        ),
        'inter.broker.listener.name': 'PLAINTEXT',
        ...tlsProperties(certificates),
        ...saslProperties(),
        // What has no ACL is open to all; the user of ports without credentials may do everything.
        'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        'allow.everyone.if.no.acl.found': 'true',
        'super.users': 'User:ANONYMOUS',
      };
    },
  });
  return {
    address: { ...address, PLAINTEXT: `127.0.0.1:${broker.port}` },
    certificates,
    stop: async () => {
      await broker.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function makeCertificates(directory: string): Promise<void> {
  const hosts = ['127.0.0.1', 'localhost'];
  const [authority, another] = await Promise.all([createAuthority('Our CA'), createAuthority('Another CA')]);
  const client = await authority.issue({ name: 'client' });
  const encrypted = createPrivateKey(client.key).export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: PASSPHRASE,
  });
  const all = {
    ca: authority,
    client,
    'client-encrypted': { cert: client.cert, key: String(encrypted) },
    'expired-client': await authority.issue({ name: 'client', valid: EXPIRED }),
    stranger: await another.issue({ name: 'client' }),
    broker: await authority.issue({ name: 'broker', hosts }),
    expired: await authority.issue({ name: 'broker', hosts, valid: EXPIRED }),
    untrusted: await another.issue({ name: 'broker', hosts }),
    'self-signed': await selfSigned({ name: 'broker', hosts }),
    'other-host': await authority.issue({ name: 'broker', hosts: ['kafka.internal'] }),
  };
  await mkdir(directory);
  for (const [name, { cert, key }] of Object.entries(all)) {
    await writeFile(join(directory, `${name}.pem`), cert);
    await writeFile(join(directory, `${name}.key`), key, { mode: 0o600 });
    // As the broker wants it.
    await writeFile(join(directory, `${name}.both`), `${key}${cert}`, { mode: 0o600 });
  }
}

function tlsProperties(certificates: string): BrokerProperties {
  const properties: Record<string, string> = {
    'ssl.keystore.type': 'PEM',
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': join(certificates, 'ca.pem'),
    'listener.name.mtls.ssl.client.auth': 'required',
  };
  for (const name of NAMES) {
    const [, certificate] = LISTENERS[name];
    if (certificate === undefined) continue;
    const key = `listener.name.${name.toLowerCase()}.ssl.keystore.location`;
    properties[key] = join(certificates, `${certificate}.both`);
  }
  return properties;
}

function saslProperties(): BrokerProperties {
  const security = 'org.apache.kafka.common.security';
  const modules = {
    plain: `${security}.plain.PlainLoginModule required user_${USERNAME}="${PASSWORD}";`,
    'scram-sha-256': `${security}.scram.ScramLoginModule required;`,
    'scram-sha-512': `${security}.scram.ScramLoginModule required;`,
    oauthbearer: `${security}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="kafka";`,
  };
  const properties: Record<string, string> = {
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
    'listener.name.brief.sasl.enabled.mechanisms': 'PLAIN,OAUTHBEARER',
    'listener.name.brief.connections.max.reauth.ms': String(BRIEF_SESSION_MS),
  };
  for (const listener of ['sasl_tls', 'sasl', 'brief']) {
    for (const [mechanism, module] of Object.entries(modules)) {
      properties[`listener.name.${listener}.${mechanism}.sasl.jaas.config`] = module;
    }
  }
  return properties;
}

/** An unsecured JSON web token (RFC 7519, section 6), as the validator that Kafka brings takes it. */
export function unsecuredToken({ expired = false } = {}): string {
  const from = expired ? Date.parse(EXPIRED.from) : Date.now();
  const to = expired ? Date.parse(EXPIRED.to) : Date.now() + 3_600_000;
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part({ sub: USERNAME, iat: from / 1000, exp: to / 1000 })}.`;
}

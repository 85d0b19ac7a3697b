import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import { type LoadedConfig, loadConfig } from '../../src/config/load.ts';
import { HippoError } from '../../src/core/errors.ts';
import { newId } from '../../src/core/ids.ts';
import { connectKafka } from '../../src/kafka/connect.ts';
import type { Kafka } from '../../src/kafka/port.ts';
import { connectProject } from '../../src/kafka/project.ts';
import { jsonError, renderErrorReport } from '../../src/ui/errors.ts';
import { makeFolder } from '../support/folder.ts';
import { hippo } from '../support/cli.ts';
import { kafkaSettings, readAll, testTopic } from '../support/kafka.ts';
import {
  BRIEF_SESSION_MS,
  EXPIRED,
  PASSPHRASE,
  PASSWORD,
  type Port,
  type SecureBroker,
  USERNAME,
  startSecureBroker,
  unsecuredToken,
} from '../support/secure-broker.ts';

let broker: SecureBroker;
/** A hippo's project: certs/ and secrets/ as docs/SECURITY.md has them. */
let project: string;
const env = { KAFKA_PASSWORD: PASSWORD, KAFKA_KEY_PASSPHRASE: PASSPHRASE };

beforeAll(async () => {
  [broker, project] = await Promise.all([startSecureBroker(), makeFolder('project')]);
  await cp(broker.certificates, join(project, 'certs'), { recursive: true });
  await mkdir(join(project, 'secrets'));
  await writeFile(join(project, 'secrets/kafka-password'), `${PASSWORD}\n`, { mode: 0o600 });
  await writeFile(join(project, 'secrets/token'), `${unsecuredToken()}\n`, { mode: 0o600 });
  await writeFile(join(project, 'secrets/expired-token'), unsecuredToken({ expired: true }));
  await writeFile(join(project, 'secrets/empty'), '');
  const kafka = await connectKafka({ brokers: [broker.address.PLAINTEXT], settings: kafkaSettings() });
  await kafka.createTopics([{ topic: 'frontier-adw', partitions: 1, replicationFactor: 1, config: {} }]);
  await kafka.close();
});

afterAll(async () => {
  await broker.stop();
  await rm(project, { recursive: true, force: true });
});

type Section = Record<string, unknown>;
const ca = { ca_file: 'certs/ca.pem' };
const client = { cert_file: 'certs/client.pem', key_file: 'certs/client.key' };
const byPassword = (mechanism: string, more: Section = {}): Section => ({
  mechanism,
  username: USERNAME,
  password: '${KAFKA_PASSWORD}',
  ...more,
});

/** Writes a hippo.yaml with this section `kafka`. */
async function configFile(port: Port, section: Section): Promise<string> {
  const file = join(project, `${newId()}.yaml`);
  await writeFile(
    file,
    stringify({ name: 'secure', kafka: { brokers: [broker.address[port]], ...section } }),
  );
  return file;
}

/** From another folder than the project's: paths start at hippo.yaml. */
async function load(port: Port, section: Section): Promise<LoadedConfig> {
  return loadConfig({ file: await configFile(port, section), cwd: tmpdir(), env });
}

async function connect(port: Port, section: Section): Promise<Kafka> {
  const kafka = await connectProject(await load(port, section), env);
  onTestFinished(() => kafka.close());
  return kafka;
}

const WAYS_IN: [name: string, port: Port, section: Section][] = [
  ['TLS', 'TLS', { tls: ca }],
  ['TLS by another name', 'OTHER_HOST', { tls: { ...ca, server_name: 'kafka.internal' } }],
  ['TLS, the certificate itself trusted', 'SELF_SIGNED', { tls: { ca_file: 'certs/self-signed.pem' } }],
  ['a client certificate', 'MTLS', { tls: { ...ca, ...client } }],
  ['PLAIN over TLS', 'SASL_TLS', { tls: ca, sasl: byPassword('plain') }],
  ['SCRAM-SHA-256 over TLS', 'SASL_TLS', { tls: ca, sasl: byPassword('scram-sha-256') }],
  ['SCRAM-SHA-512 over TLS', 'SASL_TLS', { tls: ca, sasl: byPassword('scram-sha-512') }],
  [
    'a token over TLS',
    'SASL_TLS',
    { tls: ca, sasl: { mechanism: 'oauthbearer', token_file: 'secrets/token' } },
  ],
  [
    'SCRAM-SHA-512 without TLS',
    'SASL',
    { sasl: { mechanism: 'scram-sha-512', username: USERNAME, password_file: 'secrets/kafka-password' } },
  ],
];

describe('a broker lets us in, to write and to read, by', () => {
  test.each(WAYS_IN)('%s', async (_, port, section) => {
    const kafka = await connect(port, section);
    const topic = await testTopic(kafka);
    await (await kafka.producer()).send([{ topic, value: 'in' }]);
    expect((await readAll(kafka, topic)).map(({ value }) => value?.toString())).toEqual(['in']);
  });

  const distinct = WAYS_IN.filter(([name]) => !/by another name|itself|without/.test(name));
  test.concurrent.each(distinct)('%s: trigger and tail', async (name, port, section) => {
    const file = await configFile(port, section);
    const run = (args: string) => hippo([...args.split(' '), '--config', file], { env, cwd: tmpdir() });
    const method = name.replaceAll(/\W/g, '-');
    const triggered = await run(`trigger --table btd.party --partition yyyymm=201704 --method ${method}`);
    expect(triggered).toMatchObject({ exitCode: 0, stderr: '' });
    const tailed = await run('tail frontier --from beginning --exit-at-end --json');
    expect(tailed).toMatchObject({ exitCode: 0, stderr: '' });
    expect(tailed.stdout).toContain(`\\"method\\":\\"${method}\\"`);
  });
});

/** How it ends, as a person reads it; this broker's and this folder's names taken out. */
async function refusal(port: Port, section: Section): Promise<{ exitCode: number; text: string }> {
  const kafka = connect(port, section).catch((error: unknown) => error);
  const error = await kafka;
  if (!(error instanceof HippoError)) throw new Error('it was let in', { cause: error });
  const text = renderErrorReport(jsonError(error))
    .replaceAll(broker.address[port], 'BROKER')
    .replaceAll(`${project}/`, '')
    .replaceAll(/\S+\.yaml:/g, 'hippo.yaml:')
    .replaceAll(/--config \S+\.yaml/g, '--config FILE');
  return { exitCode: error.exitCode, text };
}

/** The whole error is compared. */
const refused =
  (exitCode: number) =>
  (title: string, port: Port, section: Section, ...lines: string[]): void => {
    test(title, async () => {
      expect(await refusal(port, section)).toEqual({ exitCode, text: lines.join('\n') });
    });
  };

describe("the broker's certificate is refused, with exit code 3: it", () => {
  const wrong = refused(3);
  wrong(
    'has expired',
    'EXPIRED',
    { tls: ca },
    '✗ the certificate of Kafka at BROKER has expired',
    "  → renew the broker's certificate",
  );
  const untrusted = [
    '✗ the certificate of Kafka at BROKER is not trusted',
    '  at kafka.tls.ca_file',
    '  No authority that this machine or kafka.tls.ca_file names has signed it.',
    "  → set kafka.tls.ca_file in hippo.yaml to its authority's certificate (PEM)",
  ];
  wrong('is of an unknown authority', 'UNTRUSTED', { tls: ca }, ...untrusted);
  wrong('is of an authority that only ca_file could name', 'TLS', { tls: true }, ...untrusted);
  wrong(
    'is self-signed',
    'SELF_SIGNED',
    { tls: ca },
    '✗ the certificate of Kafka at BROKER is self-signed',
    '  at kafka.tls.ca_file',
    '  It is signed by itself, and kafka.tls.ca_file does not hold it.',
    '  → set kafka.tls.ca_file in hippo.yaml to that certificate (PEM)',
  );
  wrong(
    'is for another host',
    'OTHER_HOST',
    { tls: ca },
    '✗ the certificate of Kafka at BROKER is for another host',
    '  at kafka.tls.server_name',
    "  Host: localhost. is not in the cert's altnames: DNS:kafka.internal",
    '  → name the broker in kafka.brokers as its certificate does',
    '    or set kafka.tls.server_name in hippo.yaml to a name of the certificate',
  );
});

describe('the broker refuses us, with exit code 3:', () => {
  const wrong = refused(3);
  wrong(
    'no client certificate',
    'MTLS',
    { tls: ca },
    '✗ Kafka at BROKER wants a client certificate',
    '  at kafka.tls.cert_file',
    '  → set kafka.tls.cert_file and kafka.tls.key_file in hippo.yaml',
  );
  wrong(
    'a client certificate of an unknown authority',
    'MTLS',
    { tls: { ...ca, cert_file: 'certs/stranger.pem', key_file: 'certs/stranger.key' } },
    '✗ Kafka at BROKER refuses our client certificate',
    '  at kafka.tls.cert_file',
    '  It sent the TLS alert "certificate unknown".',
    '  → check kafka.tls.cert_file in hippo.yaml: does the broker trust its authority?',
  );
  wrong(
    'a wrong password by PLAIN',
    'SASL_TLS',
    { tls: ca, sasl: byPassword('plain', { password: 'wrong' }) },
    '✗ Kafka at BROKER refuses the user name or password',
    '  at kafka.sasl.password',
    '  It knows no user hippo with this password (PLAIN).',
    '  → check kafka.sasl.username and kafka.sasl.password in hippo.yaml',
    '    hippo config    (shows where each value came from)',
  );
  wrong(
    'a wrong password by SCRAM',
    'SASL_TLS',
    { tls: ca, sasl: byPassword('scram-sha-512', { password: 'wrong' }) },
    '✗ Kafka at BROKER refuses the user name or password',
    '  at kafka.sasl.password',
    '  It knows no user hippo with this password (SCRAM-SHA-512).',
    '  → check kafka.sasl.username and kafka.sasl.password in hippo.yaml',
    '    hippo config    (shows where each value came from)',
  );
  wrong(
    'an unknown user',
    'SASL',
    { sasl: { mechanism: 'scram-sha-256', username: 'nobody', password_file: 'secrets/kafka-password' } },
    '✗ Kafka at BROKER refuses the user name or password',
    '  at kafka.sasl.password_file',
    '  It knows no user nobody with this password (SCRAM-SHA-256).',
    '  → check kafka.sasl.username and kafka.sasl.password_file in hippo.yaml',
    '    hippo config    (shows where each value came from)',
  );
  wrong(
    'an expired token',
    'SASL_TLS',
    { tls: ca, sasl: { mechanism: 'oauthbearer', token_file: 'secrets/expired-token' } },
    '✗ Kafka at BROKER refuses the token of kafka.sasl.token_file: it has expired',
    '  at kafka.sasl.token_file',
    '  It was good until 2024-01-01T00:00:00.000Z.',
    '  → put a new token into kafka.sasl.token_file',
    '    hippo config    (shows where each value came from)',
  );
  wrong(
    'not a token',
    'SASL',
    { sasl: { mechanism: 'oauthbearer', token: 'no token' } },
    '✗ Kafka at BROKER refuses the token of kafka.sasl.token',
    '  at kafka.sasl.token',
    '  The broker finds it invalid.',
    '  → put a new token into kafka.sasl.token',
    '    hippo config    (shows where each value came from)',
  );
  wrong(
    'a mechanism that is not offered',
    'BRIEF',
    { sasl: byPassword('scram-sha-256') },
    '✗ Kafka at BROKER does not offer SCRAM-SHA-256',
    '  at kafka.sasl.mechanism',
    '  It offers PLAIN, OAUTHBEARER.',
    '  → set kafka.sasl.mechanism in hippo.yaml to one of them',
  );
});

describe('the port is another one, with exit code 3:', () => {
  const wrong = refused(3);
  wrong(
    'TLS to a port without it',
    'PLAINTEXT',
    { tls: ca },
    '✗ Kafka cannot be reached at BROKER',
    '  at kafka.tls',
    '  BROKER: it broke off the TLS handshake; does this port speak TLS?',
    '  → set kafka.tls to false in hippo.yaml',
    "    or name the broker's TLS port in kafka.brokers",
  );
  const wantsTls = [
    '✗ Kafka at BROKER wants TLS',
    '  at kafka.tls',
    '  It answered with a TLS alert.',
    '  → set kafka.tls in hippo.yaml, to true or with ca_file',
    "    or name the broker's plain port in kafka.brokers",
  ];
  wrong('no TLS to a port with it', 'TLS', {}, ...wantsTls);
  wrong('SASL without TLS to a port with both', 'SASL_TLS', { sasl: byPassword('plain') }, ...wantsTls);
  wrong(
    'SASL to a port without it',
    'TLS',
    { tls: ca, sasl: byPassword('plain') },
    '✗ Kafka at BROKER takes no SASL',
    '  at kafka.sasl',
    "  → name the broker's SASL port in kafka.brokers",
    '    or remove kafka.sasl from hippo.yaml',
  );
  const wantsSasl = [
    '✗ Kafka cannot be reached at BROKER',
    '  at kafka.sasl',
    '  BROKER: it closed the connection at the first request; does this port',
    '  want SASL?',
    '  → set kafka.sasl in hippo.yaml',
    "    or name the broker's port without SASL in kafka.brokers",
  ];
  wrong('no SASL to a port with it', 'SASL', {}, ...wantsSasl);
  wrong('no SASL to a port with TLS and SASL', 'SASL_TLS', { tls: ca }, ...wantsSasl);
});

describe('hippo.yaml cannot be used, with exit code 2:', () => {
  const wrong = refused(2);
  wrong(
    'an authority that is not there',
    'TLS',
    { tls: { ca_file: 'certs/no.pem' } },
    '✗ the file of kafka.tls.ca_file cannot be read',
    '  at certs/no.pem (kafka.tls.ca_file)',
    '  there is no such file or folder',
    '  → check kafka.tls.ca_file in hippo.yaml',
  );
  wrong(
    'an authority that is no PEM',
    'TLS',
    { tls: { ca_file: 'secrets/token' } },
    '✗ the file of kafka.tls.ca_file holds no certificate',
    '  at secrets/token (kafka.tls.ca_file)',
    '  It must be PEM: -----BEGIN CERTIFICATE-----',
    '  → check kafka.tls.ca_file in hippo.yaml',
  );
  wrong(
    'a client certificate without its key',
    'MTLS',
    { tls: { ...ca, cert_file: client.cert_file } },
    '✗ kafka.tls.key_file is missing; cert_file needs it',
    '  at hippo.yaml:5:3 (kafka.tls.key_file)',
    '  → hippo config --config FILE    (checks it again)',
  );
  wrong(
    'the key of another certificate',
    'MTLS',
    { tls: { ...ca, ...client, key_file: 'certs/stranger.key' } },
    '✗ the file of kafka.tls.key_file holds the key of another certificate',
    '  at certs/stranger.key (kafka.tls.key_file)',
    '  The certificate is certs/client.pem.',
    '  → check kafka.tls.key_file in hippo.yaml',
  );
  wrong(
    'a key that is none',
    'MTLS',
    { tls: { ...ca, ...client, key_file: 'certs/ca.pem' } },
    '✗ the file of kafka.tls.key_file holds no private key',
    '  at certs/ca.pem (kafka.tls.key_file)',
    '  It must be PEM: -----BEGIN PRIVATE KEY-----',
    '  → check kafka.tls.key_file in hippo.yaml',
  );
  wrong(
    'an encrypted key without its passphrase',
    'MTLS',
    { tls: { ...ca, ...client, key_file: 'certs/client-encrypted.key' } },
    '✗ kafka.tls.key_passphrase is not set',
    '  at certs/client-encrypted.key (kafka.tls.key_passphrase)',
    '  The key of kafka.tls.key_file is encrypted.',
    '  → set kafka.tls.key_passphrase in hippo.yaml; ${VAR} takes it from the environment',
  );
  wrong(
    'an encrypted key with a wrong passphrase',
    'MTLS',
    { tls: { ...ca, ...client, key_file: 'certs/client-encrypted.key', key_passphrase: 'wrong' } },
    '✗ kafka.tls.key_passphrase does not open the key of kafka.tls.key_file',
    '  at certs/client-encrypted.key (kafka.tls.key_passphrase)',
    '  → check kafka.tls.key_passphrase in hippo.yaml',
  );
  wrong(
    'a client certificate that has expired',
    'MTLS',
    { tls: { ...ca, cert_file: 'certs/expired-client.pem', key_file: 'certs/expired-client.key' } },
    `✗ the file of kafka.tls.cert_file holds a certificate that has expired on\n  ${EXPIRED.to}`,
    '  at certs/expired-client.pem (kafka.tls.cert_file)',
    '  → check kafka.tls.cert_file in hippo.yaml',
  );
  wrong(
    'no user name',
    'SASL',
    { sasl: { mechanism: 'plain', password: '${KAFKA_PASSWORD}' } },
    '✗ kafka.sasl.username is missing; plain needs it',
    '  at hippo.yaml:5:3 (kafka.sasl.username)',
    '  → hippo config --config FILE    (checks it again)',
  );
  wrong(
    'a variable that is not set',
    'SASL',
    { sasl: byPassword('plain', { password: '${NO_PASSWORD}' }) },
    '✗ kafka.sasl.password needs the environment variable NO_PASSWORD, which is not',
    '  set',
    '  at hippo.yaml:8:15 (kafka.sasl.password)',
    '  → hippo config --config FILE    (checks it again)',
  );
  wrong(
    'a password file that is not there',
    'SASL',
    { sasl: { mechanism: 'plain', username: USERNAME, password_file: 'secrets/no' } },
    '✗ the file of kafka.sasl.password_file cannot be read',
    '  at secrets/no (kafka.sasl.password_file)',
    '  there is no such file or folder',
    '  → check kafka.sasl.password_file in hippo.yaml',
  );
  wrong(
    'an empty token file',
    'SASL',
    { sasl: { mechanism: 'oauthbearer', token_file: 'secrets/empty' } },
    '✗ the file of kafka.sasl.token_file is empty',
    '  at secrets/empty (kafka.sasl.token_file)',
    '  → check kafka.sasl.token_file in hippo.yaml',
  );
  wrong(
    'a password and a file of it',
    'SASL',
    { sasl: byPassword('plain', { password_file: 'secrets/kafka-password' }) },
    '✗ kafka.sasl.password_file says again what password says; leave one of them out',
    '  at hippo.yaml:9:20 (kafka.sasl.password_file)',
    '  → hippo config --config FILE    (checks it again)',
  );
});

describe('no secret is told, also with --json and HIPPO_DEBUG:', () => {
  const secret = 'S3CR3T';
  test.concurrent.each<[title: string, port: Port, section: Section, exitCode: number, message: RegExp]>([
    [
      'a password that is refused',
      'SASL',
      { sasl: byPassword('plain', { password: secret }) },
      3,
      /refuses the user name or password$/,
    ],
    [
      'a password that is right',
      'SASL',
      { sasl: byPassword('scram-sha-256') },
      2,
      /^topic nowhere does not exist$/,
    ],
    [
      'a token',
      'SASL_TLS',
      { tls: ca, sasl: { mechanism: 'oauthbearer', token: secret } },
      3,
      /refuses the token of kafka\.sasl\.token$/,
    ],
    [
      'a passphrase',
      'MTLS',
      { tls: { ...ca, ...client, key_file: 'certs/client-encrypted.key', key_passphrase: secret } },
      2,
      /^kafka\.tls\.key_passphrase does not open/,
    ],
  ])('%s', async (_, port, section, exitCode, message) => {
    const args = ['tail', 'nowhere', '--exit-at-end', '--json', '--config', await configFile(port, section)];
    const result = await hippo(args, { env: { ...env, HIPPO_DEBUG: '1' } });
    expect(result.exitCode).toBe(exitCode);
    const { error } = JSON.parse(result.stdout) as { error: { message: string } };
    expect(error.message).toMatch(message);
    const said = result.stdout + result.stderr;
    for (const word of [secret, PASSWORD, PASSPHRASE, 'PRIVATE KEY']) expect(said).not.toContain(word);
  });
});

test('hippo doctor says whether the broker lets us in', async () => {
  const doctor = async (port: Port) =>
    hippo(['doctor', 'kafka', '--config', await configFile(port, { tls: ca })], { cwd: tmpdir() });
  const [well, ill] = await Promise.all([doctor('TLS'), doctor('EXPIRED')]);
  expect(well).toMatchObject({ exitCode: 0, stderr: '' });
  expect(ill).toMatchObject({ exitCode: 1, stderr: '' });
  expect(ill.stdout).toContain(`The certificate of Kafka at ${broker.address.EXPIRED} has expired`);
});

test('a token is read again for each new connection', async () => {
  const file = join(project, 'secrets/renewed-token');
  await writeFile(file, unsecuredToken());
  const kafka = await connect('SASL', { sasl: { mechanism: 'oauthbearer', token_file: file } });
  const topic = await testTopic(kafka);
  await (await kafka.producer()).send([{ topic, value: 'in' }]);
  await writeFile(file, unsecuredToken({ expired: true }));
  await expect(readAll(kafka, topic)).rejects.toThrow(
    /refuses the token of kafka\.sasl\.token_file: it has expired$/,
  );
  await writeFile(file, unsecuredToken());
  expect(await readAll(kafka, topic)).toHaveLength(1);
});

test('a session that the broker wants to be renewed goes on: reader, writers and membership', async () => {
  const kafka = await connect('BRIEF', { sasl: byPassword('plain') });
  const topic = await testTopic(kafka);
  const events: string[] = [];
  const membership = await kafka.join({
    group: `g-${topic}`,
    topics: [topic],
    sessionTimeout: 6_000,
    heartbeatInterval: 200,
    onGained: () => events.push('gained'),
    onLost: (reason) => events.push(`lost: ${reason}`),
    onStandby: () => events.push('standby'),
    onDisconnected: () => events.push('disconnected'),
    onConnected: () => events.push('connected'),
    onCrash: (error) => events.push(`crashed: ${error.message}`),
  });
  onTestFinished(() => membership.leave());
  const producer = await kafka.producer();
  const transactions = await kafka.transactionalProducer(`t-${topic}`);
  const reader = await kafka.reader({ from: [{ topic, partition: 0, offset: 0n }], patience: 1_000 });
  const read: string[] = [];
  const reading = (async () => {
    for await (const { records } of reader) read.push(...records.map(({ value }) => String(value)));
  })();
  const written: string[] = [];
  const renewed = Date.now() + 2 * BRIEF_SESSION_MS;
  while (Date.now() < renewed) {
    written.push(`${written.length}`, `${written.length + 1}`);
    const [one = '', other = ''] = written.slice(-2);
    await producer.send([{ topic, value: one }]);
    await transactions.write([{ topic, value: other }]);
    await sleep(100);
  }
  // What has been idle for longer than a session does too.
  await sleep(1.5 * BRIEF_SESSION_MS);
  await producer.send([{ topic, value: 'last' }]);
  await expect.poll(() => read).toEqual([...written, 'last']);
  expect(await membership.confirm()).toBe(true);
  expect(events).toEqual(['gained']);
  await reader.close();
  await reading;
});

describe('docs/SECURITY.md', async () => {
  const text = await readFile(new URL('../../docs/SECURITY.md', import.meta.url), 'utf8');
  const examples = [...text.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, yaml = '']) => yaml);

  test.each(examples)('each example lets us in (%#)', async (yaml) => {
    const file = join(project, `${newId()}.yaml`);
    await writeFile(file, yaml);
    const profile = yaml.includes('profiles:') ? 'prod' : undefined;
    const loaded = await loadConfig({ file, profile, cwd: tmpdir(), env });
    const { tls, sasl } = loaded.config.kafka;
    const port = sasl !== undefined ? 'SASL_TLS' : typeof tls === 'object' && tls.cert_file ? 'MTLS' : 'TLS';
    const kafka = await connectProject(loaded, { ...env, HIPPO_BROKERS: broker.address[port] });
    onTestFinished(() => kafka.close());
    expect((await kafka.cluster()).brokers).toHaveLength(1);
  });

  test('there are five of them', () => {
    expect(examples).toHaveLength(5);
  });
});

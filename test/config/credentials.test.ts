import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import type { KafkaConfig } from '../../src/config/schema.ts';

async function kafkaOf(yaml: string, env: NodeJS.ProcessEnv = {}, profile?: string): Promise<KafkaConfig> {
  const directory = await mkdtemp(join(tmpdir(), 'hippo-test-credentials-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, 'hippo.yaml');
  await writeFile(file, yaml);
  return (await loadConfig({ file, cwd: directory, env, profile })).config.kafka;
}

const BY_FILE = 'kafka: { sasl: { mechanism: plain, username: hippo, password_file: /run/password } }';
const BY_VALUE = 'kafka: { sasl: { mechanism: plain, username: hippo, password: written } }';

test('a password of the environment goes before a password file of hippo.yaml', async () => {
  const { sasl } = await kafkaOf(BY_FILE, { HIPPO_SASL_PASSWORD: 'from outside' });
  expect(sasl).toEqual({ mechanism: 'plain', username: 'hippo', password: 'from outside' });
});

test('a password file of the environment goes before a password of hippo.yaml', async () => {
  const { sasl } = await kafkaOf(BY_VALUE, { HIPPO_SASL_PASSWORD_FILE: '/run/other' });
  expect(sasl).toEqual({ mechanism: 'plain', username: 'hippo', password_file: '/run/other' });
});

test("a profile's token file goes before a token", async () => {
  const { sasl } = await kafkaOf(
    [
      'kafka: { sasl: { mechanism: oauthbearer, token: written } }',
      'profiles: { prod: { kafka: { sasl: { token_file: /run/token } } } }',
    ].join('\n'),
    {},
    'prod',
  );
  expect(sasl).toEqual({ mechanism: 'oauthbearer', token_file: '/run/token' });
});

test("a profile's client certificate completes what is written above it", async () => {
  const { tls } = await kafkaOf(
    [
      'kafka: { tls: { ca_file: /etc/ca.pem } }',
      'profiles: { prod: { kafka: { tls: { cert_file: /etc/c.pem, key_file: /etc/c.key } } } }',
    ].join('\n'),
    { HIPPO_TLS_SERVER_NAME: 'kafka.internal' },
    'prod',
  );
  expect(tls).toEqual({
    ca_file: '/etc/ca.pem',
    cert_file: '/etc/c.pem',
    key_file: '/etc/c.key',
    server_name: 'kafka.internal',
  });
});

import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeFolder } from '../support/folder.ts';
import { hippo } from '../support/cli.ts';

const YAML = `name: etl
kafka:
  brokers: broker-1:9093
  sasl: { mechanism: plain, username: ann, password: "\${KAFKA_AUTH:-hunter2}" }
jobs:
  load:
    needs: [{ table: a.b }]
    args: [--password, hunter3]
profiles:
  prod:
    kafka: { sasl: { password: "\${PROD_AUTH}" } }
`;

let folder: string;
beforeAll(async () => {
  folder = await makeFolder('config');
  await writeFile(join(folder, 'hippo.yaml'), YAML);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const config = (args: string[], env: Record<string, string> = {}) =>
  hippo(['config', ...args], {
    cwd: folder,
    env: { HIPPO_BROKERS: '', HIPPO_CONFIG: '', HIPPO_PROFILE: '', ...env },
  });

test('hippo config, of a section, as a person sees it', async () => {
  const { stdout, exitCode } = await config(['kafka.sasl', '--profile', 'prod'], { PROD_AUTH: 'hunter4' });
  expect(stdout.split('\n').slice(1).join('\n')).toBe(
    `kafka:
  sasl:
    mechanism: plain                    # hippo.yaml:4:22
    username: ann                       # hippo.yaml:4:39
    password: "***"                # profile prod, hippo.yaml:11:32 \${PROD_AUTH}
`,
  );
  expect(exitCode).toBe(0);
});

test.each([
  { what: 'the text', args: [], code: 0 },
  { what: '--json', args: ['--json'], code: 0 },
  { what: 'a profile', args: ['--profile', 'prod', '--json'], code: 0 },
  { what: 'an error', args: ['kafka.sasl.passwd'], code: 2 },
  { what: 'an error of a profile', args: ['--profile', 'prd', '--json'], code: 2 },
])('$what shows no secret', async ({ args, code }) => {
  const { stdout, stderr, exitCode } = await config(args, { KAFKA_AUTH: 'hunter5', PROD_AUTH: 'hunter6' });
  expect(`${stdout}${stderr}`).not.toMatch(/hunter\d/);
  expect(exitCode).toBe(code);
});

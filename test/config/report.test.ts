import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { type ConfigReport, reportConfig } from '../../src/config/report.ts';
import { writeStackFile } from '../../src/config/stack-file.ts';
import type { HippoError } from '../../src/core/errors.ts';
import { renderConfig } from '../../src/ui/config.ts';
import { jsonError, renderErrorReport } from '../../src/ui/errors.ts';

let project: string;
beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), 'hippo-config-'));
});
afterEach(() => rm(project, { recursive: true, force: true }));

interface Given {
  yaml?: string;
  env?: NodeJS.ProcessEnv;
  profile?: string;
  section?: string;
}

async function report({ yaml, env = {}, profile, section }: Given): Promise<ConfigReport> {
  if (yaml !== undefined) await writeFile(join(project, 'hippo.yaml'), yaml);
  return reportConfig(await loadConfig({ cwd: project, env, profile }), env, { section });
}

/** The text without the line that names the file, which is another one each time. */
const text = async (given: Given): Promise<string> =>
  renderConfig(await report(given))
    .split('\n')
    .slice(1)
    .join('\n');

async function originOf(key: string, given: Given): Promise<unknown> {
  return (await report(given)).values.find((value) => value.key === key)?.origin;
}

describe('where each value came from', () => {
  const yaml = `name: etl
kafka:
  client_id: \${CLIENT:-me}
profiles:
  prod:
    kafka:
      client_id: prod
`;

  test.each<{ origin: unknown; key: string; given: Given }>([
    { origin: { from: 'default' }, key: 'kafka.request_timeout', given: { yaml } },
    { origin: { from: 'file', file: 'hippo.yaml', line: 1, column: 7 }, key: 'name', given: { yaml } },
    {
      origin: { from: 'file', file: 'hippo.yaml', line: 3, column: 14, variables: ['CLIENT'] },
      key: 'kafka.client_id',
      given: { yaml },
    },
    {
      origin: { from: 'profile', profile: 'prod', file: 'hippo.yaml', line: 7, column: 18 },
      key: 'kafka.client_id',
      given: { yaml, profile: 'prod' },
    },
    {
      origin: { from: 'environment', variable: 'HIPPO_TOPICS_PREFIX' },
      key: 'topics.prefix',
      given: { yaml, env: { HIPPO_TOPICS_PREFIX: 'uat-' } },
    },
    {
      origin: { from: 'environment', variable: 'HIPPO_BROKERS' },
      key: 'kafka.brokers',
      given: { yaml: 'kafka: { brokers: ["${H:-a}:1"] }', env: { HIPPO_BROKERS: 'b:2' } },
    },
    {
      origin: { from: 'file', file: 'hippo.yaml', line: 1, column: 19 },
      key: 'kafka.brokers',
      given: { yaml: 'kafka: { brokers: "a:1" }' },
    },
    { origin: { from: 'nowhere' }, key: 'kafka.brokers', given: { yaml } },
  ])('$key: $origin', async ({ origin, key, given }) => {
    expect(await originOf(key, given)).toEqual(origin);
  });

  test('the local stack, and the folder that names a hippo', async () => {
    await writeStackFile(project, {
      version: 1,
      brokers: ['127.0.0.1:5'],
      kafka: { pid: process.pid, port: 5, dataDirectory: '', logFile: '', version: '4' },
      spark: null,
      startedAt: '',
    });
    const { values } = await report({});
    expect(values.find(({ key }) => key === 'kafka.brokers')).toMatchObject({
      value: ['127.0.0.1:5'],
      origin: { from: 'stack', file: join(project, '.hippo', 'stack.json'), alive: true },
    });
    expect(values.find(({ key }) => key === 'name')?.origin).toEqual({ from: 'folder', folder: project });
  });
});

const SECRETS = `kafka:
  brokers: ["\${HOST:-127.0.0.1}:9092"]
  connect_timeout: 90
  sasl:
    mechanism: plain
    username: ann
    password: \${KAFKA_AUTH:-hunter2}
  tls: { ca_file: /etc/ca.pem, key_passphrase: swordfish }
jobs:
  load:
    every: month
    needs:
      - table: btd.party
        partition: { yyyymm: "{{ window | date: '%Y%m' }}" }
      - any_of: [{ job: other.hippo/daily }, { table: a.b }]
    args: [--password, "\${KAFKA_AUTH:-hunter2}", --jdbc=jdbc:x?password=abc&ssl=1, --user=ann, "--region=\${REGION:-eu-central-1}"]
    env: { DB_PASSWORD: opensesame, PASSWORD_FILE: /etc/pw, URL: "http://ann:pw1@h/", NOTE: "pw is \${KAFKA_AUTH:-hunter2}!" }
`;
const SECRET_TEXTS = ['hunter2', 'swordfish', 'opensesame', 'abc&', 'pw1', 'fromEnv'];

test('the whole text: YAML, each value with its origin, secrets masked', async () => {
  expect(await text({ yaml: SECRETS, section: 'kafka' })).toBe(
    `kafka:
  brokers: [127.0.0.1:9092]             # hippo.yaml:2:3 \${HOST}
  client_id: hippo                      # default
  connect_timeout: 90s                  # hippo.yaml:3:20
  request_timeout: 30s                  # default
  tls:
    ca_file: /etc/ca.pem                # hippo.yaml:8:19
    key_passphrase: "***"               # hippo.yaml:8:48
  sasl:
    mechanism: plain                    # hippo.yaml:5:16
    username: ann                       # hippo.yaml:6:15
    password: "***"                     # hippo.yaml:7:15 \${KAFKA_AUTH}`,
  );
  expect(await text({ yaml: SECRETS, section: 'jobs.load' })).toBe(
    `jobs:
  load:
    every: month                        # hippo.yaml:11:12
    needs:
      - table: btd.party                # hippo.yaml:13:16
        partition:
          yyyymm: "{{ window | date: '%Y%m' }}"  # hippo.yaml:14:30
      - any_of:
          - job: other.hippo/daily      # hippo.yaml:15:25
          - table: a.b                  # hippo.yaml:15:55
    run: ./start-spark.sh               # default
    args:                              # hippo.yaml:16:5 \${KAFKA_AUTH} \${REGION}
      - --password
      - "***"
      - --jdbc=jdbc:x?password=***&ssl=1
      - --user=ann
      - --region=eu-central-1
    env:
      DB_PASSWORD: "***"                # hippo.yaml:17:25
      PASSWORD_FILE: /etc/pw            # hippo.yaml:17:52
      URL: http://ann:***@h/            # hippo.yaml:17:66
      NOTE: pw is ***!                  # hippo.yaml:17:93 \${KAFKA_AUTH}
    expected: true                      # default
    retries:
      attempts: 0                       # default
      backoff: 30s                      # default
      max_backoff: 30m                  # default
    concurrency: 1                      # default
    on_reland: rerun                    # default
    while_paused: keep                  # default
    result: optional                    # default
    keep_result: false                  # default`,
  );
});

test.each<{ what: string; env: NodeJS.ProcessEnv }>([
  { what: 'its default in hippo.yaml', env: {} },
  { what: 'the environment', env: { KAFKA_AUTH: 'fromEnv' } },
  { what: 'an override', env: { KAFKA_AUTH: 'fromEnv', HIPPO_SASL_PASSWORD: 'fromEnv2' } },
])('no secret is shown, be it from $what', async ({ env }) => {
  const found = await report({ yaml: SECRETS, env });
  for (const secret of SECRET_TEXTS) {
    expect(JSON.stringify(found)).not.toContain(secret);
    expect(renderConfig(found)).not.toContain(secret);
  }
});

test.each([
  { yaml: 'kafka:\n  sasl:\n    password: *hunter2\n', why: 'names an anchor' },
  { yaml: 'kafka:\n  sasl:\n    password: |hunter2\n', why: 'Block scalar header' },
  { yaml: '- a\npassword: hunter2\n', why: 'is not YAML' },
  { yaml: 'kafka:\n  sasl:\n    password: "hunter2"x\n', why: 'is not YAML' },
  { yaml: 'kafka:\n  sasl: { mechanism: plain, password: hunter2 }\n', why: 'username is missing' },
  { yaml: 'kafka:\n  sasl: { mechanism: hunter2, username: a, password: hunter2 }\n', why: 'must be one of' },
  { yaml: 'kafka:\n  sasl: hunter2\n', why: 'must be a mapping' },
  { yaml: 'kafka:\n  sasl: { password: "${hunter2:x}" }\n', why: 'must name a variable' },
])('an error does not quote a password: $yaml', async ({ yaml, why }) => {
  const error = (await report({ yaml }).catch((thrown: unknown) => thrown)) as HippoError;
  expect(error).toMatchObject({ kind: 'user', exitCode: 2 });
  const shown = renderErrorReport(jsonError(error)) + JSON.stringify(error);
  expect(shown).toContain(why);
  expect(shown).not.toContain('hunter2');
});

test('a section that is not there: what was meant', async () => {
  await expect(report({ section: 'kafka.brokrs' })).rejects.toMatchObject({
    message: 'there is no kafka.brokrs in the configuration',
    why: 'Did you mean kafka.brokers?',
    exitCode: 2,
  });
  await expect(report({ section: 'nothing' })).rejects.toMatchObject({
    why: 'Its sections: name, kafka, topics, calendar, client, logs, yarn, trigger, jobs, sources, services, models, stack.',
  });
});

test('an origin that does not fit behind its value stands above it', async () => {
  const run = './a-program-with-quite-a-long-name-in-a-folder-of-its-own.sh';
  const yaml = `jobs:\n  load:\n    needs: [{ table: a.b }]\n    run: ${run}\n`;
  expect(await text({ yaml, section: 'jobs.load.run' })).toBe(
    `jobs:\n  load:\n    # hippo.yaml:4:10\n    run: ${run}`,
  );
});

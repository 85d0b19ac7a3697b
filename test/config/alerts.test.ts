import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { reportConfig } from '../../src/config/report.ts';
import type { Config } from '../../src/config/schema.ts';

const BASE = `alerts:
  receivers:
    ops: { slack: { url: "\${SLACK}" }, quiet: { from: "22:00", to: "07:00" } }
    pager: { alertmanager: { url: http://am:9093 } }
`;

async function alerts(
  text: string,
  env: NodeJS.ProcessEnv = { SLACK: 'https://s/x' },
): Promise<Config['alerts']> {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'hippo-test-alerts-'));
  const file = join(folder.path, 'hippo.yaml');
  await writeFile(file, text);
  const profile = text.includes('profiles:') ? 'dev' : undefined;
  return (await loadConfig({ file, cwd: folder.path, env, profile })).config.alerts;
}
const inProfile = (text: string): string => `${BASE}profiles: { dev: { alerts: ${text} } }`;

describe('a profile', () => {
  it('switches alerts off, and then needs none of their variables', async () => {
    expect(await alerts(inProfile('false'), {})).toBeUndefined();
  });

  it('leaves out one receiver, changes another and adds one', async () => {
    const changed = await alerts(
      inProfile(
        '{ receivers: { pager: false, ops: { quiet: { to: "08:00" } }, hook: { webhook: { url: http://h/ } } } }',
      ),
    );
    expect(Object.keys(changed?.receivers ?? {})).toEqual(['ops', 'hook']);
    expect(changed?.receivers['ops']).toMatchObject({
      slack: { url: 'https://s/x' },
      quiet: { from: '22:00', to: '08:00' },
    });
  });

  it('gives a receiver another kind, without what only the former has', async () => {
    const changed = await alerts(
      inProfile('{ receivers: { ops: { alertmanager: { url: http://am:9093 } } } }'),
    );
    expect(changed?.receivers['ops']).toEqual({
      resolved: true,
      alertmanager: { url: 'http://am:9093', headers: {}, timeout: 10_000 },
    });
  });
});

it.each([
  ['{ slack: { url: "https://u:s3cret@h/x" } }', /slack\.url must be a URL .* without user:password@/],
  ['{ slack: { url: https://h }, teams: { url: https://h } }', /does not go with slack; exactly one/],
  ['{ slak: { url: https://h } }', /Did you mean slack/],
  ['{ alertmanager: { url: http://h }, rate: 1/h }', /rate.*goes with webhook or slack or teams or email/s],
  ['{ slack: { url: https://h }, rate: often }', /must be messages per time/],
  ['{ slack: { url: https://h }, quiet: { from: "22:00", to: "22:00" } }', /is the same as from/],
  ['{ slack: { url: https://h }, conditions: [faild] }', /Did you mean failed/],
  ['{ email: { smtp: "smtps://u@h", from: a@b.c, to: [d@e.f] } }', /password_file.*is missing/s],
  ['{ email: { smtp: smtps://h, from: "a@b.c\\nBcc: x@y", to: [d@e.f] } }', /must be an address/],
])('%s is refused', async (receiver, problem) => {
  await expect(alerts(`alerts: { receivers: { ops: ${receiver} } }`)).rejects.toMatchObject({
    message: expect.anything() as string,
  });
  const error: unknown = await alerts(`alerts: { receivers: { ops: ${receiver} } }`).catch(
    (thrown: unknown) => thrown,
  );
  const text = JSON.stringify(error).replaceAll('\\n', '\n');
  expect(text).toMatch(problem);
  expect(text).not.toContain('s3cret');
});

it('hippo config masks URLs and headers', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'hippo-test-alerts-'));
  const file = join(folder.path, 'hippo.yaml');
  await writeFile(
    file,
    'alerts: { receivers: { h: { webhook: { url: http://h/s3cret, headers: { X-Y: s3cret } } } } }',
  );
  const env = {};
  const report = reportConfig(await loadConfig({ file, cwd: folder.path, env }), env);
  expect(JSON.stringify(report)).not.toContain('s3cret');
});

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileProject } from '../../../src/client/host/project.ts';
import { loadConfig } from '../../../src/config/load.ts';

const text = await readFile(new URL('../../../docs/CLIENT.md', import.meta.url), 'utf8');
const blocks = [...text.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, yaml = '']) => yaml);

describe('each hippo.yaml in docs/CLIENT.md', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hippo-docs-'));
    await writeFile(join(folder, 'holidays.yaml'), '- 2017-04-14\n');
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('is there', () => {
    expect(blocks).toHaveLength(11);
  });

  it.each(blocks)('is one that a client runs with:\n%s', async (yaml) => {
    const file = join(folder, 'hippo.yaml');
    await writeFile(file, `name: sales\n${yaml}`);
    const loaded = await loadConfig({ file, cwd: folder, env: {} });
    if (yaml.includes('jobs:')) expect((await compileProject(loaded)).definition.jobs.size).toBe(1);
    else if (yaml.includes('logs:')) expect(loaded.config.logs.keep).toBe(14 * 86_400_000);
    else expect(loaded.config.client.kafka_grace).toBe(6 * 3_600_000);
  });
});

import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { ANSWERS_FILE } from '../../src/scaffold/answers-file.ts';
import { newProject } from '../../src/scaffold/new-project.ts';
import { listTemplates } from '../../src/scaffold/template.ts';
import { findingsOfRuff, findingsOfShellcheck, findingsOfTsc } from './critics.ts';
import { filesOf } from './project.ts';

/** Their content depends on hippo's version or schema. */
const VERSIONED = [ANSWERS_FILE, 'hippo.schema.json'];
const hasShellcheck = spawnSync('shellcheck', ['--version']).status === 0;

/** Every type of hippo, by the sample's answers: what `hippo new TYPE NAME --yes` makes. */
describe.each(listTemplates().map(({ type }) => ({ type })))('the sample of $type', ({ type }) => {
  let project = '';
  let files: string[] = [];

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hippo-project-'));
    project = join(folder, 'sample');
    const options = { given: {}, from: 'sample', force: false, dryRun: false } as const;
    await newProject({ type, name: 'sample', directory: project, ...options });
    files = await filesOf(project);
  });
  afterAll(async () => {
    await rm(dirname(project), { recursive: true, force: true });
  });

  it('is these files', async () => {
    await expect(`${files.join('\n')}\n`).toMatchFileSnapshot(`snapshots/${type}/sample/files.snap`);
    for (const file of files.filter((path) => !VERSIONED.includes(path))) {
      const text = await readFile(join(project, file), 'utf8');
      await expect(text).toMatchFileSnapshot(`snapshots/${type}/sample/${file}.snap`);
    }
    // Of a file that is no longer made, the snapshot goes, too.
    const snapshots = await filesOf(join(import.meta.dirname, `snapshots/${type}/sample`));
    const expected = ['files', ...files.filter((path) => !VERSIONED.includes(path))];
    expect(snapshots.toSorted()).toEqual(expected.map((path) => `${path}.snap`).toSorted());
  });

  it('has a hippo.yaml of its type that loads', async () => {
    const { config } = await loadConfig({ cwd: project, env: {} });
    expect({ name: config.name, type: config.type }).toEqual({ name: 'sample', type });
  });

  it('has a README of one page', async () => {
    const lines = (await readFile(join(project, 'README.md'), 'utf8')).split('\n');
    expect(lines.length).toBeLessThanOrEqual(120);
    // Where every answer that it depends on is there, no line is empty twice.
    expect(lines.join('\n')).not.toMatch(/\n\n\n|\[[%=]/);
  });

  it.skipIf(!hasShellcheck)('has scripts without a finding of shellcheck', async () => {
    expect(files).toContain('start-client.sh');
    expect(await findingsOfShellcheck(project)).toBe('');
  });

  it('has Python without a finding of ruff', async () => {
    expect([null, 'All checks passed!']).toContain(await findingsOfRuff(project));
  });

  it('has TypeScript without a finding of tsc', async () => {
    expect(await findingsOfTsc(project)).toBe('');
  }, 300_000);
});

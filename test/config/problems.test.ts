import { expect, test } from 'vitest';
import { checkCommand } from '../../src/config/problems.ts';
import { renderErrorReport } from '../../src/ui/errors.ts';
import { loadConfig } from '../../src/config/load.ts';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../../src/core/errors.ts';

test('the command that checks hippo.yaml again names a file that hippo would not find by itself', () => {
  expect(checkCommand('hippo.yaml')).toBe('hippo config    (checks it again)');
  expect(checkCommand('other/hippo.yaml')).toBe(
    'hippo config --config other/hippo.yaml    (checks it again)',
  );
  expect(checkCommand("it's.yaml")).toBe(
    String.raw`hippo config --config 'it'\''s.yaml'    (checks it again)`,
  );
});

test.each([
  ['day_starts: 2:00', 'calendar: { day_starts: 2:00 }', '"02:00"'],
  ['deadline: 6:30', 'jobs: { load: { every: day, deadline: 6:30, needs: [{ table: a.b }] } }', '"06:30"'],
  ['day_starts: noon', 'calendar: { day_starts: noon }', '"22:00"'],
])('%s: the error says what to write, in lines that fit', async (_, yaml, meant) => {
  const directory = await mkdtemp(join(tmpdir(), 'hippo-problems-'));
  try {
    const file = join(directory, 'hippo.yaml');
    await writeFile(file, yaml);
    const error: unknown = await loadConfig({ file, cwd: directory, env: {} }).catch(
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof UserError)) throw new Error('it is no error of the user');
    const report = error.toJSON();
    const lines = renderErrorReport(report).split('\n');
    expect(lines.join(' ')).toContain(`such as ${meant}`);
    for (const line of lines.filter((each) => !each.includes(directory)))
      expect(line.length).toBeLessThanOrEqual(80);
  } finally {
    await rm(directory, { recursive: true });
  }
});

import { access, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { newProject } from '../../src/scaffold/new-project.ts';
import { MONTHLY, makeProject } from './project.ts';

/** Creates a hippo `sales` in a folder. */
async function create(directory: string, force = false): Promise<unknown> {
  return newProject({
    type: 'batch-etl',
    name: 'sales',
    directory,
    given: MONTHLY,
    from: 'defaults',
    force,
    dryRun: false,
  });
}

test('a project inside another is refused, and created with --force', async () => {
  const outer = await makeProject(MONTHLY);
  const inner = join(outer, 'jobs', 'sales');
  await expect(create(inner)).rejects.toMatchObject({
    exitCode: 2,
    message: `${inner} is inside another project`,
    why: expect.stringContaining(join(outer, 'hippo.yaml')) as string,
    next: [
      `create it beside that project: --directory ${relative(process.cwd(), join(dirname(outer), 'sales'))}`,
      'or create it here all the same: --force',
    ],
  });
  await expect(access(join(outer, 'jobs'))).rejects.toThrow('ENOENT');
  await create(inner, true);
  await access(join(inner, 'hippo.yaml'));
});

test('projects beside each other are not inside each other', async () => {
  const first = await makeProject(MONTHLY);
  await create(join(dirname(first), 'sales'));
});

test('a folder with other YAML files is no project', async () => {
  const first = await makeProject(MONTHLY);
  const folder = join(dirname(first), 'more');
  await mkdir(folder);
  await writeFile(join(folder, 'notes.yaml'), '');
  await create(join(folder, 'sales'));
});

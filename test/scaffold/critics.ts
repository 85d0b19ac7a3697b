/** What critics of programs say of a project. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from '../../src/core/exec.ts';
import { ruffProgram } from '../support/ruff.ts';
import { filesOf } from './project.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** @returns null where the project has no Python */
export async function findingsOfRuff(project: string): Promise<string | null> {
  if (!(await filesOf(project)).some((file) => file.endsWith('.py'))) return null;
  const rules = ['--select', 'E,F,W,I,B,UP,SIM,RET', '--line-length', '125', '--target-version', 'py310'];
  const { stdout } = await execa(
    ruffProgram(),
    ['check', '--isolated', '--no-cache', '--config', 'src=["spark-app"]', ...rules, '.'],
    { cwd: project, reject: false },
  );
  return stdout;
}

/** Of all its shell scripts. */
export async function findingsOfShellcheck(project: string): Promise<string> {
  const scripts = (await filesOf(project)).filter((file) => file.endsWith('.sh'));
  const { stdout } = await execa('shellcheck', ['--severity=style', ...scripts], {
    cwd: project,
    reject: false,
  });
  return stdout;
}

/** Of all its TypeScript, by the settings of this repository. It writes a tsconfig.json into the project. */
export async function findingsOfTsc(project: string): Promise<string> {
  const sources = (await filesOf(project)).filter((file) => file.endsWith('.ts'));
  if (sources.length === 0) return '';
  const settings = {
    extends: join(ROOT, 'tsconfig.json'),
    compilerOptions: {
      incremental: false,
      typeRoots: [join(ROOT, 'node_modules/@types')],
      paths: { 'hippo-toolkit': [join(ROOT, 'src/index.ts')] },
    },
    include: [],
    files: sources,
  };
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify(settings));
  const tsc = join(ROOT, 'node_modules/.bin/tsc');
  const { stdout } = await execa(tsc, ['-p', '.'], { cwd: project, reject: false });
  return stdout;
}

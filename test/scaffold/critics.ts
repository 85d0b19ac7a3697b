/** What critics of programs say of a project. */
import { execa } from '../../src/core/exec.ts';
import { ruffProgram } from '../support/ruff.ts';
import { filesOf } from './project.ts';

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

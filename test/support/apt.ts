import { execFileSync } from 'node:child_process';
import { findProgram } from '../../src/core/environment/index.ts';

/** Whether Debian packages can be installed here: by root, and where there is apt-get. */
export function canInstall(): boolean {
  return process.getuid?.() === 0 && findProgram('apt-get', process.env) !== undefined;
}

/** Installs Debian packages. Only where {@link canInstall}. */
export function install(packages: readonly string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  execFileSync('apt-get', ['update', '-qq'], { env, stdio: 'ignore' });
  execFileSync('apt-get', ['install', '-y', '-qq', ...packages], { env, stdio: 'ignore' });
}

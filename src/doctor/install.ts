import type { Environment } from './environment.ts';

/** Package names by package manager. */
export interface Packages {
  apt: string;
  dnf: string;
  brew: string;
}

/** The command that installs a package with this machine's package manager; undefined if it has none. */
export function installCommand(environment: Environment, packages: Packages): string[] {
  const managers: [program: string, command: string][] = [
    ['brew', `brew install ${packages.brew}`],
    ['apt-get', `sudo apt-get install ${packages.apt}`],
    ['dnf', `sudo dnf install ${packages.dnf}`],
  ];
  for (const [program, command] of managers) {
    if (environment.find(program) !== undefined) return [command];
  }
  return [];
}

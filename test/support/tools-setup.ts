import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** What some tests judge by, besides what npm, Maven and pip bring: another Kafka client, and a critic of shell scripts. */
const TOOLS = ['kcat', 'shellcheck'];

/** vitest's global setup: installs the tools that are missing, where it may. */
export default function installTools(): void {
  const missing = TOOLS.filter((tool) => !isOnPath(tool));
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0 || !isOnPath('apt-get')) {
    throw new Error(`the tests need ${missing.join(' and ')}: sudo apt-get install ${missing.join(' ')}`);
  }
  process.stderr.write(`▸ installing ${missing.join(' and ')} …\n`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  execFileSync('apt-get', ['update', '-qq'], { env, stdio: 'ignore' });
  execFileSync('apt-get', ['install', '-y', '-qq', ...missing], { env, stdio: 'ignore' });
}

function isOnPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

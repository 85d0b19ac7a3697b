import { findProgram } from '../../src/core/environment/index.ts';
import { canInstall, install } from './apt.ts';
import { installRuff } from './ruff.ts';

/** What some tests judge by, besides what npm, Maven and pip bring: another Kafka client, and a critic of shell scripts. */
const TOOLS = ['kcat', 'shellcheck'];

/** vitest's global setup: installs the tools that are missing, where it may. */
export default async function installTools(): Promise<void> {
  await installRuff();
  const missing = TOOLS.filter((tool) => findProgram(tool, process.env) === undefined);
  if (missing.length === 0) return;
  if (!canInstall()) {
    throw new Error(`the tests need ${missing.join(' and ')}: sudo apt-get install ${missing.join(' ')}`);
  }
  process.stderr.write(`▸ installing ${missing.join(' and ')} …\n`);
  install(missing);
}

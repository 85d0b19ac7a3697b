import { spawnSync } from 'node:child_process';

/** vitest's global setup: the CLI under test is the present sources, bundled. */
export default function buildWhatIsStale(): void {
  const { status } = spawnSync(process.execPath, ['scripts/with-setup.mjs'], { stdio: 'inherit' });
  if (status !== 0) throw new Error('the build failed');
}

/** ruff (https://docs.astral.sh/ruff), a critic of Python programs, in a virtual environment of the user's cache. */
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from '../../src/core/exec.ts';
import { cacheDirectory } from '../../src/core/paths.ts';
import { installOnce } from '../../src/stack/install.ts';
import { pipInstall } from '../../src/stack/pip.ts';
import { requirePython } from '../../src/stack/python.ts';

const RUFF_VERSION = '0.14.6';

const folder = (): string => join(cacheDirectory(), `ruff-${RUFF_VERSION}`);

export const ruffProgram = (): string => join(folder(), 'venv', 'bin', 'ruff');

/** Safe to repeat and to interrupt. */
export async function installRuff(): Promise<void> {
  if (existsSync(folder())) return;
  process.stderr.write(`▸ installing ruff ${RUFF_VERSION} …\n`);
  await installOnce(folder(), async (temporary) => {
    const { command } = await requirePython(process.env);
    const venv = join(temporary, 'venv');
    await execa(command, ['-m', 'venv', venv]);
    const scratch = join(temporary, 'tmp');
    await mkdir(scratch);
    await pipInstall(venv, [`ruff==${RUFF_VERSION}`], { scratch, update: () => undefined });
    await rm(scratch, { recursive: true, force: true });
  });
}

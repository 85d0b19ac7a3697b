/** Programs that ask an HTTP service: Triton's client of the Open Inference Protocol, and schemathesis. In the user's cache. */
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from '../../src/core/exec.ts';
import { cacheDirectory } from '../../src/core/paths.ts';
import { installOnce } from '../../src/stack/install.ts';
import { pipInstall } from '../../src/stack/pip.ts';
import { requirePython } from '../../src/stack/python.ts';

const TRITON = '2.73.0';
const SCHEMATHESIS = '4.32.5';
const folder = (): string => join(cacheDirectory(), `http-clients-${TRITON}-${SCHEMATHESIS}`);

/** The Python that has both. */
export const clientsPython = (): string => join(folder(), 'venv', 'bin', 'python');

/** Safe to repeat and to interrupt. */
export async function installClients(): Promise<void> {
  if (existsSync(folder())) return;
  process.stderr.write('▸ installing tritonclient and schemathesis …\n');
  await installOnce(folder(), async (temporary) => {
    const { command } = await requirePython(process.env);
    const venv = join(temporary, 'venv');
    await execa(command, ['-m', 'venv', venv]);
    const scratch = join(temporary, 'tmp');
    await mkdir(scratch);
    const requirements = [`tritonclient[http]==${TRITON}`, `schemathesis==${SCHEMATHESIS}`] as const;
    await pipInstall(venv, requirements, { scratch, update: () => undefined });
    await rm(scratch, { recursive: true, force: true });
  });
}

import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { MODULE, moduleText } from '../../scripts/wasm.ts';

it('scan-wasm.ts is what `npm run wasm` makes of scan.wat', async () => {
  expect(await readFile(MODULE, 'utf8')).toBe(await moduleText());
});

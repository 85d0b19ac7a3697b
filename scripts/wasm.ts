/**
 * `npm run wasm`: writes src/predict/scan-wasm.ts from scan.wat. The result is checked in, because the sources run without a build;
 * test/predict/wasm.test.ts compares it with what the text gives.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import wabt from 'wabt';

export const MODULE = fileURLToPath(new URL('../src/predict/scan-wasm.ts', import.meta.url));

/** @returns the text of {@link MODULE} */
export async function moduleText(): Promise<string> {
  const source = await readFile(new URL('../src/predict/scan.wat', import.meta.url), 'utf8');
  const tools = await wabt();
  const parsed = tools.parseWat('scan.wat', source, { simd: true });
  try {
    parsed.resolveNames();
    parsed.validate();
    const { buffer } = parsed.toBinary({});
    const lines =
      Buffer.from(buffer)
        .toString('base64')
        .match(/.{1,100}/g) ?? [];
    return `/** scan.wat as WebAssembly, in base64; \`npm run wasm\` writes it. */
export const SCAN_WASM =
${lines.map((line) => `  '${line}'`).join(' +\n')};
`;
  } finally {
    parsed.destroy();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeFile(MODULE, await moduleText());

/**
 * Bundles the CLI: one entry a command, shared code in chunks, so that a command loads what it uses and nothing else.
 * Writes dist/ and oclif.manifest.json (with it oclif finds and describes commands without importing them).
 */
import { execFileSync } from 'node:child_process';
import { glob, rename, rm, stat, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Config, Plugin } from '@oclif/core/config';
import { build } from 'esbuild';
import { writeHelp } from './help.ts';

/** A client that runs may still have to load a chunk of the build before: those stay for this long, milliseconds. */
const KEEP_OLD_CHUNKS = 3_600_000;

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);

const commands = await Array.fromAsync(glob('src/commands/**/*.ts'));
const { metafile } = await build({
  entryPoints: ['src/cli.ts', 'src/index.ts', ...commands],
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22.13',
  minifySyntax: true,
  keepNames: true,
  external: [
    // oclif asks for these only to run TypeScript sources, which the bundle has none of.
    ...['typescript', 'ts-node', 'tsx'],
    // Native addons: npm installs the build for the user's own platform.
    ...['@node-rs/crc32', 'lz4-napi', 'snappy'],
  ],
  // Native addons stay files of their own.
  loader: { '.node': 'file' },
  // CommonJS dependencies call require(); an ES module has none of its own.
  banner: {
    js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
  },
  metafile: true,
  logLevel: 'warning',
});
// Declarations of what a hippo's own code may import.
execFileSync('tsc', ['-p', 'tsconfig.types.json'], { stdio: 'inherit' });
await prune(new Set(Object.keys(metafile.outputs).map((path) => resolve(path))));

const plugin = new Plugin({ root, ignoreManifest: true, errorOnManifestCreate: true });
await plugin.load();
await writeFile('oclif.manifest.json.tmp', `${JSON.stringify(plugin.manifest, null, 2)}\n`);
await rename('oclif.manifest.json.tmp', 'oclif.manifest.json');
await writeHelp(await Config.load({ root }), 'dist/help');

/** Removes what this build did not write: commands that are gone at once, chunks when nobody can want them any more. */
async function prune(written: ReadonlySet<string>): Promise<void> {
  for await (const file of glob('dist/**/*.{js,node}')) {
    if (written.has(resolve(file))) continue;
    const { mtimeMs } = await stat(file);
    if (file.startsWith('dist/commands/') || Date.now() - mtimeMs > KEEP_OLD_CHUNKS) await rm(file);
  }
}

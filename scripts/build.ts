/**
 * Bundles the CLI: one entry a command, shared code in chunks, so that a command loads what it uses and nothing else.
 * Writes dist/ and oclif.manifest.json (with it oclif finds and describes commands without importing them).
 */
import { execFileSync } from 'node:child_process';
import { glob, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Plugin } from '@oclif/core/config';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);

const commands = await Array.fromAsync(glob('src/commands/**/*.ts'));
await rm('dist', { recursive: true, force: true });
await rm('oclif.manifest.json', { force: true });
await build({
  entryPoints: ['src/cli.ts', 'src/index.ts', ...commands],
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22.13',
  minifySyntax: true,
  keepNames: true,
  // oclif asks for these only to run TypeScript sources, which the bundle has none of.
  external: ['typescript', 'ts-node', 'tsx'],
  // Native addons stay files of their own.
  loader: { '.node': 'file' },
  // CommonJS dependencies call require(); an ES module has none of its own.
  banner: { js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);" },
  logLevel: 'warning',
});

// Declarations of what a hippo's own code may import.
execFileSync('tsc', ['-p', 'tsconfig.types.json'], { stdio: 'inherit' });

const plugin = new Plugin({ root, ignoreManifest: true, errorOnManifestCreate: true });
await plugin.load();
await writeFile('oclif.manifest.json', `${JSON.stringify(plugin.manifest, null, 2)}\n`);

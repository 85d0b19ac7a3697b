/**
 * Bundles the CLI: one entry a command, shared code in chunks, so that a command loads what it uses and nothing else.
 * Writes dist/ and oclif.manifest.json (with it oclif finds and describes commands without importing them).
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { glob, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Config, Plugin } from '@oclif/core/config';
import { type BuildOptions, type Plugin as BuildPlugin, build } from 'esbuild';
import { writeHelp } from './help.ts';

/** A client that runs may still have to load a chunk of the build before: those stay for this long, milliseconds. */
const KEEP_OLD_CHUNKS = 3_600_000;

/** The commands that people and scripts wait for most. */
const HOT = ['src/commands/trigger.ts', 'src/commands/tail.ts'];

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);

/** Their loading takes longer than a millisecond each, and most commands never come to use them. */
const HEAVY = ['crypto', 'fs/promises', 'readline', 'tls', 'zlib'];

/**
 * Takes Node's modules without its wrapping of them as ES modules, which reads every property of each: that opens stdin, and
 * loads all kinds of streams, before they are needed. Of what is imported by name, only those names are read.
 */
const nodeModules: BuildPlugin = {
  name: 'node-modules',
  setup(build) {
    build.onResolve({ filter: /^[\w:/]+$/ }, ({ path, kind }) => {
      if (!isBuiltin(path)) return undefined;
      const name = path.replace(/^node:/, '');
      return { path: name, namespace: kind === 'require-call' || HEAVY.includes(name) ? 'node' : 'node-esm' };
    });
    build.onLoad({ filter: /./, namespace: 'node' }, ({ path }) => {
      const load = `process.getBuiltinModule('node:${path}')`;
      if (!HEAVY.includes(path)) return { contents: `module.exports = ${load}` };
      const getters = namesIn(path).map((name) => `get ${name}() {return ${load}.${name}}`);
      return { contents: `module.exports = {${getters.join()}}` };
    });
    build.onLoad({ filter: /./, namespace: 'node-esm' }, ({ path }) => ({
      contents: [
        `const all = process.getBuiltinModule('node:${path}')`,
        'export default all',
        ...namesIn(path).map((name) => `export const ${name} = /* @__PURE__ */ (() => all.${name})()`),
      ].join('\n'),
    }));
  },
};

function namesIn(builtin: string): string[] {
  return Object.keys(process.getBuiltinModule(builtin) as object).filter((name) => name !== 'default');
}

/** oclif's flags and errors bring its help with them, which is made here, once for all. */
const withoutHelp: BuildPlugin = {
  name: 'without-help',
  setup(build) {
    build.onResolve({ filter: /\/help(\/index)?$/ }, ({ path, importer }) =>
      /@oclif\/core\/lib\/(flags|errors\/handle)\.js$/.test(importer)
        ? { path, namespace: 'without-help' }
        : undefined,
    );
    build.onLoad({ filter: /./, namespace: 'without-help' }, () => ({ contents: '' }));
  },
};

/** A require of TypeScript's making: `const errors_1 = require("./errors");`. Its name stands for nothing else in the file. */
const REQUIRE = /^(?:const|var) (\w+_\d+) = ((?:__import(?:Default|Star)\()?require\("[^"]+"\)\)?);$/gm;

/** oclif's modules require each other when they are used, not when they are loaded: most of them never are. */
const lazyOclif: BuildPlugin = {
  name: 'lazy-oclif',
  setup(build) {
    build.onLoad({ filter: /@oclif\/core\/lib\/.*\.js$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      const names = [...source.matchAll(REQUIRE)].map(([, name]) => name);
      if (names.length === 0) return { contents: source };
      const used = new RegExp(`\\b(${names.join('|')})\\b(?! = \\(\\))`, 'g');
      return { contents: source.replaceAll(REQUIRE, 'const $1 = () => $2;').replaceAll(used, '($1())') };
    });
  },
};

const common = {
  outdir: 'dist',
  outbase: 'src',
  bundle: true,
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
    js: "const require=process.getBuiltinModule('node:module').createRequire(import.meta.url);",
  },
  plugins: [nodeModules, withoutHelp, lazyOclif],
  metafile: true,
  logLevel: 'warning',
} as const satisfies BuildOptions;
const commands = await Array.fromAsync(glob('src/commands/**/*.ts'));
const builds = await Promise.all([
  build({
    ...common,
    entryPoints: ['src/index.ts', ...commands.filter((file) => !HOT.includes(file))],
    splitting: true,
  }),
  // A file costs half a millisecond, and what it needs is in many: these have all of theirs in one.
  build({ ...common, entryPoints: ['src/cli.ts'], minifyWhitespace: true }),
  build({
    ...common,
    entryPoints: HOT,
    outExtension: { '.js': '.cjs' },
    format: 'cjs',
    banner: { js: "const __url=process.getBuiltinModule('node:url').pathToFileURL(__filename).href;" },
    define: { 'import.meta.url': '__url' },
    minifyWhitespace: true,
    keepNames: false,
    write: false,
  }),
]);
for (const { path, text } of builds[2].outputFiles) {
  await writeFile(`${path}.tmp`, sealed(text));
  await rename(`${path}.tmp`, path);
}
// Declarations of what a hippo's own code may import.
execFileSync('tsc', ['-p', 'tsconfig.types.json'], { stdio: 'inherit' });
await prune(
  new Set(builds.flatMap(({ metafile }) => Object.keys(metafile.outputs)).map((path) => resolve(path))),
);

const plugin = new Plugin({ root, ignoreManifest: true, errorOnManifestCreate: true });
await plugin.load();
await writeFile('oclif.manifest.json.tmp', `${JSON.stringify(plugin.manifest, null, 2)}\n`);
await rename('oclif.manifest.json.tmp', 'oclif.manifest.json');
await writeHelp(await Config.load({ root }), 'dist/help');

/** What src/compiled.ts loads: ASCII (esbuild leaves regular expressions as they are), and known by its hash. */
function sealed(bundle: string): string {
  const ascii = bundle.replaceAll(
    /[^\0-\x7f]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `// ${createHash('sha256').update(ascii).digest('hex').slice(0, 32)}\n${ascii}`;
}

/** Removes what this build did not write: commands that are gone at once, chunks when nobody can want them any more. */
async function prune(written: ReadonlySet<string>): Promise<void> {
  for await (const file of glob('dist/**/*.{js,cjs,node}')) {
    if (written.has(resolve(file))) continue;
    const { mtimeMs } = await stat(file);
    if (file.startsWith('dist/commands/') || Date.now() - mtimeMs > KEEP_OLD_CHUNKS) await rm(file);
  }
}

/**
 * Bundles the CLI into dist/: the front door (cli.cjs), all commands (commands.cjs), and again the command whose start
 * matters most as a file of its own. docs/decisions/code-cache.md says why, with figures. AWS's SDK is a file of its own too
 * (aws.cjs), which a scan of S3 loads, and so is nodemailer (smtp.cjs), which the first mail loads.
 */
import { execFileSync } from 'node:child_process';
import { copyFile, glob, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, type Plugin, build } from 'esbuild';
import { PAGE_FILES } from '../src/http/app/page-files.ts';
import { writeHelp } from './help.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);

/** The build's own folder: a hippo that starts during a build finds the dist/ of the build before. */
const OUT = 'node_modules/.hippo-dist';

/**
 * Commands that have a bundle of their own: it is less code to load, and to hold in memory, than the bundle of all commands. The
 * stack traces of one that is minified have short names.
 */
const OWN_BUNDLES = { trigger: { minify: true }, run: {}, serve: {} };

/** Those that the bundle of all commands does without: each other command would load Fastify. */
const ONLY_THEIR_OWN = ['serve'];

/** Node's modules whose loading takes longer than a millisecond each, and that most commands load without using them. */
const SLOW = ['crypto', 'tls'];

/** Loads Node's slow modules when one of their properties is read, not when they are imported. */
const lazyNodeModules: Plugin = {
  name: 'lazy-node-modules',
  setup(build) {
    build.onResolve({ filter: new RegExp(`^(node:)?(${SLOW.join('|')})$`) }, ({ path }) => ({
      path: path.replace(/^node:/, ''),
      namespace: 'lazy-node-module',
    }));
    build.onLoad({ filter: /./, namespace: 'lazy-node-module' }, ({ path }) => {
      const load = `process.getBuiltinModule('node:${path}')`;
      const names = Object.keys(process.getBuiltinModule(path) as object).filter(
        (name) => name !== 'default',
      );
      return {
        contents: `module.exports = {${names.map((name) => `get ${name}() { return ${load}.${name} }`).join()}}`,
      };
    });
  },
};

/** What few runs load is a file of its own in dist/: by the source file that others import dynamically. */
const APART: Readonly<Record<string, string>> = {
  /** AWS's SDK. */
  's3-client.ts': 'aws.cjs',
  /** nodemailer. */
  'smtp.ts': 'smtp.cjs',
};

/**
 * Leaves `import('./s3-client.ts')` to run time, from its file of {@link APART}: by require, because Node prints a warning for
 * import() in a bundle that is run with its code cache.
 */
const apart = (folder: string): Plugin => ({
  name: 'apart',
  setup(build) {
    build.onResolve({ filter: /\/(s3-client|smtp)\.ts$/ }, ({ kind, path }) =>
      kind === 'dynamic-import'
        ? { path: `${folder}/${APART[basename(path)] ?? ''}`, namespace: 'apart' }
        : undefined,
    );
    build.onLoad({ filter: /./, namespace: 'apart' }, ({ path }) => ({
      contents: `module.exports = require('${path}')`,
    }));
    build.onResolve({ filter: /./, namespace: 'apart' }, ({ path }) => ({ path, external: true }));
  },
});

const options = {
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node22.13',
  external: [
    // oclif asks for these only to run TypeScript sources, which the bundle has none of.
    ...['typescript', 'ts-node', 'tsx'],
    // Native addons: npm installs the build for the user's own platform.
    ...['@node-rs/crc32', 'lz4-napi', 'snappy'],
  ],
  banner: { js: "const __url=process.getBuiltinModule('node:url').pathToFileURL(__filename).href;" },
  define: { 'import.meta.url': '__url' },
  plugins: [lazyNodeModules, apart('.')],
  logLevel: 'warning',
} as const satisfies BuildOptions;

const commands = new Map(
  (await Array.fromAsync(glob('**/*.ts', { cwd: 'src/commands' })))
    .sort()
    .map((file) => [file.replace(/\.ts$/, '').replaceAll('/', ' '), `./src/commands/${file}`]),
);

await rm(OUT, { recursive: true, force: true });
await Promise.all([
  bundle('cli.cjs', `export { main } from './src/cli.ts'`),
  bundle('commands.cjs', bundleOf([...commands.keys()])),
  bundle('aws.cjs', `export * from './src/sources/s3-client.ts'`, { minify: true }),
  bundle('smtp.cjs', `export * from './src/alerts/smtp.ts'`, { minify: true }),
  ...Object.entries(OWN_BUNDLES).map(([name, more]) =>
    bundle(`commands/${name}.cjs`, bundleOf([name]), {
      ...more,
      plugins: [lazyNodeModules, apart('..')],
    }),
  ),
]);
// Declarations of what a hippo's own code may import: types only.
execFileSync('tsc', ['-p', 'tsconfig.types.json', '--outDir', join(OUT, 'types')], { stdio: 'inherit' });
await writeFile(join(OUT, 'index.js'), 'export {};\n');
await writeHelp(root, join(OUT, 'help'));
// The page of src/http/app/docs.ts.
await mkdir(join(OUT, 'swagger-ui'));
for (const name of Object.keys(PAGE_FILES))
  await copyFile(`node_modules/@fastify/swagger-ui/static/${name}`, join(OUT, 'swagger-ui', name));
await rm('dist', { recursive: true, force: true });
await rename(OUT, 'dist');

/** The module that src/cli.ts describes as `Bundle`. */
function bundleOf(names: readonly string[]): string {
  const loaders = names.map((name) =>
    names.length > 1 && ONLY_THEIR_OWN.includes(name)
      ? // Its name is needed, for what a misspelt one may have meant.
        `${JSON.stringify(name)}: () => Promise.reject(new Error('it has a bundle of its own'))`
      : `${JSON.stringify(name)}: () => import(${JSON.stringify(commands.get(name))})`,
  );
  return `export const commands = {${loaders.join()}}; export { reportUnknownCommand } from './src/ui/unknown-command.ts'`;
}

/** @param contents the source of the entry module */
async function bundle(name: string, contents: string, more: BuildOptions = {}): Promise<void> {
  const stdin = { contents, resolveDir: root, loader: 'ts' } as const;
  const file = join(OUT, name);
  await build({ ...options, ...more, stdin, outfile: file });
  await writeFile(file, asciiOnly(await readFile(file, 'utf8')));
}

/**
 * esbuild escapes all but ASCII in strings; what is left is in comments and patterns, where the escape means the same. V8 holds a
 * source with one other character in it as two bytes a character, for as long as the process runs.
 */
function asciiOnly(source: string): string {
  return source.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

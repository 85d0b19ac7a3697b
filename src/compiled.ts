import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script, constants } from 'node:vm';
import { crc32 } from 'node:zlib';
import { cacheDirectory } from './core/paths.ts';

type Factory = (exports: object, require: NodeJS.Require, module: { exports: object }, file: string) => void;

/**
 * Loads a bundle together with the machine-independent code that V8 made of it the last time.
 *
 * Node's own compile cache keeps what was compiled when a module was loaded; nearly all functions are compiled later, when they
 * are called, and that takes a third of a short command's time. This one is written when the command has succeeded, and holds
 * what it has called.
 *
 * @param file a CommonJS bundle in ASCII with a hash of itself in its first line, as scripts/build.ts makes them
 */
export function loadCompiled(file: URL): object {
  const path = fileURLToPath(file);
  // It is ASCII, which is read faster when one knows it.
  const source = readFileSync(path, 'latin1');
  const cache = cacheOf(path, source);
  const cachedData = cache === null ? undefined : readSound(cache);
  const script = new Script(`(function (exports, require, module, __filename) {${source}\n})`, {
    filename: path,
    cachedData,
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  if (cache !== null && (cachedData === undefined || script.cachedDataRejected === true)) {
    process.once('exit', (code) => {
      // What has failed has not come to everything that is to be compiled.
      if (code === 0) keep(cache, script);
    });
  }
  const module = { exports: {} };
  (script.runInThisContext() as Factory)(module.exports, createRequire(path), module, path);
  return module.exports;
}

/** null: Node was told not to cache. */
function cacheOf(path: string, source: string): string | null {
  if (process.env['NODE_DISABLE_COMPILE_CACHE'] !== undefined) return null;
  const [, hash = ''] = /^\/\/ (\w+)\n/.exec(source) ?? [];
  const name = `${basename(path, '.cjs')}-${process.versions.v8}-${process.arch}-${hash}`;
  return join(cacheDirectory(), 'code', name);
}

/** A file ends with its checksum: V8 looks at versions and flags only, and dies of a wrong byte. */
const CHECKSUM_BYTES = 4;

/** Nothing where it is not there, or damaged. */
function readSound(file: string): Buffer | undefined {
  try {
    const bytes = readFileSync(file);
    const code = bytes.subarray(0, -CHECKSUM_BYTES);
    return bytes.readUInt32LE(code.length) === crc32(code) ? code : undefined;
  } catch {
    return undefined;
  }
}

/** How long those of other versions stay, milliseconds. */
const KEPT = 30 * 24 * 3_600_000;

/** Written whole or not at all; that it cannot be written is no reason to complain. */
function keep(file: string, script: Script): void {
  const folder = join(file, '..');
  const draft = `${file}.${process.pid}`;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const code = script.createCachedData();
    const checksum = Buffer.alloc(CHECKSUM_BYTES);
    checksum.writeUInt32LE(crc32(code));
    writeFileSync(draft, Buffer.concat([code, checksum]), { mode: 0o600 });
    renameSync(draft, file);
    for (const name of readdirSync(folder)) {
      const former = join(folder, name);
      if (statSync(former).mtimeMs < Date.now() - KEPT) rmSync(former);
    }
  } catch {
    removeIfThere(draft);
  }
}

function removeIfThere(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // Where nothing can be written, or even looked at, nothing is left.
  }
}

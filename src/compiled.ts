import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script, constants } from 'node:vm';
import { crc32 } from 'node:zlib';
import { ExitCode } from './core/errors.ts';
import { provideImport } from './core/import-module.ts';
import { cacheDirectory } from './core/paths.ts';

type Factory = (exports: object, require: NodeJS.Require, module: { exports: object }, file: string) => void;

/**
 * Loads a CommonJS bundle together with the bytecode that V8 made of it in an earlier run of the command.
 *
 * Node's own compile cache keeps the functions that were compiled while a module was loaded. V8 compiles most functions later,
 * when they are called, and that takes a third of a short command's time. This cache is written when the command ends, and
 * holds the functions that it has called (docs/decisions/code-cache.md).
 *
 * @param command has a cache of its own: each command calls other functions of the bundle
 */
export function loadCompiled(file: URL, command: string): object {
  const path = fileURLToPath(file);
  const source = readFileSync(path);
  const cache = cacheOf(command, source);
  const complete = readSound(cache);
  const cachedData = complete ?? readSound(partial(cache));
  const script = new Script(`(function (exports, require, module, __filename) {${source.toString()}\n})`, {
    filename: path,
    ...(cachedData && { cachedData }),
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  const isUsed = cachedData !== undefined && script.cachedDataRejected === false;
  keepAtExit(script, { cache, isUsed, isComplete: complete !== undefined });
  provideImport();
  const module = { exports: {} };
  (script.runInThisContext() as Factory)(module.exports, createRequire(path), module, path);
  return module.exports;
}

/** Apart from {@link loadCompiled}, whose buffers the listener would hold for as long as the process runs. */
function keepAtExit(
  script: Script,
  { cache, isUsed, isComplete }: { cache: string | undefined; isUsed: boolean; isComplete: boolean },
): void {
  process.once('exit', (code) => {
    if (code === ExitCode.ok && !(isUsed && isComplete)) keep(cache, script);
    else if (!isUsed) keep(partial(cache), script);
  });
}

/** undefined: Node was told not to cache. V8 itself compares no more of the source than its length. */
function cacheOf(command: string, source: Buffer): string | undefined {
  if (process.env['NODE_DISABLE_COMPILE_CACHE'] !== undefined) return undefined;
  const name = [command, process.versions.v8, process.arch, crc32(source).toString(16)].join('-');
  return join(cacheDirectory(), 'code', name);
}

/** A command that failed has called some of its functions: its cache serves until the command succeeds. */
function partial(cache: string | undefined): string | undefined {
  return cache && `${cache}-failed`;
}

/** A file ends with its checksum: V8 checks versions and flags only, and a damaged byte crashes the process. */
const CHECKSUM_BYTES = 4;

/** undefined where the file is missing or damaged. */
function readSound(cache: string | undefined): Buffer | undefined {
  if (cache === undefined) return undefined;
  try {
    const bytes = readFileSync(cache);
    const code = bytes.subarray(0, -CHECKSUM_BYTES);
    return bytes.readUInt32LE(code.length) === crc32(code) ? code : undefined;
  } catch {
    return undefined;
  }
}

/** The caches of other versions are removed when they are this old, milliseconds. */
const KEPT = 30 * 24 * 3_600_000;

/** Writes the whole file or none. A cache that cannot be written costs time only, so it is not reported. */
function keep(cache: string | undefined, script: Script): void {
  if (cache === undefined) return;
  const folder = dirname(cache);
  const draft = `${cache}.${process.pid}`;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const code = script.createCachedData();
    const checksum = Buffer.alloc(CHECKSUM_BYTES);
    checksum.writeUInt32LE(crc32(code));
    writeFileSync(draft, Buffer.concat([code, checksum]), { mode: 0o600 });
    renameSync(draft, cache);
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
    // Where nothing can be written or looked at, nothing is left.
  }
}

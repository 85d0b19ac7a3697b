/** `$HIPPO_MODEL_FILE`: which version of which model a service serves. The client writes it, and replaces it when that changes. */
import { type FSWatcher, watch } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { UserError, messageOf } from '../core/errors.ts';
import { fileReason } from '../core/file-reason.ts';
import { type Json, type JsonObject, isJsonObject, parsePlainJson } from '../core/json.ts';
import type { ModelPlace } from '../predict/index.ts';
import type { Target } from './engine.ts';

/** By the name of the model. */
export type Targets = ReadonlyMap<string, Target>;

/** @throws UserError for a file that is missing or malformed */
export async function readModelFile(path: string): Promise<Targets> {
  try {
    return parseModelFile(await readFile(path, 'utf8'));
  } catch (error) {
    throw new UserError(`$HIPPO_MODEL_FILE cannot be used: ${path}`, {
      why: fileReason(error),
      next: ['hippo run', 'it writes the file, and starts the services of hippo.yaml'],
      cause: error,
    });
  }
}

/** @throws Error that says what is wrong */
export function parseModelFile(text: string): Targets {
  const { models } = objectOf(parsePlainJson(text) as Json, 'the file');
  const entries = Object.entries(objectOf(models, '"models"'));
  if (entries.length === 0) throw new Error('"models" is empty');
  return new Map(entries.map(([name, entry]) => [name, targetOf(objectOf(entry, `"models.${name}"`), name)]));
}

function targetOf({ location, hdfs, s3, serving }: JsonObject, name: string): Target {
  const place = {
    location: textOf(location, `"models.${name}.location"`),
    ...(isJsonObject(hdfs ?? null) && { hdfs }),
    ...(isJsonObject(s3 ?? null) && { s3 }),
  } as unknown as ModelPlace;
  if (serving === null || serving === undefined) return { place, serving: null };
  const { version, manifest_sha256: sha } = objectOf(serving, `"models.${name}.serving"`);
  return {
    place,
    serving: {
      version: textOf(version, `"models.${name}.serving.version"`),
      ...(typeof sha === 'string' && { manifestSha256: sha }),
    },
  };
}

function objectOf(value: Json | undefined, what: string): JsonObject {
  if (value !== undefined && isJsonObject(value)) return value;
  throw new Error(`${what} is not an object`);
}

function textOf(value: Json | undefined, what: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new Error(`${what} is not a text`);
}

/** Between two looks; a file system that tells of changes is faster. */
const LOOK = 1_000;

export interface FollowOptions {
  onTargets: (targets: Targets) => void;
  /** The file cannot be read, or is malformed: what it said before remains. Each reason is told once. */
  onError: (text: string) => void;
  every?: number;
}

/** Calls `onTargets` with what the file says after each change, until the signal is aborted. */
export function followModelFile(path: string, signal: AbortSignal, options: FollowOptions): void {
  const { onTargets, onError, every = LOOK } = options;
  let seen = '';
  let told = '';
  let isLooking = false;
  let isStale = false;
  const look = async (): Promise<void> => {
    try {
      const { mtimeMs, size, ino } = await stat(path);
      const version = [mtimeMs, size, ino].join();
      if (version === seen) return;
      const targets = await readModelFile(path);
      if (signal.aborted) return;
      seen = version;
      told = '';
      onTargets(targets);
    } catch (error) {
      const text = error instanceof UserError ? `${error.message}: ${error.why}` : messageOf(error);
      if (text !== told) onError(text);
      told = text;
    }
  };
  const lookSoon = (): void => {
    isStale = true;
    if (isLooking || signal.aborted) return;
    isLooking = true;
    void (async () => {
      while (isStale) {
        isStale = false;
        await look();
      }
      isLooking = false;
    })();
  };
  const timer = setInterval(lookSoon, every);
  const watcher = watched(path, lookSoon);
  lookSoon();
  signal.addEventListener('abort', () => {
    clearInterval(timer);
    watcher?.close();
  });
}

/** The folder, because the file is replaced. Where it cannot be watched, the looks remain. */
function watched(path: string, onChange: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(dirname(path), (_, file) => {
      if (file === null || file === basename(path)) onChange();
    });
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}

import { readFileSync } from 'node:fs';
import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UserError } from '../core/errors.ts';
import { fileReason } from '../core/file-reason.ts';
import { processExists } from '../core/process-exists.ts';
import { newId } from '../core/ids.ts';
import { type Json, isJsonObject, parsePlainJson } from '../core/json.ts';
import { PROJECT_STATE_DIRECTORY } from '../core/paths.ts';
import { findUpward } from './find.ts';

/** The local stack that `hippo up` started; other commands read it from `.hippo/stack.json`. */
export interface StackFile {
  version: 1;
  /** `127.0.0.1:PORT`; empty without `kafka`. */
  brokers: string[];
  /** null: hippo.yaml or the environment names other brokers. */
  kafka: { pid: number; port: number; dataDirectory: string; logFile: string; version: string } | null;
  spark: { sparkSubmit: string; version: string } | null;
  /** Paths, joined by commas, for spark-submit's --jars: what start-spark.sh reads. */
  sparkJars?: string;
  postgres?: { pid: number; port: number; dataDirectory: string; logFile: string; version: string };
  /** Variables, with their secrets, for hippo.yaml, jobs and services that do not find them in their own environment. */
  environment?: StackEnvironment;
  /** ISO 8601. */
  startedAt: string;
}

export type StackEnvironment = Readonly<Record<string, string>>;

export interface FoundStack {
  /** Absolute path of the stack.json. */
  file: string;
  stack: StackFile;
}

const NAME = join(PROJECT_STATE_DIRECTORY, 'stack.json');

/**
 * The stack of a project's directory or of the nearest one above it.
 *
 * @throws UserError if the file is not in the form that `hippo up` writes
 */
export function findStack(directory: string): FoundStack | null {
  const file = findUpward(directory, NAME);
  return file === undefined ? null : read(file);
}

/** The stack of exactly this directory. */
export function readStackFile(directory: string): StackFile | null {
  return read(join(directory, NAME))?.stack ?? null;
}

/** Writes the whole file or nothing, readable only by its owner. */
export async function writeStackFile(directory: string, stack: StackFile): Promise<void> {
  const file = join(directory, NAME);
  await mkdir(dirname(file), { recursive: true });
  const draft = `${file}.${newId()}`;
  try {
    await writeFile(draft, `${JSON.stringify(stack, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
    // The umask may have removed bits from the mode, so it is set explicitly.
    await chmod(draft, 0o600);
    await rename(draft, file);
  } finally {
    await rm(draft, { force: true });
  }
}

/** A file that does not exist is not an error. */
export async function removeStackFile(directory: string): Promise<void> {
  await rm(join(directory, NAME), { force: true });
}

/** Whether the stack's broker process still exists. */
export function isStackAlive({ kafka }: StackFile): boolean {
  return kafka !== null && processExists(kafka.pid);
}

/** The variables of the stack. A damaged stack.json has none: what needs the stack itself says so. */
export function stackEnvironment(directory: string): StackEnvironment {
  try {
    return findStack(directory)?.stack.environment ?? {};
  } catch {
    return {};
  }
}

/** Those of the variables that `env` does not have; an empty one counts as missing. */
export function missingIn(env: NodeJS.ProcessEnv, variables: StackEnvironment): StackEnvironment {
  return Object.fromEntries(Object.entries(variables).filter(([name]) => (env[name] ?? '') === ''));
}

function read(file: string): FoundStack | null {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new UserError('the local stack cannot be read', { why: fileReason(error), place: { file } });
  }
  const stack = parse(text);
  if (stack === undefined) {
    throw new UserError('the local stack is not described as `hippo up` does it', {
      why: 'The file is damaged, or another version of hippo wrote it.',
      next: ['hippo down', 'hippo up'],
      place: { file },
    });
  }
  return { file, stack };
}

function parse(text: string): StackFile | undefined {
  try {
    const value = parsePlainJson(text) as Json;
    return isStack(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isStack(value: Json): value is Json & StackFile {
  return (
    isJsonObject(value) &&
    value['version'] === 1 &&
    Array.isArray(value['brokers']) &&
    value['brokers'].every((broker) => typeof broker === 'string') &&
    (value['kafka'] === null ? value['brokers'].length === 0 : value['brokers'].length > 0) &&
    (value['kafka'] === null || hasPid(value['kafka'])) &&
    (value['postgres'] === undefined || hasPid(value['postgres'])) &&
    (value['environment'] === undefined || isEnvironment(value['environment']))
  );
}

/** kill(2) takes 0 and negative numbers for process groups. */
function hasPid(value: Json | undefined): boolean {
  return isJsonObject(value) && typeof value['pid'] === 'number' && value['pid'] > 0;
}

function isEnvironment(value: Json): boolean {
  return isJsonObject(value) && Object.values(value).every((each) => typeof each === 'string');
}

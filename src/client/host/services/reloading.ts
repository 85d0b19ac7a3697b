/** Tells a service that a message of its `reload_on` has come: at least once, and of several only the last. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ServiceConfig } from '../../../config/schema.ts';
import { isAborted } from '../../../core/abort.ts';
import { Retry } from '../../../core/deadline.ts';
import { networkReason } from '../../../core/network-reason.ts';
import type { Reload } from '../../../state/index.ts';
import { urlOf } from './address.ts';

/** How long one call may take, milliseconds. */
const CALL = 30_000;
const RETRY = { first: 500, most: 30_000 };

export interface Telling {
  how: NonNullable<ServiceConfig['reload']>;
  reload: Reload;
  pid: number;
  port: number | null;
  /** Aborted by the end of its process, or by a newer message. */
  signal: AbortSignal;
  /** Called once, with the reason of the first failure. */
  onFailure: (why: string) => void;
}

/** The message is written whole or not at all; without one the file has `null`. */
export function writeReloadFile(path: string, reload: Reload | undefined): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const part = `${path}.${process.pid}.part`;
  writeFileSync(part, `${JSON.stringify(reload?.message ?? null)}\n`, { mode: 0o600 });
  renameSync(part, path);
}

/**
 * Tries until the service has taken it, or the signal is aborted.
 *
 * @returns how often it failed before; null when it was given up
 */
export async function tellReload({
  how,
  reload,
  pid,
  port,
  signal,
  onFailure,
}: Telling): Promise<number | null> {
  if ('signal' in how) {
    try {
      process.kill(pid, how.signal);
      return 0;
    } catch {
      // It has just ended: its next process reads the file when it starts.
      return null;
    }
  }
  const retry = new Retry(RETRY);
  for (let failures = 0; ; failures += 1) {
    const why = await post(urlOf(how.http, port), reload, signal);
    if (why === null) return failures;
    if (isAborted(signal)) return null;
    if (failures === 0) onFailure(why);
    await retry.pause(signal);
    if (isAborted(signal)) return null;
  }
}

/** @returns why it failed */
async function post(url: string, { message }: Reload, signal: AbortSignal): Promise<string | null> {
  try {
    const { status, body } = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(message),
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(CALL)]),
    });
    await body?.cancel();
    return status < 400 ? null : `${url} answers ${status}`;
  } catch (error) {
    return `${url}: ${networkReason(error)}`;
  }
}

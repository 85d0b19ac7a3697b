/** Whether a service is ready, as `ready` of hippo.yaml says how to tell. */
import type { ServiceConfig } from '../../../config/schema.ts';
import { isAborted } from '../../../core/abort.ts';
import { tryToConnect } from '../../../core/connect.ts';
import { pause } from '../../../core/deadline.ts';
import { urlOf } from './address.ts';

export type Ready = NonNullable<ServiceConfig['ready']>;

/** Between two looks, milliseconds: until it is ready, and then. */
const SOON = 200;
const LATER = 5_000;
/** How long one look may take, milliseconds. */
const LOOK = 5_000;
/** So many looks in a row must fail before what was ready is not. */
const FAILURES = 3;

export interface ReadinessOptions {
  ready: Exclude<Ready, { line: string }>;
  port: number | null;
  /** Aborted when the process has ended. */
  signal: AbortSignal;
  onChange: (isReady: boolean, why: string | null) => void;
}

/** Looks again and again, and tells of each change. */
export async function watchReadiness({ ready, port, signal, onChange }: ReadinessOptions): Promise<void> {
  let isReady = false;
  let failures = 0;
  while (!signal.aborted) {
    const why = await look(ready, port, signal);
    if (isAborted(signal)) return;
    failures = why === null ? 0 : failures + 1;
    if ((why === null) !== isReady && (why === null || failures >= FAILURES)) {
      isReady = why === null;
      onChange(isReady, why);
    }
    await pause(isReady && failures === 0 ? LATER : SOON, signal);
  }
}

/** @returns why it is not ready */
async function look(
  ready: ReadinessOptions['ready'],
  port: number | null,
  signal: AbortSignal,
): Promise<string | null> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(LOOK)]);
  if ('tcp' in ready) return lookAtPort(ready.tcp, port, limit);
  const url = urlOf(ready.http, port);
  try {
    const { status, body } = await fetch(url, { signal: limit, redirect: 'manual' });
    await body?.cancel();
    return status < 400 ? null : `${url} answers ${status}`;
  } catch {
    return `${url} does not answer`;
  }
}

async function lookAtPort(
  tcp: number | string | true,
  own: number | null,
  signal: AbortSignal,
): Promise<string | null> {
  const { host, port } = placeOf(tcp, own);
  const failure = await tryToConnect({ host, port }, signal);
  if (failure === null) return null;
  return `${host}:${port} ${failure.kind === 'silent' ? 'does not answer' : 'refuses connections'}`;
}

function placeOf(tcp: number | string | true, own: number | null): { host: string; port: number } {
  if (typeof tcp !== 'string') return { host: '127.0.0.1', port: tcp === true ? (own ?? 0) : tcp };
  const colon = tcp.lastIndexOf(':');
  return { host: tcp.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), port: Number(tcp.slice(colon + 1)) };
}

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
/** The same of a service of models, whose answer says which version it serves. */
const LATER_OF_MODELS = 1_000;
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
  /** Of a service of models: which version of each it says that it serves. Called after each answer that says so. */
  onModels?: ((models: Readonly<Record<string, string>>) => void) | undefined;
}

/** Looks again and again, and tells of each change. */
export async function watchReadiness({
  ready,
  port,
  signal,
  onChange,
  onModels,
}: ReadinessOptions): Promise<void> {
  let isReady = false;
  let failures = 0;
  while (!signal.aborted) {
    const why = await look(ready, port, signal, onModels);
    if (isAborted(signal)) return;
    failures = why === null ? 0 : failures + 1;
    if ((why === null) !== isReady && (why === null || failures >= FAILURES)) {
      isReady = why === null;
      onChange(isReady, why);
    }
    const later = onModels === undefined ? LATER : LATER_OF_MODELS;
    await pause(isReady && failures === 0 ? later : SOON, signal);
  }
}

/** @returns why it is not ready */
async function look(
  ready: ReadinessOptions['ready'],
  port: number | null,
  signal: AbortSignal,
  onModels: ReadinessOptions['onModels'],
): Promise<string | null> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(LOOK)]);
  if ('tcp' in ready) return lookAtPort(ready.tcp, port, limit);
  const url = urlOf(ready.http, port);
  try {
    const { status, body, headers } = await fetch(url, { signal: limit, redirect: 'manual' });
    await body?.cancel();
    const models = headers.get(MODELS_HEADER);
    if (models !== null) onModels?.(servedIn(models));
    return status < 400 ? null : `${url} answers ${status}`;
  } catch {
    return `${url} does not answer`;
  }
}

/** Which version of each model a service serves: `iris=20261128T234539Z-d2680d, movies=…`. */
const MODELS_HEADER = 'hippo-models';
const MOST_MODELS = 100;

/** What is not a name and a version is left out: it comes from another program, and goes into metrics and messages. */
export function servedIn(header: string): Record<string, string> {
  return Object.fromEntries(
    header
      .split(',')
      .slice(0, MOST_MODELS)
      .flatMap((item): [string, string][] => {
        const [, name, version] = /^\s*([a-z][\w-]{0,63})=([\w.-]{1,100})\s*$/.exec(item) ?? [];
        return name === undefined || version === undefined ? [] : [[name, version]];
      }),
  );
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

/** Messages by HTTP. */
import type { Millis } from '../core/clock.ts';
import { formatDuration } from '../core/duration.ts';
import { networkReason } from '../core/network-reason.ts';
import type { Outcome } from './types.ts';

export interface Post {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body: string;
  readonly timeout: Millis;
}

/** So much of an answer is read, bytes: only its first line is shown. */
const MOST_READ = 1_024;
/** And for so long: its status has come, and decides. */
const LONGEST_READ = 1_000;
/** A receiver that asks for a longer pause is tried again all the same. */
const LONGEST_PAUSE = 60 * 60_000;

/** It may take the same message a little later. */
const LATER = new Set([408, 425, 429]);

/** @param signal aborted to stop at once; then what is returned is of no interest */
export async function post({ url, headers, body, timeout }: Post, signal: AbortSignal): Promise<Outcome> {
  const began = performance.now();
  const millis = (): Millis => Math.round(performance.now() - began);
  const late = AbortSignal.timeout(timeout);
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
      // What it redirects to would get the message and its headers, and that is not what hippo.yaml says.
      redirect: 'manual',
      signal: AbortSignal.any([signal, late]),
    });
    const said = await beginningOf(response, Math.min(LONGEST_READ, Math.max(0, timeout - millis())));
    return { ...judged(response, said), millis: millis() };
  } catch (error) {
    if (late.aborted)
      return {
        kind: 'failed',
        isSent: true,
        answer: `no answer within ${formatDuration(timeout)}`,
        millis: millis(),
      };
    return { kind: 'failed', isSent: !neverLeft(error), answer: networkReason(error), millis: millis() };
  }
}

function judged(
  { status, headers }: Response,
  said: string,
): { answer: string } & (
  | { kind: 'taken' | 'refused' }
  | { kind: 'busy'; retryAfter: Millis | null }
  | { kind: 'failed'; isSent: true }
) {
  const answer = said === '' ? String(status) : `${status}: ${said}`;
  if (status >= 200 && status < 300) return { kind: 'taken', answer };
  if (status >= 300 && status < 400) {
    const host = URL.parse(headers.get('location') ?? '')?.host;
    const where = host === undefined ? 'elsewhere' : `to ${host}`;
    return { kind: 'refused', answer: `${status}: it redirects ${where}; set the final URL` };
  }
  const retryAfter = pauseOf(headers.get('retry-after'));
  if (LATER.has(status) || (status >= 500 && retryAfter !== null))
    return { kind: 'busy', retryAfter, answer };
  return status < 500 ? { kind: 'refused', answer } : { kind: 'failed', isSent: true, answer };
}

/** `120`, or a date. @returns milliseconds */
function pauseOf(text: string | null): Millis | null {
  if (text === null) return null;
  const pause = /^\d+$/.test(text.trim()) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isFinite(pause) ? Math.min(Math.max(pause, 0), LONGEST_PAUSE) : null;
}

/**
 * The first line of a body, as far as it comes in time. The status alone decides what the answer is: a body that does not end, or
 * breaks off, changes nothing.
 */
async function beginningOf({ body }: Response, patience: Millis): Promise<string> {
  if (body === null) return '';
  const reader = (body as ReadableStream<Uint8Array>).getReader();
  // What has come of it is shown.
  const stop = (): void => void reader.cancel().catch(() => undefined);
  const timer = setTimeout(stop, patience);
  const parts: Uint8Array[] = [];
  try {
    for (let length = 0; length < MOST_READ;) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
      length += value.byteLength;
    }
  } catch {
    // It broke off.
  } finally {
    clearTimeout(timer);
    stop();
  }
  const text = Buffer.concat(parts).subarray(0, MOST_READ).toString().trim();
  return text.split('\n', 1)[0]?.trim() ?? '';
}

/** No connection came about, so that nothing can have been taken. */
function neverLeft(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  const causes = cause instanceof AggregateError ? (cause.errors as unknown[]) : [cause];
  return causes.some((each) => NO_CONNECTION.has(codeOf(each)));
}

const NO_CONNECTION = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_HAS_EXPIRED',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** What ties a request to others: its id, and its place in a trace. Pure, but for the random numbers. */
import type { IncomingHttpHeaders } from 'node:http';
import { newId, newTraceparent } from '../../core/ids.ts';

/** The trace of one request, as it is to be passed on to other services. */
export interface Trace {
  /** 32 hex digits, which all requests of the trace share. */
  readonly traceId: string;
  /** `00-<trace id>-<span id of this request>-<flags>` (https://www.w3.org/TR/trace-context/). */
  readonly traceparent: string;
  /** The vendors' part, as it came; undefined: none. */
  readonly tracestate: string | undefined;
}

/** What may stand in a log and in a header without being quoted. */
const SANE_ID = /^[A-Za-z0-9._:-]{1,128}$/;

/** `x-request-id` of the caller where it is sane, else a new one. */
export function requestIdOf(headers: IncomingHttpHeaders): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && SANE_ID.test(given) ? given : newId();
}

/** Version 00 has nothing after the flags; a later version, which is read as 00, may. Version ff and ids of zeros are invalid. */
const TRACEPARENT =
  /^(?:00-(?!0{32})([\da-f]{32})-(?!0{16})[\da-f]{16}-([\da-f]{2})|(?!ff|00)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})[\da-f]{16}-([\da-f]{2})(?:-.*)?)$/;
const LONGEST_STATE = 512;

/** A new span of the caller's trace, with the caller's flags; a new trace where the caller gave none, or one that is malformed. */
export function traceOf(headers: IncomingHttpHeaders): Trace {
  const given = headers['traceparent'];
  const match = typeof given === 'string' ? TRACEPARENT.exec(given) : null;
  const traceId = match?.[1] ?? match?.[3];
  const flags = match?.[2] ?? match?.[4];
  if (given === undefined || traceId === undefined || flags === undefined) return newTrace();
  const state = headers['tracestate'];
  const tracestate = typeof state === 'string' && state.length <= LONGEST_STATE ? state : undefined;
  const span = newTraceparent().slice(36, 52);
  return { traceId, traceparent: `00-${traceId}-${span}-${flags}`, tracestate };
}

function newTrace(): Trace {
  const traceparent = newTraceparent();
  return { traceId: traceparent.slice(3, 35), traceparent, tracestate: undefined };
}

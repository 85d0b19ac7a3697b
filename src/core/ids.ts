import { randomUUID } from 'node:crypto';

/**
 * A W3C trace-context header: `00-<32 hex>-<16 hex>-01` (https://www.w3.org/TR/trace-context/).
 * Without a parent it starts a new trace; with one it is a new span of the parent's trace.
 */
export function newTraceparent(parent?: string): string {
  const traceId = (parent === undefined ? undefined : traceIdOf(parent)) ?? randomHex(16);
  return `00-${traceId}-${randomHex(8)}-01`;
}

/** Random but not secret: loading Node's crypto module would take longer than the rest of a short command. */
function randomHex(bytes: number): string {
  return Array.from({ length: bytes }, () =>
    Math.floor(Math.random() * 256)
      .toString(16)
      .padStart(2, '0'),
  ).join('');
}

/** The 32 hex digits that all events of one trace share, or undefined when the header is malformed. */
export function traceIdOf(traceparent: string): string | undefined {
  const match = /^[\da-f]{2}-([\da-f]{32})-[\da-f]{16}-[\da-f]{2}$/.exec(traceparent);
  return match?.[1] === '0'.repeat(32) ? undefined : match?.[1];
}

/** A random identifier, safe in file names, topics and YARN tags (lower case, digits, dashes). */
export function newId(): string {
  return randomUUID();
}

/** Structured logs: a line of JSON for each request and each event. No query, header or body of a request is in them. */
import type { FastifyRequest, FastifyServerOptions } from 'fastify';

/** Where lines go: a file, stdout, or a list in a test. */
export interface LogStream {
  write(line: string): void;
}

/** A longer path is cut. */
const LONGEST_PATH = 200;

export function loggerFor(stream: LogStream): NonNullable<FastifyServerOptions['logger']> {
  return {
    level: 'info',
    stream,
    base: null,
    messageKey: 'message',
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: {
      // What Fastify would write of a request has its query.
      req: ({ method, url }: FastifyRequest) => ({ method, url: pathOf(url) }),
    },
  };
}

/** The fields of a request's own line. */
export function requestLine(
  request: FastifyRequest,
  status: number,
  millis: number,
): Record<string, unknown> {
  return {
    method: request.method,
    route: routeOf(request),
    path: pathOf(request.url),
    status,
    ms: Math.round(millis * 1_000) / 1_000,
    trace_id: request.trace.traceId,
    ...(request.caller !== null && { caller: request.caller }),
  };
}

/** The pattern of the route: there are few of them, whatever is asked for. */
export function routeOf(request: FastifyRequest): string {
  return request.is404 ? 'none' : (request.routeOptions.url ?? 'none');
}

function pathOf(url: string): string {
  const [path = ''] = url.split(/[?#;]/, 1);
  return path.length > LONGEST_PATH ? `${path.slice(0, LONGEST_PATH)}…` : path;
}

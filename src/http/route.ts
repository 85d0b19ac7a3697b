/** Which route answers a request. Pure. */
import type { IncomingHttpHeaders } from 'node:http';
import { HttpProblem, type Reply } from './reply.ts';

export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  /** The values of the route's `:name` segments, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Aborted when the client has gone, or the request has taken too long. */
  readonly signal: AbortSignal;
  /**
   * The whole body.
   *
   * @throws HttpProblem 413 when it is larger than the server's limit
   */
  readonly body: () => Promise<Buffer>;
}

export interface Route {
  method: HttpMethod;
  /** `/runs/:job/:key`: a segment with a colon takes any text but an empty one. A GET route answers HEAD, too. */
  path: string;
  handle: (request: HttpRequest) => Reply | Promise<Reply>;
}

export interface Match {
  route: Route;
  params: Readonly<Record<string, string>>;
}

/**
 * The request's target (RFC 9112, section 3.2) as path and query.
 *
 * @throws HttpProblem 400 when it is neither a path nor a URL
 */
export function parseTarget(target: string): { path: string; query: URLSearchParams } {
  // A path is not given to URL, which reads the path "//a" as a host.
  const origin = /^https?:\/\/[^/?#]+/i.exec(target)?.[0] ?? '';
  const [path = '', ...query] = target.slice(origin.length).split('?');
  if (!path.startsWith('/') && !(origin !== '' && path === ''))
    throw new HttpProblem(400, 'the request target must be a path that begins with /');
  return { path: path === '' ? '/' : path, query: new URLSearchParams(query.join('?')) };
}

/**
 * The route for this request. Of several, the one listed first.
 *
 * @throws HttpProblem 404 where no route has the path; 405 where one has, with another method; 400 for a bad escape
 */
export function findRoute(routes: readonly Route[], method: string, path: string): Match {
  const matches = routes.flatMap((route): Match[] => {
    const params = paramsOf(route.path, path);
    return params === undefined ? [] : [{ route, params }];
  });
  if (matches.length === 0) throw new HttpProblem(404, `there is nothing at ${path}`);
  const wanted = method === 'HEAD' ? 'GET' : method;
  const match = matches.find(({ route }) => route.method === wanted);
  if (match !== undefined) return match;
  const allowed = [...new Set(matches.flatMap(({ route }) => methodsOf(route)))].join(', ');
  throw new HttpProblem(405, `${path} answers ${allowed} only`, { allow: allowed });
}

function methodsOf({ method }: Route): string[] {
  return method === 'GET' ? ['GET', 'HEAD'] : [method];
}

function paramsOf(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split('/');
  const found = path.split('/');
  if (wanted.length !== found.length) return undefined;
  const params: [name: string, value: string][] = [];
  for (const [index, segment] of wanted.entries()) {
    const value = found[index] ?? '';
    if (!segment.startsWith(':')) {
      if (segment !== value) return undefined;
    } else {
      if (value === '') return undefined;
      params.push([segment.slice(1), decoded(value)]);
    }
  }
  return Object.fromEntries(params);
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new HttpProblem(400, `"${segment}" in the path is not a valid percent-encoding`);
  }
}

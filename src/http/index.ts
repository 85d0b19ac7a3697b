/**
 * The HTTP server of the toolkit: routes, limits on size and time, problem+json errors (RFC 9457), HEAD, 404 and 405, bearer
 * tokens, rates, and a close that lets running requests finish. It stands on node:http alone, because each client at rest pays for what it loads.
 */
export { BearerToken, RateLimit } from './access.ts';
export { readJson } from './body.ts';
export { HttpProblem, type Reply, json, text } from './reply.ts';
export type { HttpMethod, HttpRequest, Route } from './route.ts';
export { type HttpServer, type HttpServerOptions, serveHttp } from './server.ts';

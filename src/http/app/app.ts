import type { AddressInfo } from 'node:net';
import Fastify, {
  LogController,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import type { Registry } from 'prom-client';
import { UserError } from '../../core/errors.ts';
import { pause } from '../../core/deadline.ts';
import { HttpProblem } from '../reply.ts';
import { type HttpMethod, type Route, findRoute } from '../route.ts';
import { cannotListen, refuse } from '../server.ts';
import { addDocument, addPage } from './docs.ts';
import { type Readiness, addHealth } from './health.ts';
import type { Keys } from './keys.ts';
import { type AppLimits, DEFAULT_LIMITS, limitRequests } from './limits.ts';
import { type LogStream, loggerFor, requestLine, routeOf } from './logs.ts';
import { isLoopback } from './loopback.ts';
import { type AppMetrics, createAppMetrics } from './metrics.ts';
import { problemFor } from './problems.ts';
import { type Trace, requestIdOf, traceOf } from './trace.ts';
import { schemaCompiler } from './validation.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The name of the key that the request came with; null: it needed none. */
    caller: string | null;
    /** To be passed on to other services. */
    trace: Trace;
    /** Aborted when the client has gone, or the answer has taken too long. */
    stop: AbortController;
  }
  interface FastifyContextConfig {
    /** It needs no key. */
    isOpen?: boolean;
    /** However busy the process is. */
    isAlwaysAnswered?: boolean;
  }
}

export interface AppOptions {
  host: string;
  /** 0: any free port. */
  port: number;
  /** The section of hippo.yaml that says where to listen, for errors: `serve`. */
  setting: string;
  /** Of the OpenAPI document. */
  title: string;
  description: string;
  version: string;
  keys: Keys | null;
  limits?: Partial<AppLimits>;
  /** Whether /openapi.json and /docs are served. */
  hasPage?: boolean;
  readiness: () => Readiness;
  log: LogStream;
}

export interface HttpApp {
  /** For further routes, until {@link listen}. */
  readonly fastify: FastifyInstance;
  /** For further metrics. */
  readonly registry: Registry;
  /**
   * @returns `host:port`, with the port that was chosen where 0 was asked for
   * @throws UserError when it cannot listen there
   */
  listen(): Promise<string>;
  /**
   * Ends: /readyz is 503 at once; after `limits.notice` new connections are refused, and running requests finish. Each answer from
   * the beginning on closes its connection.
   *
   * @returns how many requests were cut off because they took longer than `limits.drain`
   */
  drain(): Promise<{ cut: number }>;
}

/** @throws UserError when it would listen for other machines without a key */
export async function createApp(options: AppOptions): Promise<HttpApp> {
  requireKeysElsewhere(options);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const metrics = await createAppMetrics();
  const state: State = { isDraining: false, running: 0 };
  const app = newFastify(options, limits);
  const routes = collectRoutes(app);
  app.setValidatorCompiler(schemaCompiler());
  app.setSerializerCompiler(() => (value) => `${JSON.stringify(value)}\n`);
  app.removeContentTypeParser('text/plain');
  app.setErrorHandler(answerError);
  prepareRequests(app, { limits, metrics, state });
  admitCallers(app, options.keys);
  await limitRequests(app, limits);
  app.setNotFoundHandler({ preHandler: app.rateLimit() }, (request) => {
    // Throws: 405 where another method has the path, else 404.
    findRoute(routes, request.method, request.url.split('?', 1)[0] ?? '');
  });
  const docs = { ...options, hasKeys: options.keys !== null };
  if (options.hasPage !== false) await addDocument(app, docs);
  addHealth(app, {
    readiness: options.readiness,
    isDraining: () => state.isDraining,
    metrics,
    hasKeys: options.keys !== null,
  });
  if (options.hasPage !== false) addPage(app, docs);
  return {
    fastify: app,
    registry: metrics.registry,
    listen: () => listen(app, options),
    drain: () => drain(app, state, limits),
  };
}

interface State {
  isDraining: boolean;
  running: number;
}

function requireKeysElsewhere({ host, keys, setting }: AppOptions): void {
  if (keys !== null || isLoopback(host)) return;
  throw new UserError(`${setting} would listen on ${host} without a key`, {
    why: `any machine that reaches ${host} could ask`,
    next: [
      `set ${setting}.keys in hippo.yaml, e.g. keys: { web: '\${WEB_KEY}' }, or ${setting}.keys_file`,
      `or set ${setting}.host to 127.0.0.1`,
    ],
  });
}

/** Of a request's target, and of a part of its path: less than Node allows for all headers (16 KB). A schema may allow less. */
const LONGEST_TARGET = 14_000;

function newFastify({ log }: AppOptions, limits: AppLimits): FastifyInstance {
  return Fastify({
    logger: loggerFor(log),
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    genReqId: ({ headers }) => requestIdOf(headers),
    bodyLimit: limits.body,
    requestTimeout: limits.receive,
    http: {
      headersTimeout: limits.receive,
      connectionsCheckingInterval: Math.min(1_000, limits.receive),
    },
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    exposeHeadRoutes: true,
    routerOptions: { maxParamLength: LONGEST_TARGET },
    frameworkErrors: (error, request, reply) => {
      // Hooks have not run for what has no valid path.
      prepare(request);
      answerError(error, request, reply);
    },
    clientErrorHandler: refuse,
  });
}

function prepare(request: FastifyRequest): void {
  request.caller = null;
  request.trace = traceOf(request.headers);
}

interface RequestParts {
  limits: AppLimits;
  metrics: AppMetrics;
  state: State;
}

/** What each request has from its beginning, and what is noted at its end. */
function prepareRequests(app: FastifyInstance, { limits, metrics, state }: RequestParts): void {
  app.decorateRequest('caller', null);
  app.decorateRequest('trace', null as unknown as Trace);
  app.decorateRequest('stop', null as unknown as AbortController);
  app.addHook('onRequest', (request, reply, done) => {
    prepare(request);
    request.stop = new AbortController();
    state.running += 1;
    metrics.running.inc();
    void reply.headers({
      'x-request-id': request.id,
      traceparent: request.trace.traceparent,
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      ...(state.isDraining && { connection: 'close' }),
    });
    const timer = setTimeout(() => tooLate(request, reply, limits), limits.answer);
    reply.raw.once('close', () => {
      clearTimeout(timer);
      state.running -= 1;
      metrics.running.dec();
      request.stop.abort(new Error('the request has ended'));
      // What nginx calls 499: the client has gone before the answer.
      const status = reply.raw.writableFinished ? reply.statusCode : 499;
      const millis = reply.elapsedTime;
      metrics.observe({ method: request.method, route: routeOf(request), status, seconds: millis / 1_000 });
      // Probes come each second, for as long as the process runs.
      if (request.routeOptions.config.isAlwaysAnswered === true && status < 500) return;
      request.log.info(requestLine(request, status, millis), 'request');
    });
    if (request.url.length > LONGEST_TARGET) throw new HttpProblem(414, 'the request target is too long');
    const encoding = request.headers['content-encoding'] ?? 'identity';
    if (encoding !== 'identity') throw new HttpProblem(415, 'the body must not be compressed');
    done();
  });
  // An answer that began before the drain must end its connection, too.
  app.addHook('onSend', (_, reply, payload, done) => {
    if (state.isDraining) void reply.header('connection', 'close');
    done(null, payload);
  });
}

function tooLate(request: FastifyRequest, reply: FastifyReply, { answer }: AppLimits): void {
  request.stop.abort(new Error('the answer takes too long'));
  if (reply.sent || reply.raw.headersSent) return;
  void reply.send(
    new HttpProblem(503, `the answer takes longer than ${answer / 1000} s`, { 'retry-after': '1' }),
  );
}

function admitCallers(app: FastifyInstance, keys: Keys | null): void {
  if (keys === null) return;
  app.addHook('onRequest', (request, _, done) => {
    if (request.routeOptions.config.isOpen !== true) request.caller = keys.callerOf(request.headers);
    else if (hasKey(request)) request.caller = callerIfKnown(keys, request);
    done();
  });
}

function hasKey({ headers }: FastifyRequest): boolean {
  return headers.authorization !== undefined || headers['x-api-key'] !== undefined;
}

function callerIfKnown(keys: Keys, { headers }: FastifyRequest): string | null {
  try {
    return keys.callerOf(headers);
  } catch {
    return null;
  }
}

function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const problem = problemFor(error);
  if (problem === null) request.log.error({ err: error }, 'the request failed');
  send(
    reply,
    problem ?? new HttpProblem(500, 'the service failed to answer this request; its log says why'),
    request.id,
  );
}

function send(reply: FastifyReply, problem: HttpProblem, requestId: string): void {
  const { status, headers, contentType, body } = problem.with({ request_id: requestId }).reply;
  // To the type of a text Fastify would add a charset, which problem+json does not have.
  void reply
    .code(status)
    .header('content-type', contentType)
    .headers({ ...headers })
    .send(Buffer.from(body));
}

/** For 405: Fastify answers 404 to a path that has other methods. */
function collectRoutes(app: FastifyInstance): Route[] {
  const routes: Route[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat())
      if (one !== 'HEAD') routes.push({ method: one as HttpMethod, path: url, handle: neverCalled });
  });
  return routes;
}

function neverCalled(): never {
  throw new Error('a route of Fastify is not answered here');
}

async function listen(app: FastifyInstance, options: AppOptions): Promise<string> {
  const { host, port } = options;
  await app.ready();
  try {
    await app.listen({ host, port });
  } catch (error) {
    throw cannotListen(error as NodeJS.ErrnoException, options);
  }
  const { port: chosen } = app.server.address() as AddressInfo;
  return `${host.includes(':') ? `[${host}]` : host}:${chosen}`;
}

async function drain(
  app: FastifyInstance,
  state: State,
  { notice, drain: limit }: AppLimits,
): Promise<{ cut: number }> {
  state.isDraining = true;
  await pause(notice);
  let cut = 0;
  const timer = setTimeout(() => {
    cut = state.running;
    app.server.closeAllConnections();
  }, limit);
  await app.close();
  clearTimeout(timer);
  return { cut };
}

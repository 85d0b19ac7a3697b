import {
  type IncomingMessage,
  STATUS_CODES,
  type Server,
  type ServerResponse,
  createServer,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { UserError, messageOf } from '../core/errors.ts';
import { HttpProblem, type Reply } from './reply.ts';
import { type Route, findRoute, parseTarget } from './route.ts';

export interface HttpLimits {
  /** Bytes of a request's body. */
  body: number;
  /** Milliseconds for a client to send its request. */
  receive: number;
  /** Milliseconds for a handler to answer. */
  answer: number;
  /** Milliseconds that running requests have left after {@link HttpServer.close}. */
  drain: number;
}

export interface HttpServerOptions {
  host: string;
  /** 0: any free port. */
  port: number;
  routes: readonly Route[];
  /** The section of hippo.yaml that says where to listen, for errors: `client.http`. */
  setting: string;
  limits?: Partial<HttpLimits>;
  /** A handler has failed with an error that is not an {@link HttpProblem}; the client got a 500 without the reason. */
  onError: (text: string) => void;
}

export interface HttpServer {
  /** `host:port`, with the port that was chosen where 0 was asked for. */
  readonly address: string;
  /** Accepts no more connections; resolves when the running requests are answered, or `limits.drain` is over. */
  close(): Promise<void>;
}

const LIMITS: HttpLimits = { body: 64 * 1024, receive: 10_000, answer: 30_000, drain: 5_000 };

/** @throws UserError when it cannot listen there: the port is taken, or the address is not this machine's */
export async function serveHttp(options: HttpServerOptions): Promise<HttpServer> {
  const limits = { ...LIMITS, ...options.limits };
  let isClosing = false;
  const server = createServer({
    requestTimeout: limits.receive,
    headersTimeout: limits.receive,
    connectionsCheckingInterval: Math.min(1_000, limits.receive),
  });
  server.on('request', (request, response) => {
    void answer(request, response, options, limits).then((reply) =>
      send(request, response, reply, isClosing),
    );
  });
  server.on('clientError', refuse);
  const { port } = await listen(server, options);
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    address: `${host}:${port}`,
    close() {
      isClosing = true;
      return closeServer(server, limits.drain);
    },
  };
}

/** Never rejects: an error is a reply, too. */
async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { routes, onError }: HttpServerOptions,
  limits: HttpLimits,
): Promise<Reply> {
  const stop = new AbortController();
  response.once('close', () => stop.abort(new Error('the client has closed the connection')));
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new HttpProblem(503, `the answer takes longer than ${limits.answer / 1000} s`));
    stop.abort(new Error('the answer takes too long'));
  }, limits.answer);
  const handle = async (): Promise<Reply> => {
    const { method = '', url = '', headers } = request;
    const { path, query } = parseTarget(url);
    const { route, params } = findRoute(routes, method, path);
    if (Number(headers['content-length'] ?? 0) > limits.body) throw tooLarge(limits);
    const { signal } = stop;
    return route.handle({
      method,
      path,
      params,
      query,
      headers,
      signal,
      body: () => readBody(request, limits),
    });
  };
  try {
    return await Promise.race([handle(), late.promise]);
  } catch (error) {
    if (error instanceof HttpProblem) return error.reply;
    onError(`${request.method} ${request.url} failed: ${messageOf(error)}`);
    return new HttpProblem(500, 'the server failed to answer this request; its log says why').reply;
  } finally {
    clearTimeout(timer);
  }
}

async function readBody(request: IncomingMessage, limits: HttpLimits): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limits.body) throw tooLarge(limits);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLarge({ body }: HttpLimits): HttpProblem {
  return new HttpProblem(413, `the body is larger than ${body} bytes`);
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  { status, contentType, headers, body }: Reply,
  isClosing: boolean,
): void {
  if (response.destroyed) return;
  // The rest of a body that no handler reads would have to be received before the next request.
  const isBodyLeft = hasBody(request) && !request.complete;
  response.writeHead(status, {
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...headers,
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    ...(isClosing || isBodyLeft ? { connection: 'close' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

const REFUSALS: Readonly<Record<string, HttpProblem>> = {
  HPE_HEADER_OVERFLOW: new HttpProblem(431, 'the headers are too large'),
  ERR_HTTP_REQUEST_TIMEOUT: new HttpProblem(408, 'the request did not arrive in time'),
};

/** What arrived is not an HTTP request, or not in time. */
export function refuse(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, contentType, body } = (
    REFUSALS[error.code ?? ''] ?? new HttpProblem(400, 'this is not an HTTP/1.1 request')
  ).reply;
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      'connection: close',
      `content-type: ${contentType}`,
      `content-length: ${Buffer.byteLength(body)}`,
      '',
      body.toString(),
    ].join('\r\n'),
  );
}

function listen(server: Server, options: HttpServerOptions): Promise<AddressInfo> {
  const { host, port } = options;
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(cannotListen(error, options)));
    server.listen(port, host, () => resolve(server.address() as AddressInfo));
  });
}

/** The port is taken, or the address is not this machine's. */
export function cannotListen(
  error: NodeJS.ErrnoException,
  { host, port, setting }: Pick<HttpServerOptions, 'host' | 'port' | 'setting'>,
): UserError {
  return new UserError(`${setting} cannot listen on ${host}:${port}`, {
    why: error.code === 'EADDRINUSE' ? 'the port is taken' : error.message,
    next: [`set ${setting}.port in hippo.yaml to a free port, or to 0 for any`],
    cause: error,
  });
}

function closeServer(server: Server, drain: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), drain);
    // Connections without a request are closed at once.
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { UserError, messageOf } from '../../core/errors.ts';
import type { ClientStatus } from './status.ts';

export interface HttpOptions {
  host: string;
  port: number;
  status(): ClientStatus;
  metrics(): Promise<{ contentType: string; text: string }>;
}

export interface HttpServer {
  /** `host:port`, with the port that was chosen where 0 was asked for. */
  readonly address: string;
  close(): Promise<void>;
}

/**
 * - `/healthz`: 200 while the process can answer
 * - `/readyz`: 200 as owner or standby with a connection to Kafka, else 503
 * - `/metrics`: Prometheus text
 *
 * @throws UserError when the port is taken
 */
export async function serveHttp(options: HttpOptions): Promise<HttpServer> {
  const server = createServer((request, response) => {
    const send = (code: number, contentType: string, body: string): void => {
      response.writeHead(code, { 'content-type': contentType, 'cache-control': 'no-store' });
      response.end(request.method === 'HEAD' ? undefined : body);
    };
    const json = (code: number, value: unknown): void =>
      send(code, 'application/json', `${JSON.stringify(value)}\n`);
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      json(405, { error: 'only GET' });
      return;
    }
    switch (new URL(request.url ?? '/', 'http://localhost').pathname) {
      case '/healthz':
        json(200, { status: 'ok' });
        break;
      case '/readyz': {
        const status = options.status();
        json(status.connected && status.role !== 'connecting' ? 200 : 503, status);
        break;
      }
      case '/metrics':
        options.metrics().then(
          ({ contentType, text }) => send(200, contentType, text),
          (error: unknown) => json(500, { error: messageOf(error) }),
        );
        break;
      default:
        json(404, { error: 'there are /healthz, /readyz and /metrics' });
    }
  });
  const { port } = await listen(server, options);
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    address: `${host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, { host, port }: { host: string; port: number }): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new UserError(`client.http cannot listen on ${host}:${port}`, {
          why: error.code === 'EADDRINUSE' ? 'the port is taken' : error.message,
          next: ['set client.http.port in hippo.yaml to a free port, or to 0 for any'],
          cause: error,
        }),
      );
    });
    server.listen(port, host, () => resolve(server.address() as AddressInfo));
  });
}

/** A proxy before a real HTTP server, which answers some requests itself, as a fault of the network or of the server would. */
import { once } from 'node:events';
import { type IncomingMessage, type ServerResponse, createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Fault {
  status: number;
  headers?: Record<string, string>;
  body?: string;
}

/** `hang`: no answer comes; `cut`: the connection breaks. */
type Treatment = Fault | 'hang' | 'cut' | undefined;

export class FaultyProxy {
  /** `GET /bucket?list-type=2`, of all requests so far. */
  readonly requests: string[] = [];
  /** What a request is answered with instead of the server's answer; by default nothing. */
  fault: (path: string) => Treatment = () => undefined;
  /** What the server is asked instead. */
  rewrite: (path: string) => string = (path) => path;
  readonly #target: URL;
  readonly #server = createServer((incoming, response) => this.#handle(incoming, response));

  private constructor(target: string) {
    this.#target = new URL(target);
  }

  static async start(target: string): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #handle(incoming: IncomingMessage, response: ServerResponse): void {
    const path = incoming.url ?? '/';
    this.requests.push(`${incoming.method ?? ''} ${path}`);
    const fault = this.fault(path);
    if (fault === 'hang') return;
    if (fault === 'cut') {
      incoming.socket.destroy();
      return;
    }
    if (fault !== undefined) {
      response.writeHead(fault.status, fault.headers);
      response.end(fault.body ?? '');
      return;
    }
    const { hostname, port } = this.#target;
    const options = {
      hostname,
      port,
      path: this.rewrite(path),
      method: incoming.method,
      headers: incoming.headers,
    };
    const outgoing = httpRequest(options, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    outgoing.on('error', () => response.destroy());
    incoming.pipe(outgoing);
  }
}

/** An error as S3 writes it. */
export function s3Error(
  status: number,
  code: string,
  message: string,
  more: Partial<Fault> & { inner?: string } = {},
): Fault {
  const { inner = '', headers = {} } = more;
  return {
    status,
    headers: { 'content-type': 'application/xml', ...headers },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message>${inner}<RequestId>4442587FB7D0A2F9</RequestId></Error>`,
  };
}

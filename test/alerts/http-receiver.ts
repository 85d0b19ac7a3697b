import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';

export interface Received {
  path: string;
  headers: NodeJS.Dict<string | string[]>;
  body: string;
}

/** What the receiver does with a request; `hang`: it never answers; `endless`: its body does not end. */
export type Answer =
  'hang' | { status: number; body?: string; headers?: Record<string, string>; endless?: boolean };

/** An HTTP server on loopback that takes messages, and answers as it is told to: 200 at the beginning. */
export interface HttpReceiver extends AsyncDisposable {
  url: string;
  received: Received[];
  /** Or what decides it for each request. */
  answer: Answer | ((request: Received) => Answer);
}

/** @param port one that was given before: the receiver comes back */
export async function httpReceiver(port = 0): Promise<HttpReceiver> {
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    const parts: string[] = [];
    request.setEncoding('utf8').on('data', (text: string) => parts.push(text));
    request.on('end', () => {
      const received = { path: request.url ?? '', headers: request.headers, body: parts.join('') };
      receiver.received.push(received);
      const answer = typeof receiver.answer === 'function' ? receiver.answer(received) : receiver.answer;
      if (answer === 'hang') return;
      response.writeHead(answer.status, answer.headers);
      if (answer.endless === true) response.write(answer.body ?? '');
      else response.end(answer.body ?? '');
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const receiver: HttpReceiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received: [],
    answer: { status: 200, body: 'ok' },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
  return receiver;
}

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

/** A real SMTP server on loopback. Without options it takes mail of anybody, without TLS. */
export interface SmtpReceiver extends AsyncDisposable {
  port: number;
  /** The messages that it has taken, as they came. */
  received: string[];
  /** What it does with a message: takes it, never answers, or refuses it with this code. */
  answer: 'take' | 'hang' | { code: number; text: string };
}

export async function smtpReceiver(options: SMTPServerOptions = {}): Promise<SmtpReceiver> {
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    logger: false,
    closeTimeout: 100,
    onData(stream, _session, callback) {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('end', () => {
        const { answer } = receiver;
        if (answer === 'hang') return;
        if (answer !== 'take') {
          callback(Object.assign(new Error(answer.text), { responseCode: answer.code }));
          return;
        }
        receiver.received.push(Buffer.concat(parts).toString());
        callback(null, 'taken');
      });
    },
    ...options,
  });
  server.on('error', () => undefined);
  const { server: listening } = server;
  server.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const receiver: SmtpReceiver = {
    port: (listening.address() as AddressInfo).port,
    received: [],
    answer: 'take',
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
  return receiver;
}

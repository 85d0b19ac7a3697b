import { type AddressInfo, type Socket, createServer } from 'node:net';
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SqlScanner } from '../../src/sources/index.ts';
import { scanOnce } from '../support/scan.ts';

function scannerOf(url: string): SqlScanner {
  return new SqlScanner({
    ...{ url, passwordFile: null, connectTimeout: 50_000, timeout: 50_000 },
    ...{ levels: ['dt'], read: { query: 'SELECT 1 AS dt' } },
  });
}

describe('a file that the URL names and that is not there', () => {
  it.each(['sslrootcert', 'sslcert', 'sslkey'])('%s is a wrong setting', async (name) => {
    const url = `postgres://u:secret@127.0.0.1:1/db?sslmode=verify-full&${name}=/no/such/file.pem`;
    const { error } = await scanOnce(scannerOf(url));
    expect(error).toMatchObject({
      kind: 'user',
      message: 'sql.url cannot be used',
      why:
        "ENOENT: no such file or directory, open '/no/such/file.pem'. " +
        'Correct sslrootcert, sslcert or sslkey of sql.url, or make the file readable here',
    });
  });
});

describe('a scan that is called off while it connects', () => {
  /** It takes connections and what is sent, answers nothing more than `answer`, and never closes one. */
  async function silentServer(answer?: string): Promise<{ port: number; asked: Promise<Socket> }> {
    const server = createServer({ allowHalfOpen: true });
    const sockets: Socket[] = [];
    const asked = new Promise<Socket>((resolve) => {
      server.on('connection', (socket) => {
        sockets.push(socket.on('error', () => undefined));
        socket.once('data', () => {
          if (answer !== undefined) socket.write(answer);
          resolve(socket);
        });
      });
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return { port: (server.address() as AddressInfo).port, asked };
  }

  it.each([
    ['to a server that does not answer', '', undefined],
    ['to a server that begins TLS and does not go on', '?sslmode=no-verify', 'S'],
  ])(
    '%s ends, and leaves no connection',
    async (_, parameters, answer) => {
      const { port, asked } = await silentServer(answer);
      const controller = new AbortController();
      const scan = scanOnce(scannerOf(`postgres://u:p@127.0.0.1:${port}/db${parameters}`), controller.signal);
      const socket = await asked;
      await setImmediate();
      const left = new Promise((resolve) => socket.once('end', resolve).once('error', resolve));
      controller.abort();
      expect((await scan).error).toMatchObject({ name: 'AbortError' });
      await left;
    },
    20_000,
  );
});

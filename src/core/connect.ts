import { connect } from 'node:net';

/** Why no connection could be made: nothing has answered in time, or the system says so (`ECONNREFUSED`). */
export type ConnectFailure = { readonly kind: 'silent' } | { readonly kind: 'failed'; readonly code: string };

/**
 * Connects, and closes the connection at once.
 *
 * @param signal ends the wait
 * @returns null where the connection was accepted
 */
export function tryToConnect(
  { host, port }: { readonly host: string; readonly port: number },
  signal: AbortSignal,
): Promise<ConnectFailure | null> {
  const { promise, resolve } = Promise.withResolvers<ConnectFailure | null>();
  const socket = connect({ host, port });
  const end = (failure: ConnectFailure | null): void => {
    signal.removeEventListener('abort', late);
    socket.destroy();
    resolve(failure);
  };
  const late = (): void => end({ kind: 'silent' });
  socket.once('connect', () => end(null));
  socket.once('error', (error: NodeJS.ErrnoException) =>
    end({ kind: 'failed', code: error.code ?? error.message }),
  );
  signal.addEventListener('abort', late, { once: true });
  return promise;
}

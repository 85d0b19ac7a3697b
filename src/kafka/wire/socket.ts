import { connect as connectPlain, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ConnectionPoolOptions } from 'kafkajs/src/network/connectionPool.js';

/** A plain connection was answered with a TLS alert. */
export const TLS_WANTED = 'ERR_KAFKA_TLS_WANTED';
/** The handshake ended because there was no client certificate. */
export const CERTIFICATE_WANTED = 'ERR_KAFKA_CERTIFICATE_WANTED';

const KEEP_ALIVE_MS = 60_000;

/** How TLS begins an alert: its type, and the major number of its version (RFC 8446, section 5.1). */
const TLS_ALERT = [0x15, 0x03];
/** Java's words for "there is none" among the alerts. */
const BAD_CERTIFICATE = /alert[ _]bad[ _]certificate/i;

/**
 * Opens a connection for kafkajs, which keeps only the code and the message of a socket's error. Two TLS errors get
 * codes of ours: a broker answered a plain connection with TLS, and a broker got no client certificate.
 */
export const openSocket: ConnectionPoolOptions['socketFactory'] = ({ host, port, ssl, onConnect }) => {
  const socket =
    ssl === null
      ? connectPlain({ host, port }, onConnect)
      : connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...ssl }, onConnect);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  // While it connects, kafkajs adds one listener for each request that waits; that is not a leak.
  socket.setMaxListeners(0);
  if (ssl === null) {
    socket.once('data', (bytes: Buffer) => {
      if (TLS_ALERT.every((byte, at) => bytes[at] === byte)) {
        socket.destroy(Object.assign(new Error('the answer is a TLS alert'), { code: TLS_WANTED }));
      }
    });
  } else if (ssl.cert === undefined) {
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (BAD_CERTIFICATE.test(error.message)) error.code = CERTIFICATE_WANTED;
    });
  }
  return socket;
};

/**
 * What hippo changes in kafkajs 2.2.4, which has not been maintained since 2023. Each change is made once, when this file is
 * loaded.
 */
import Connection from 'kafkajs/src/network/connection.js';
import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';
import protocol from 'kafkajs/src/protocol/requests/index.js';
import { errorNamed } from './error-codes.ts';
import { SaslHandshakeError } from './sasl.ts';

/**
 * kafkajs re-arms a timer of 1 ms per connection for ever, also with a negative delay, at which Node 24 prints
 * TimeoutNegativeWarning (tulios/kafkajs#1556, #1704). The timer matters only while requests wait for a quota: while nothing
 * waits, none is armed.
 */
const schedule: unknown = Reflect.get(RequestQueue.prototype, 'scheduleCheckPendingRequests');
RequestQueue.prototype.scheduleCheckPendingRequests = function (this: RequestQueue): void {
  if (this.pending.length > 0) Reflect.apply(schedule as () => void, this, []);
};

/** A share of a session's life after which the credentials are sent again: as early as Kafka's own client does it. */
const REAUTHENTICATE_AT = 0.85;
/** Brokers refuse it sooner after the last time. */
const REAUTHENTICATE_AFTER_MS = 1000;

/**
 * kafkajs authenticates again 10 s before a session's end, however short the session is: with sessions of 10 s it would do so
 * before each request.
 */
Connection.prototype.isAuthenticated = function (this: Connection): boolean {
  if (this.authenticatedAt === null) return false;
  const lifetime = Number(this.sessionLifetime.toString());
  const [seconds, nanos] = process.hrtime(this.authenticatedAt);
  const age = seconds * 1000 + nanos / 1e6;
  return lifetime === 0 || age < Math.max(lifetime * REAUTHENTICATE_AT, REAUTHENTICATE_AFTER_MS);
};

/**
 * A broker that refuses a SASL handshake lists the mechanisms that it offers; kafkajs drops the list, which tells the operator
 * what to configure.
 */
const handshake = protocol.requests['SaslHandshake'];
if (handshake !== undefined) {
  const encodings = handshake.protocol;
  handshake.protocol = (options) => (args) => {
    const { request, response } = encodings(options)(args);
    const parse = (data: unknown): Promise<unknown> => {
      const { errorCode, enabledMechanisms } = data as { errorCode: number; enabledMechanisms: string[] };
      const { mechanism } = args as { mechanism: string };
      const error = errorNamed(errorCode);
      // The second one comes from a port without SASL.
      if (error === 'UNSUPPORTED_SASL_MECHANISM' || error === 'ILLEGAL_SASL_STATE')
        throw new SaslHandshakeError(mechanism, enabledMechanisms);
      return response.parse(data);
    };
    return { request, response: { decode: response.decode, parse } };
  };
}

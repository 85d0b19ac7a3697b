import type { ConnectionOptions } from 'node:tls';
import KafkajsBroker from 'kafkajs/src/broker/index.js';
import ConnectionPool, { type Connection } from 'kafkajs/src/network/connectionPool.js';
import type { Api, Throttled } from './api.ts';
import { ProtocolError } from './error-codes.ts';
import { closedError } from './lost.ts';
import { debug, kafkaLogger } from './logging.ts';
import { Packet, Unpacker } from './packet.ts';
import './patches.ts';
import { Fetch } from './requests/fetch.ts';
import { type Sasl, saslProvider } from './sasl.ts';
import { openSocket } from './socket.ts';

/** The settings of a connection, with files read, by kafkajs's names. Holds secrets: never print it. */
export interface ConnectionSettings {
  /** `host:port` each. */
  brokers: readonly string[];
  clientId: string;
  /** Milliseconds. */
  connectTimeout: number;
  /** Milliseconds. */
  requestTimeout: number;
  tls: ConnectionOptions | null;
  sasl: Sasl | null;
  /** Who we are to the brokers' authorizer by its default rules, e.g. `User:hippo`; null: not known. */
  principal: string | null;
}

/** Fetches wait for data: they have a connection of their own, so that other requests do not wait with them. */
const FETCHES = 1;
const OTHERS = 0;

/** One broker: connections to it, opened when a request needs them, and the versions of the requests that it speaks. */
export class Broker {
  /** `host:port` */
  readonly address: string;
  readonly #requestTimeout: number;
  readonly #connections: ConnectionPool;
  readonly #kafkajs: KafkajsBroker;
  #connecting: Promise<void> | undefined;

  constructor(address: string, { clientId, tls, sasl, connectTimeout, requestTimeout }: ConnectionSettings) {
    this.address = address;
    this.#requestTimeout = requestTimeout;
    this.#connections = new ConnectionPool({
      ...parseAddress(address),
      clientId,
      ssl: tls,
      sasl: sasl === null ? null : saslProvider(sasl),
      socketFactory: openSocket,
      connectionTimeout: connectTimeout,
      requestTimeout,
      enforceRequestTimeout: true,
      logger: kafkaLogger,
    });
    this.#kafkajs = new KafkajsBroker({
      connectionPool: this.#connections,
      logger: kafkaLogger,
      authenticationTimeout: connectTimeout,
      allowAutoTopicCreation: false,
    });
  }

  get isConnected(): boolean {
    return this.#kafkajs.isConnected();
  }

  /** Connects and authenticates once, however many callers ask at the same time. */
  async connect(): Promise<void> {
    // kafkajs calls itself connected before it knows the versions that the broker speaks.
    if (this.#connecting === undefined && this.isConnected) return;
    this.#connecting ??= this.#kafkajs.connect().finally(() => (this.#connecting = undefined));
    await this.#connecting;
  }

  /**
   * Sends a request and waits for its response, whose error codes are left to the caller.
   *
   * @throws ProtocolError UNSUPPORTED_VERSION
   * @throws kafkajs's errors of a connection
   */
  async send<Request, Response extends object>(
    api: Api<Request, Response>,
    request: Request,
  ): Promise<Response> {
    await this.connect();
    const version = this.#versionOf(api);
    const connection = await this.#connections.getConnection(api.key === Fetch.key ? FETCHES : OTHERS);
    if (!connection.isAuthenticated()) await connection.authenticate();
    const body = await api.encode(request, version);
    connection.failIfNotConnected();
    const timeout = api.timeout?.(request, this.#requestTimeout) ?? this.#requestTimeout;
    const payload = await exchange(connection, { api, version, body, timeout });
    const isFlexible = version >= (api.flexibleFrom ?? Infinity);
    const response = await api.decode(isFlexible ? afterTags(payload) : payload, version, request);
    connection.requestQueue.maybeThrottle((response as Throttled).clientSideThrottleTime ?? 0);
    return response;
  }

  /**
   * Closes the connections now and for good: requests that wait for a response fail. kafkajs's disconnect waits for all
   * responses first, and a caller that is about to send would open a new connection, which would stay open.
   */
  close(): void {
    for (const connection of this.#connections.pool) {
      connection.connect = () => Promise.reject(closedError());
      connection.rejectRequests(closedError());
      connection.disconnect().catch(() => undefined);
      // With an error: callers that wait for the connection see only this error.
      connection.socket?.destroy(closedError());
    }
  }

  /** The newest version of a request that the broker and we speak. */
  #versionOf({ name, key, versions: ours }: Api<never, object>): number {
    const theirs = this.#kafkajs.versions?.[key];
    const version = Math.min(ours.max, theirs?.maxVersion ?? -1);
    if (theirs !== undefined && version >= Math.max(ours.min, theirs.minVersion)) return version;
    const spoken =
      theirs === undefined ? 'no version' : `versions ${theirs.minVersion} to ${theirs.maxVersion}`;
    throw new ProtocolError(
      'UNSUPPORTED_VERSION',
      `The broker speaks ${spoken} of the request ${name}, hippo versions ${ours.min} to ${ours.max}.`,
    );
  }
}

interface Outgoing {
  api: Pick<Api<never, object>, 'name' | 'key' | 'flexibleFrom'>;
  version: number;
  body: readonly Buffer[];
  timeout: number;
}

/** @returns the response without its size and correlation id */
async function exchange(connection: Connection, { api, version, body, timeout }: Outgoing): Promise<Buffer> {
  const { requestQueue, clientId } = connection;
  const correlationId = connection.nextCorrelationId();
  const header = new Packet(64).int32(0).int16(api.key).int16(version).int32(correlationId).string(clientId);
  if (version >= (api.flexibleFrom ?? Infinity)) header.tags();
  const size = header.buffer.length - 4 + body.reduce((sum, { length }) => sum + length, 0);
  header.buffer.writeInt32BE(size);
  debug(`request ${api.name}, version ${version}`, { clientId, correlationId, size });
  const { payload } = await new Promise<{ payload: Buffer }>((resolve, reject) => {
    requestQueue.push({
      entry: { apiKey: api.key, apiName: api.name, apiVersion: version, correlationId, resolve, reject },
      expectResponse: true,
      requestTimeout: timeout,
      sendRequest: () => {
        const { socket } = connection;
        if (socket === undefined) return;
        socket.cork();
        socket.write(header.buffer);
        for (const piece of body) socket.write(piece);
        socket.uncork();
      },
    });
  });
  debug(`response ${api.name}`, { clientId, correlationId, size: payload.length });
  return payload;
}

/** The tagged fields of a response's header: none are defined. */
function afterTags(payload: Buffer): Buffer {
  const header = new Unpacker(payload);
  header.tags();
  return header.rest();
}

/** `host:port`, also `[::1]:9092`. */
function parseAddress(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(':');
  return {
    host: address.slice(0, colon).replace(/^\[(.*)\]$/, '$1'),
    port: Number(address.slice(colon + 1)),
  };
}

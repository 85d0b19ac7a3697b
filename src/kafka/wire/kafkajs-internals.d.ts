/**
 * What src/kafka uses of kafkajs 2.2.4 (pinned): its connections (framing, TLS, SASL, correlation), its brokers (API
 * versions) and its encodings of the small requests. Its consumer, producer, admin and cluster are not used: they retry
 * for ever, swallow the reasons of failures, and copy each record several times.
 */
declare module 'kafkajs/src/broker/index.js' {
  import type { Logger } from 'kafkajs/src/loggers/index.js';
  import type ConnectionPool from 'kafkajs/src/network/connectionPool.js';

  export interface ApiDefinition {
    versions: string[];
    protocol: (options: { version: number }) => (args: object) => ProtocolCall;
  }
  export interface ProtocolCall {
    request: {
      apiKey: number;
      apiVersion: number;
      apiName: string;
      encode(): Promise<{ buf: Buffer; buffer: Buffer }>;
    };
    response: {
      decode: (payload: Buffer) => Promise<unknown>;
      parse: (data: unknown) => Promise<unknown>;
    };
    requestTimeout?: number;
    logResponseError?: boolean;
  }
  export default class Broker {
    constructor(options: {
      connectionPool: ConnectionPool;
      logger: Logger;
      nodeId?: number | null;
      authenticationTimeout?: number;
      allowAutoTopicCreation?: boolean;
    });
    nodeId: number | null;
    versions: Record<number, { minVersion: number; maxVersion: number }> | null;
    connectionPool: ConnectionPool;
    lookupRequest(apiKey: number, definition: ApiDefinition): (args: object) => ProtocolCall;
    connect(): Promise<void>;
    isConnected(): boolean;
    disconnect(): Promise<void>;
  }
}

declare module 'kafkajs/src/network/connectionPool.js' {
  import type { Socket } from 'node:net';
  import type { ConnectionOptions } from 'node:tls';
  import type { ProtocolCall } from 'kafkajs/src/broker/index.js';
  import type { Logger } from 'kafkajs/src/loggers/index.js';

  export interface Connection {
    clientId: string;
    socket?: Socket;
    requestQueue: RequestQueue;
    isAuthenticated(): boolean;
    authenticate(): Promise<void>;
    /** Throws a KafkaJSConnectionError. */
    failIfNotConnected(): void;
    nextCorrelationId(): number;
    connect(): Promise<boolean>;
    isConnected(): boolean;
    disconnect(): Promise<boolean>;
    rejectRequests(error: Error): void;
  }
  export interface RequestQueue {
    /** Sends now, or when a broker's quota lets us; resolves with the answer, or rejects without one. */
    push(request: {
      entry: {
        apiKey: number;
        apiName: string;
        apiVersion: number;
        correlationId: number;
        resolve(answer: { payload: Buffer }): void;
        reject(error: Error): void;
      };
      expectResponse: true;
      /** Milliseconds. */
      requestTimeout: number;
      sendRequest(): void;
    }): void;
    /** @param milliseconds what a broker's answer asks us to wait */
    maybeThrottle(milliseconds: number): void;
  }
  export interface ConnectionPoolOptions {
    host: string;
    port: number;
    clientId: string;
    ssl: ConnectionOptions | null;
    sasl: object | null;
    socketFactory: (options: {
      host: string;
      port: number;
      ssl: ConnectionOptions | null;
      onConnect: () => void;
    }) => Socket;
    connectionTimeout: number;
    requestTimeout: number;
    enforceRequestTimeout: boolean;
    logger: Logger;
  }
  export default class ConnectionPool {
    constructor(options: ConnectionPoolOptions);
    host: string;
    port: number;
    pool: Connection[];
    send(call: ProtocolCall): Promise<unknown>;
    /** The first one is for all requests but fetches; connects where it is not connected. */
    getConnection(index: 0 | 1): Promise<Connection>;
    isConnected(): boolean;
  }
}

declare module 'kafkajs/src/network/connection.js' {
  export default class Connection {
    /** By process.hrtime; null: not authenticated. */
    authenticatedAt: [seconds: number, nanos: number] | null;
    /** Milliseconds, as a 64 bit number; 0: for ever. */
    sessionLifetime: { toString(): string };
    isAuthenticated(): boolean;
  }
}

declare module 'kafkajs/src/broker/saslAuthenticator/index.js' {
  import type { Logger } from 'kafkajs/src/loggers/index.js';

  /** One message of SASL and its answer; both begin with their size in four bytes. */
  export type SaslExchange = (call: {
    request: { encode(): Promise<Buffer> };
    response?: {
      decode: (answer: Buffer) => Promise<unknown>;
      parse: (data: unknown) => Promise<unknown>;
    };
  }) => Promise<unknown>;
  export interface Authenticator {
    authenticate(): Promise<void>;
  }
  export type AuthenticationProvider = (context: {
    host: string;
    port: number;
    logger: Logger;
    saslAuthenticate: SaslExchange;
  }) => Authenticator;
  export type PasswordProvider = (sasl: { username: string; password: string }) => AuthenticationProvider;
}

declare module 'kafkajs/src/broker/saslAuthenticator/plain.js' {
  import type { PasswordProvider } from 'kafkajs/src/broker/saslAuthenticator/index.js';
  const plain: PasswordProvider;
  export default plain;
}

declare module 'kafkajs/src/broker/saslAuthenticator/scram256.js' {
  import type { PasswordProvider } from 'kafkajs/src/broker/saslAuthenticator/index.js';
  const scram256: PasswordProvider;
  export default scram256;
}

declare module 'kafkajs/src/broker/saslAuthenticator/scram512.js' {
  import type { PasswordProvider } from 'kafkajs/src/broker/saslAuthenticator/index.js';
  const scram512: PasswordProvider;
  export default scram512;
}

declare module 'kafkajs/src/network/requestQueue/index.js' {
  export default class RequestQueue {
    pending: unknown[];
    scheduleCheckPendingRequests(): void;
  }
}

declare module 'kafkajs/src/loggers/index.js' {
  export type LogFunction = (message: string, extra?: object) => void;
  export interface Logger {
    debug: LogFunction;
    info: LogFunction;
    warn: LogFunction;
    error: LogFunction;
    namespace(name: string): Logger;
    setLogLevel(level: number): void;
  }
}

declare module 'kafkajs/src/protocol/requests/index.js' {
  import type { ApiDefinition } from 'kafkajs/src/broker/index.js';
  const protocol: { requests: Record<string, ApiDefinition> };
  export default protocol;
}

declare module 'kafkajs/src/protocol/error.js' {
  const errors: {
    createErrorFromCode(code: number): Error & { type: string; code: number; retriable: boolean };
  };
  export default errors;
}

declare module 'kafkajs/src/protocol/recordBatch/crc32C/index.js' {
  export default function crc32c(bytes: Buffer): number;
}

declare module 'kafkajs/src/consumer/assignerProtocol.js' {
  const protocol: {
    MemberMetadata: {
      encode(metadata: { version: number; topics: readonly string[]; userData?: Buffer }): Buffer;
      decode(bytes: Buffer): { version: number; topics: string[]; userData: Buffer | null };
    };
    MemberAssignment: {
      encode(assignment: {
        version: number;
        assignment: Record<string, number[]>;
        userData?: Buffer;
      }): Buffer;
      decode(
        bytes: Buffer,
      ): { version: number; assignment: Record<string, number[]>; userData: Buffer | null } | null;
    };
  };
  export default protocol;
}

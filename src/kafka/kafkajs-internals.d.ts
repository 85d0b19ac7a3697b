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
    protocol(options: { version: number }): (args: object) => ProtocolCall;
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
    socket?: Socket;
    isConnected(): boolean;
    disconnect(): Promise<boolean>;
    rejectRequests(error: Error): void;
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
    isConnected(): boolean;
  }
}

declare module 'kafkajs/src/network/requestQueue/index.js' {
  export default class RequestQueue {
    pending: unknown[];
    scheduleCheckPendingRequests(): void;
  }
}

declare module 'kafkajs/src/network/socketFactory.js' {
  import type { ConnectionPoolOptions } from 'kafkajs/src/network/connectionPool.js';
  export default function createSocketFactory(): ConnectionPoolOptions['socketFactory'];
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

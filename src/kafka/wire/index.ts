/**
 * Kafka's protocol on the wire. This folder is the only one that imports kafkajs's modules; the rest of src/kafka uses what is
 * listed here.
 */
import './timers.ts';

export { default as Broker, type ProtocolCall } from 'kafkajs/src/broker/index.js';
export { default as ConnectionPool } from 'kafkajs/src/network/connectionPool.js';
export { BatchWriter } from './batch-writer.ts';
export { type FetchResponse, type FetchedPartition, fetchCall } from './fetch.ts';
export { MemberAssignment, MemberMetadata } from './group-metadata.ts';
export { debug, kafkaLogger } from './logging.ts';
export { produce } from './produce.ts';
export {
  type Batch,
  BatchRecords,
  batchAt,
  isAbortMarker,
  isControl,
  isTransactional,
} from './record-batch.ts';
export {
  API,
  type ApiName,
  type MetadataResponse,
  type Responses,
  failOn,
  protocol,
  protocolErrors,
} from './requests.ts';
export { saslProvider } from './sasl.ts';
export { openSocket } from './socket.ts';

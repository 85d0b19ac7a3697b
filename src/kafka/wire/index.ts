/**
 * Kafka's protocol on the wire: connections to brokers, requests and responses, record batches, error codes by name.
 *
 * This folder is the only one that imports kafkajs (2.2.4, pinned, unmaintained since 2023), and only what kafkajs does well:
 * connections (framing, TLS, SASL), the versions of the requests that a broker speaks, and the encodings of small requests. Fetch,
 * Produce, Metadata and record batches are encoded here. The linter lets only src/kafka import this folder, by this index.
 *
 * Three patches of kafkajs, in patches.ts:
 * - RequestQueue#scheduleCheckPendingRequests: no timer of 1 ms per connection while no request waits for a quota.
 * - Connection#isAuthenticated: authenticates again at 85 % of a session's life instead of 10 s before its end.
 * - SaslHandshake's response: a refusal keeps the mechanisms that the broker offers.
 *
 * A request of ours is one file in requests/ that exports an {@link Api}: number, versions, encode, decode.
 */
export type { Api } from './api.ts';
export { BatchWriter, type RecordPart } from './batch-writer.ts';
export { Broker, type ConnectionSettings } from './broker.ts';
export { type ErrorName, ProtocolError, errorNamed, errorOf, failOn, isTooLarge } from './error-codes.ts';
export { MemberAssignment, MemberMetadata } from './group-metadata.ts';
export { debug } from './logging.ts';
export { isClosedConnection, isLostConnection, isRequestTimeout, closedError } from './lost.ts';
export {
  type Batch,
  BatchRecords,
  batchAt,
  isAbortMarker,
  isControl,
  isTransactional,
} from './record-batch.ts';
export { DescribeProducers } from './requests/describe-producers.ts';
export { DescribeTransactions } from './requests/describe-transactions.ts';
export { Fetch, type FetchedPartition, hasMoved } from './requests/fetch.ts';
export {
  AddPartitionsToTxn,
  CreateTopics,
  DeleteGroups,
  DeleteTopics,
  DescribeConfigs,
  DescribeGroups,
  EndTxn,
  FindCoordinator,
  Heartbeat,
  InitProducerId,
  JoinGroup,
  LeaveGroup,
  ListGroups,
  ListOffsets,
  OffsetCommit,
  OffsetFetch,
  SyncGroup,
} from './requests/kafkajs.ts';
export { ListTransactions } from './requests/list-transactions.ts';
export { Metadata, type MetadataResponse, type TopicMetadata } from './requests/metadata.ts';
export { Produce } from './requests/produce.ts';
export { splitBatch } from './split-batch.ts';
export { CredentialsRefusedError, type Sasl, SaslHandshakeError } from './sasl.ts';
export { CERTIFICATE_WANTED, TLS_WANTED } from './socket.ts';

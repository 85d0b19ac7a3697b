import type ConnectionPool from 'kafkajs/src/network/connectionPool.js';
import { Packet, Unpacker } from './packet.ts';
import { API } from './requests.ts';

/** Produce, version 7: https://kafka.apache.org/protocol#The_Messages_Produce. The record batches are bytes already. */
const VERSION = 7;
const ALL_IN_SYNC = -1;

export interface ProduceRequest {
  transactionalId: string | null;
  /** How long the leader may wait for its followers, milliseconds. */
  timeout: number;
  /** One sealed record batch a partition. */
  batches: readonly { topic: string; partition: number; bytes: Buffer }[];
}

export interface ProducedPartition {
  topic: string;
  partition: number;
  errorCode: number;
  /** Of the batch's first record. */
  baseOffset: bigint;
}

/**
 * Sends a request, and waits for its answer. The batches go to the socket as they are: kafkajs would copy them three times.
 * Until the answer is there their bytes must stay as they are.
 *
 * @param requestTimeout milliseconds
 * @throws kafkajs's errors of a connection
 */
export async function produce(
  connections: ConnectionPool,
  request: ProduceRequest,
  requestTimeout: number,
): Promise<ProduceResponse> {
  const connection = await connections.getConnection(0);
  if (!connection.isAuthenticated()) await connection.authenticate();
  connection.failIfNotConnected();
  const { requestQueue, clientId } = connection;
  const correlationId = connection.nextCorrelationId();
  const pieces = encode(request, correlationId, clientId);
  const { payload } = await new Promise<{ payload: Buffer }>((resolve, reject) => {
    requestQueue.push({
      entry: { apiKey: API.Produce, apiName: 'Produce', apiVersion: VERSION, correlationId, resolve, reject },
      expectResponse: true,
      requestTimeout,
      sendRequest: () => {
        const { socket } = connection;
        if (socket === undefined) return;
        socket.cork();
        for (const piece of pieces) socket.write(piece);
        socket.uncork();
      },
    });
  });
  const answer = decode(payload);
  requestQueue.maybeThrottle(answer.clientSideThrottleTime);
  return answer;
}

/** @returns what comes before each batch, and the batches themselves, by turns */
function encode(
  { transactionalId, timeout, batches }: ProduceRequest,
  correlationId: number,
  clientId: string,
): Buffer[] {
  const byTopic = Map.groupBy(batches, ({ topic }) => topic);
  const packet = new Packet(512)
    .int32(0)
    .int16(API.Produce)
    .int16(VERSION)
    .int32(correlationId)
    .string(clientId)
    .string(transactionalId)
    .int16(ALL_IN_SYNC)
    .int32(timeout)
    .int32(byTopic.size);
  const ends: number[] = [];
  const bodies: Buffer[] = [];
  for (const [topic, partitions] of byTopic) {
    packet.string(topic).int32(partitions.length);
    for (const { partition, bytes } of partitions) {
      packet.int32(partition).int32(bytes.length);
      ends.push(packet.buffer.length);
      bodies.push(bytes);
    }
  }
  const between = packet.buffer;
  between.writeInt32BE(between.length - 4 + bodies.reduce((sum, { length }) => sum + length, 0));
  return bodies.flatMap((body, index) => [between.subarray(ends[index - 1] ?? 0, ends[index]), body]);
}

export interface ProduceResponse {
  clientSideThrottleTime: number;
  partitions: ProducedPartition[];
}

function decode(payload: Buffer): ProduceResponse {
  const data = new Unpacker(payload);
  const partitions = data.array(() => {
    const topic = data.string();
    return data.array(() => {
      const partition = { topic, partition: data.int32(), errorCode: data.int16(), baseOffset: data.int64() };
      data.int64(); // log append time
      data.int64(); // log start
      return partition;
    });
  });
  return { partitions: partitions.flat(), clientSideThrottleTime: data.int32() };
}

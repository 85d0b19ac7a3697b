import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import { isRecordRef } from '../core/record-ref.ts';
import type { ReceivedMessage } from './types.ts';

/**
 * Whether a `receive_msgs` field has hippo's form; other services use the name for lists of their own. An entry is kept as
 * it was read, with its unknown fields: the names on the wire and in the type are the same.
 */
export function isReceivedMessages(value: Json): value is (ReceivedMessage & JsonObject)[] {
  return Array.isArray(value) && value.every(isReceivedMessage);
}

function isReceivedMessage(value: Json): boolean {
  return (
    isJsonObject(value) &&
    isRecordRef(value) &&
    (value['need'] === undefined || typeof value['need'] === 'string') &&
    (value['traceparent'] === undefined || typeof value['traceparent'] === 'string')
  );
}

export function writeReceivedMessages(received: readonly ReceivedMessage[]): Json {
  return received.map((message) => ({ ...message }));
}

/** Of a `receive_msgs_count` field. */
export function isCount(value: Json): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

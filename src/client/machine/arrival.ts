/** A message that has come in, as needs see it. */
import type { Millis } from '../../core/clock.ts';
import { parseNative } from '../../core/json.ts';
import type { ConditionFields } from '../../conditions/record.ts';
import { type HippoMessage, type MessageRef, serialiseMessage } from '../../messages/index.ts';
import type { Calendar } from '../../windows/index.ts';
import type { MachineEvent } from './types.ts';

export interface Arrived {
  readonly message: HippoMessage;
  readonly from: MessageRef;
  /** What conditions see of its record. */
  readonly record: ConditionFields;
  /** Of the record, epoch milliseconds; where it has none that a window can hold: when the message came in. */
  readonly timestamp: Millis;
}

export function arrivedOf(
  { message, from, at, record = recordOf(message, from, at) }: Extract<MachineEvent, { type: 'message' }>,
  calendar: Calendar,
): Arrived {
  return {
    message,
    from,
    record,
    get timestamp() {
      const timestamp = record.timestamp.getTime();
      return timestamp > 0 && calendar.holds(timestamp) ? timestamp : at;
    },
  };
}

/** A message that was never a record: those that a simulation makes. */
function recordOf(
  message: HippoMessage,
  { topic, partition, offset }: MessageRef,
  at: Millis,
): ConditionFields {
  return {
    topic,
    partition: BigInt(partition),
    offset: BigInt(offset),
    timestamp: new Date(at),
    key: null,
    headers: {},
    get value() {
      return parseNative(serialiseMessage(message)).value;
    },
  };
}

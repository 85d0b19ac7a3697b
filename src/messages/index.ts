/**
 * Every message of hippo: parses bytes and serialises types. Pure: no I/O, no Node built-ins; no input makes it throw.
 *
 * Parsing keeps unknown fields in `extra`, and serialising writes them again.
 */
import type { JsonObject } from '../core/json.ts';
import { readAlert, writeAlert } from './alert.ts';
import { type TableAnnouncement, readAnnouncement } from './announcement.ts';
import { parseWith } from './decode.ts';
import { readFinish, writeFinish } from './finish.ts';
import { isFarAhead, readFrontier, writeFrontier } from './frontier.ts';
import { readHealth, writeHealth } from './health.ts';
import { readModel, writeModel } from './model.ts';
import { readSchedule, writeSchedule } from './schedule.ts';
import { readStart, writeStart } from './start.ts';
import type {
  Alert,
  FrontierDialect,
  FrontierEvent,
  HippoMessage,
  JobFinish,
  JobStart,
  ManualRequest,
  MessageKind,
  ModelMessage,
  Parsed,
  ServiceHealth,
} from './types.ts';

export type * from './types.ts';
export type { TableAnnouncement } from './announcement.ts';
export {
  ALERT_CONDITIONS,
  FRONTIER_DIALECTS,
  FRONTIER_METHODS,
  KILL_TARGETS,
  SCHEDULE_ACTIONS,
} from './types.ts';
export {
  type BuiltVersion,
  builtBy,
  builtField,
  isBuildModel,
  isKillModel,
  isNewModel,
  isPromoteModel,
  metricsOf,
} from './model.ts';
export { isFarAhead };
export { nameProblem } from './fields.ts';
export { partitionProblem } from './dialects.ts';
export {
  type ProducedBy,
  type ProducedEvent,
  PRODUCED_BY,
  countProduced,
  producedBy,
  producedByField,
  producedField,
} from './produced.ts';
export { parsePartitionPath, partitionPath, partitionValues } from './partition.ts';

/** The bytes or text of a record's value. */
export type Input = Uint8Array | string;

export const parseFrontier = (input: Input): Parsed<FrontierEvent> => parseWith(input, readFrontier);
export const parseStart = (input: Input): Parsed<JobStart> => parseWith(input, readStart);
export const parseFinish = (input: Input): Parsed<JobFinish> => parseWith(input, readFinish);
/** One line of `$HIPPO_EVENTS_FILE`. */
export const parseAnnouncement = (input: Input): Parsed<TableAnnouncement> =>
  parseWith(input, readAnnouncement);
export const parseSchedule = (input: Input): Parsed<ManualRequest> => parseWith(input, readSchedule);
export const parseModel = (input: Input): Parsed<ModelMessage> => parseWith(input, readModel);

/**
 * @param dialect default: the event's own
 * @throws UserError if the dialect cannot express the event's partitions
 */
export const serialiseFrontier = (event: FrontierEvent, dialect?: FrontierDialect): string =>
  JSON.stringify(writeFrontier(event, dialect));
const serialiseStart = (message: JobStart): string => JSON.stringify(writeStart(message));
const serialiseFinish = (message: JobFinish): string => JSON.stringify(writeFinish(message));
export const serialiseSchedule = (request: ManualRequest): string => JSON.stringify(writeSchedule(request));
const serialiseAlert = (alert: Alert): string => JSON.stringify(writeAlert(alert));
export const serialiseModel = (message: ModelMessage): string => JSON.stringify(writeModel(message));
export const serialiseHealth = (health: ServiceHealth): string => JSON.stringify(writeHealth(health));

const READERS: { readonly [K in MessageKind]: (object: JsonObject) => Extract<HippoMessage, { kind: K }> } = {
  frontier: readFrontier,
  start: readStart,
  finish: readFinish,
  schedule: readSchedule,
  health: readHealth,
  alert: readAlert,
  model: readModel,
};

/** For a topic whose kind of message is known. */
export function parseMessage<K extends MessageKind>(
  kind: K,
  input: Input,
): Parsed<Extract<HippoMessage, { kind: K }>> {
  return parseWith(input, READERS[kind]);
}

export function serialiseMessage(message: HippoMessage): string {
  switch (message.kind) {
    case 'frontier':
      return serialiseFrontier(message);
    case 'start':
      return serialiseStart(message);
    case 'finish':
      return serialiseFinish(message);
    case 'schedule':
      return serialiseSchedule(message);
    case 'health':
      return serialiseHealth(message);
    case 'alert':
      return serialiseAlert(message);
    case 'model':
      return serialiseModel(message);
  }
}

/** The kind of a message by its shape, for topics whose role is unknown; undefined if it is not a hippo message. */
export function recognise(input: Input): MessageKind | undefined {
  const guess = parseWith(input, guessKind);
  return guess.ok ? guess.message : undefined;
}

function guessKind(object: JsonObject): MessageKind | undefined {
  const has = (...keys: string[]): boolean => keys.every((key) => object[key] !== undefined);
  if (has('db', 'table')) return 'frontier';
  if (has('service_name', 'exec_time')) return 'health';
  if (has('alert_id', 'condition')) return 'alert';
  if (!has('hippo_name', 'job_name')) return isModel(object) ? 'model' : undefined;
  if (has('is_success', 'finish_time')) return 'finish';
  return has('job_id', 'start_time') ? 'start' : 'schedule';
}

/** Many messages have a text for a person under this name: a name in capitals says what is meant. */
function isModel({ message }: JsonObject): boolean {
  return typeof message === 'string' && /^[A-Z][A-Z0-9_]*$/.test(message);
}

/**
 * The topic `hippo-state`: what its records' keys and values mean. Pure. A hippo's client writes it (client/host/state-topic);
 * all others read it by ./reader.ts.
 */
export {
  type StateKey,
  describeStateKey,
  formatStateKey,
  inputRecordKey,
  keyFilter,
  parseStateKey,
  runInputRecordKey,
} from './keys.ts';
export {
  type Positions,
  listPositions,
  nextOffset,
  positionsToJson,
  samePositions,
  sinceOf,
  withPosition,
  withSince,
} from './positions.ts';
export { isWholeState } from './place.ts';
export {
  type Announcement,
  type AnnouncementChange,
  type Announcements,
  type LandingHash,
  NO_ANNOUNCEMENTS,
  bucketOf,
  countAnnouncements,
  countListed,
  eachAnnouncement,
  findAnnouncement,
  fingerprintOf,
  hashKey,
  landingHash,
  updateAnnouncements,
} from './announcements.ts';
export { type StateRecord, decodeStateValue, parseStateRecord } from './records.ts';
export { RunParts } from './run-parts.ts';
export {
  FORGETTER,
  type AlertState,
  type BuildState,
  type ExpectedState,
  type InputState,
  type LastResult,
  type ModelState,
  type ModelVersion,
  type OwnerRecord,
  type Pause,
  type RunId,
  type RunInput,
  type RunState,
  type Reload,
  type RunStatus,
  type ScanReport,
  type ServiceState,
  type TimedState,
  type SourceState,
  type StateValue,
} from './types.ts';

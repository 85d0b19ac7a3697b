import { type Json, type JsonObject, isJsonObject, parseJson } from '../core/json.ts';
import { isRecordRef } from '../core/record-ref.ts';
import { metricsOf } from '../messages/model.ts';
import { ALERT_CONDITIONS } from '../messages/types.ts';
import type { StateKey } from './keys.ts';
import { type Positions, positionsFromJson } from './positions.ts';
import { isBucket } from './bucket.ts';
import type {
  AlertState,
  ExpectedState,
  InputState,
  LastResult,
  ModelState,
  ModelVersion,
  OwnerRecord,
  Pause,
  RunInput,
  RunState,
  RunStatus,
  ServiceState,
  SourceState,
  StateValue,
  TimedState,
} from './types.ts';

/** A record of the state topic, read. */
export type StateRecord =
  | { kind: 'run'; hippo: string; run: RunState }
  | { kind: 'input'; hippo: string; job: string; input: InputState }
  | { kind: 'run-input'; hippo: string; job: string; need: string; part: RunInput }
  | { kind: 'paused'; hippo: string; job: string; pause: Pause }
  | { kind: 'timed'; hippo: string; job: string; state: TimedState }
  | { kind: 'last-result'; hippo: string; job: string; last: LastResult }
  | { kind: 'source'; hippo: string; source: string; state: SourceState }
  | { kind: 'service'; hippo: string; service: string; state: ServiceState }
  | { kind: 'model'; hippo: string; model: string; state: ModelState }
  | { kind: 'alert'; hippo: string; alert: string; state: AlertState }
  | { kind: 'expected'; hippo: string; job: string; expected: ExpectedState }
  | { kind: 'announced'; hippo: string; source: string; bucket: string; announced: Uint8Array }
  | { kind: 'produced'; hippo: string; job: string; bucket: string; announced: Uint8Array }
  | { kind: 'offsets'; hippo: string; positions: Positions }
  | { kind: 'owner'; hippo: string; owner: OwnerRecord };

/**
 * @param value null is a tombstone
 * @returns undefined where there is none: for a tombstone, a kind that this version does not know, and a value that does not
 *   fit its key
 */
export function parseStateRecord(key: StateKey, value: StateValue): StateRecord | undefined {
  const { hippo } = key;
  if (value instanceof Uint8Array) {
    if (!isPacked(key) || !isBucket(value)) return undefined;
    if (key.kind === 'produced')
      return { kind: 'produced', hippo, job: key.job, bucket: key.bucket, announced: value };
    return { kind: 'announced', hippo, source: key.source, bucket: key.bucket, announced: value };
  }
  switch (key.kind) {
    case 'run':
      return isRun(value) && value.job === key.job && value.key === key.key
        ? { kind: 'run', hippo, run: value }
        : undefined;
    case 'input':
      return isInput(value) && key.input.startsWith(`${value.need}/`)
        ? { kind: 'input', hippo, job: key.job, input: value }
        : undefined;
    case 'run-input': {
      const need = isRunInput(value) ? (value.landed ?? value.relanded)?.need : undefined;
      return isRunInput(value) && need !== undefined && key.input === `${value.key}/${need}`
        ? { kind: 'run-input', hippo, job: key.job, need, part: value }
        : undefined;
    }
    case 'paused':
      return isPause(value) ? { kind: 'paused', hippo, job: key.job, pause: value } : undefined;
    case 'timed':
      return isTimed(value) ? { kind: 'timed', hippo, job: key.job, state: value } : undefined;
    case 'last-result':
      return isLastResult(value) ? { kind: 'last-result', hippo, job: key.job, last: value } : undefined;
    case 'source':
      return isSourceState(value) ? { kind: 'source', hippo, source: key.source, state: value } : undefined;
    case 'service':
      return isServiceState(value)
        ? { kind: 'service', hippo, service: key.service, state: value }
        : undefined;
    case 'model':
      return isModelState(value) ? { kind: 'model', hippo, model: key.model, state: value } : undefined;
    case 'alert':
      return isAlertState(value) ? { kind: 'alert', hippo, alert: key.alert, state: value } : undefined;
    case 'expected':
      return isExpected(value) ? { kind: 'expected', hippo, job: key.job, expected: value } : undefined;
    case 'offsets':
      return isJsonObject(value)
        ? { kind: 'offsets', hippo, positions: positionsFromJson(value) }
        : undefined;
    case 'owner':
      return isOwner(value) ? { kind: 'owner', hippo, owner: value } : undefined;
    case 'announced':
    case 'produced':
    case 'probe':
    case 'unknown':
      return undefined;
  }
}

/** The kinds whose values are buckets of announcements, not JSON. */
function isPacked(key: StateKey): key is Extract<StateKey, { kind: 'announced' | 'produced' }> {
  return key.kind === 'announced' || key.kind === 'produced';
}

const utf8 = new TextDecoder();

/** The value of a record; null for a tombstone, and for bytes that are not JSON where JSON is expected. */
export function decodeStateValue(key: StateKey, value: Uint8Array | null): StateValue {
  if (value === null) return null;
  // A copy: the bytes of a record are a part of all that was fetched with it.
  if (isPacked(key)) return Uint8Array.from(value);
  try {
    return parseJson(utf8.decode(value));
  } catch {
    return null;
  }
}

const STATUSES: readonly string[] = [
  'waiting',
  'ready',
  'running',
  'succeeded',
  'failed',
  'cancelled',
  'timed-out',
] satisfies RunStatus[];

function isRun(value: unknown): value is RunState {
  return (
    isJsonObject(value) &&
    typeof value['job'] === 'string' &&
    typeof value['key'] === 'string' &&
    typeof value['status'] === 'string' &&
    STATUSES.includes(value['status']) &&
    (value['jobId'] === null || typeof value['jobId'] === 'string') &&
    (value['attemptId'] === null || typeof value['attemptId'] === 'string') &&
    ['attempt', 'failures', 'firstInputAt'].every((name) => typeof value[name] === 'number') &&
    ['held', 'error'].every((name) => value[name] === undefined || typeof value[name] === 'string') &&
    (value['apart'] === undefined || value['apart'] === true) &&
    isRequestOrNone(value['manual']) &&
    (value['build'] === undefined || isBuild(value['build'])) &&
    [value['inputs'], value['relanded']].every(
      (inputs) => isJsonObject(inputs) && Object.values(inputs).every(isInput),
    )
  );
}

function isBuild(value: Json): boolean {
  return (
    isJsonObject(value) &&
    (value['params'] === undefined || isJsonObject(value['params'])) &&
    (value['version'] === undefined || typeof value['version'] === 'string') &&
    (value['parent'] === undefined || isTextOrNull(value['parent']))
  );
}

function isRequestOrNone(manual: Json | undefined): boolean {
  return manual === undefined || (isJsonObject(manual) && isRecordRef(manual['from']));
}

function isInput(value: unknown): value is InputState {
  return (
    isJsonObject(value) &&
    isRecordRef(value) &&
    typeof value['need'] === 'string' &&
    typeof value['version'] === 'number' &&
    typeof value['at'] === 'number' &&
    isJsonObject(value['values'])
  );
}

function isRunInput(value: unknown): value is RunInput {
  return (
    isJsonObject(value) &&
    typeof value['key'] === 'string' &&
    ['landed', 'relanded'].every((name) => value[name] === undefined || isInput(value[name]))
  );
}

function isPause(value: unknown): value is Pause {
  return isJsonObject(value) && typeof value['at'] === 'number';
}

function isTimed(value: unknown): value is TimedState {
  return isJsonObject(value) && typeof value['through'] === 'number';
}

function isLastResult(value: unknown): value is LastResult {
  return isJsonObject(value) && typeof value['jobId'] === 'string' && value['result'] !== undefined;
}

function isReload(value: Json): boolean {
  return isJsonObject(value) && typeof value['at'] === 'number' && isRecordRef(value['from']);
}

function isServiceState(value: unknown): value is ServiceState {
  return (
    isJsonObject(value) &&
    (value['resumed'] === undefined || isPause(value['resumed'])) &&
    (value['reload'] === undefined || isReload(value['reload']))
  );
}

function isTextOrNull(value: Json | undefined): boolean {
  return value === null || typeof value === 'string';
}

function isModelVersion(value: Json): value is JsonObject & ModelVersion {
  return (
    isJsonObject(value) &&
    ['version', 'jobId', 'why'].every((name) => typeof value[name] === 'string') &&
    typeof value['builtAt'] === 'number' &&
    typeof value['promoted'] === 'boolean' &&
    metricsOf(value['metrics']) !== undefined &&
    (value['rows'] === null || typeof value['rows'] === 'number') &&
    ['parent', 'manifestSha256'].every((name) => isTextOrNull(value[name]))
  );
}

function isModelState(value: unknown): value is ModelState {
  return (
    isJsonObject(value) &&
    ['serving', 'previous', 'by', 'reason'].every((name) => isTextOrNull(value[name])) &&
    (value['since'] === null || typeof value['since'] === 'number') &&
    (value['resumed'] === undefined || typeof value['resumed'] === 'number') &&
    Array.isArray(value['versions']) &&
    value['versions'].every(isModelVersion) &&
    Array.isArray(value['retired']) &&
    value['retired'].every((version) => typeof version === 'string')
  );
}

const OWED = ['firing', 'resolved', 'both'] as const satisfies AlertState['owed'][];

function isAlertState(value: unknown): value is AlertState {
  return (
    isJsonObject(value) &&
    ALERT_CONDITIONS.some((condition) => condition === value['condition']) &&
    ['subject', 'text'].every((name) => typeof value[name] === 'string') &&
    typeof value['since'] === 'number' &&
    ['resolvedAt', 'count', 'last'].every((name) => ['undefined', 'number'].includes(typeof value[name])) &&
    (value['runKey'] === undefined || typeof value['runKey'] === 'string') &&
    (value['over'] === undefined || typeof value['over'] === 'string') &&
    (value['owed'] === undefined || OWED.some((owed) => owed === value['owed'])) &&
    (value['delivered'] === undefined || isJsonObject(value['delivered'])) &&
    (value['next'] === undefined || Array.isArray(value['next']))
  );
}

function isExpected(value: unknown): value is ExpectedState {
  return isJsonObject(value) && ['since', 'from'].every((name) => typeof value[name] === 'number');
}

function isSourceState(value: unknown): value is SourceState {
  return (
    isJsonObject(value) &&
    typeof value['isListed'] === 'boolean' &&
    (value['watermark'] === undefined ||
      (isJsonObject(value['watermark']) &&
        ['of', 'at'].every((name) => typeof (value['watermark'] as JsonObject)[name] === 'string')))
  );
}

function isOwner(value: unknown): value is OwnerRecord {
  return (
    isJsonObject(value) &&
    typeof value['client'] === 'string' &&
    typeof value['token'] === 'string' &&
    (value['epoch'] === undefined ||
      (typeof value['epoch'] === 'string' && /^\d{1,40}$/.test(value['epoch']))) &&
    (value['jobs'] === undefined ||
      (isJsonObject(value['jobs']) &&
        Object.values(value['jobs']).every((every) => typeof every === 'string')))
  );
}

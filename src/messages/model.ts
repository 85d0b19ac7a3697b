import { type Json, type JsonObject, isJsonObject, numberOf } from '../core/json.ts';
import { Refusal } from './decode.ts';
import { isNote, name, nameProblem, present, take, withExtra } from './fields.ts';
import {
  type BuildModel,
  type JobFinish,
  KILL_TARGETS,
  type KillModel,
  type KillTarget,
  type MeasuredVersion,
  type Metrics,
  type ModelMessage,
  type NewModel,
  type PromoteModel,
} from './types.ts';

/** A message that is understood has a model: without one it is about none that hippo.yaml names. */
export function isBuildModel(message: ModelMessage): message is BuildModel {
  return message.message === 'BUILD_MODEL' && message.model !== undefined;
}

/** NEW_MODEL of services that are not ours may lack our fields: then it is a message like any other. */
export function isNewModel(message: ModelMessage): message is NewModel {
  return message.message === 'NEW_MODEL' && 'version' in message;
}

export function isPromoteModel(message: ModelMessage): message is PromoteModel {
  return message.message === 'PROMOTE_MODEL' && message.model !== undefined;
}

export function isKillModel(message: ModelMessage): message is KillModel {
  return message.message === 'KILL' && message.model !== undefined;
}

export function readModel(object: JsonObject): ModelMessage {
  const { message: said, model: about, ...extra } = object;
  const message = name(said, 'message');
  if (about === undefined) return { kind: 'model', message, extra };
  const model = name(about, 'model');
  switch (message) {
    case 'BUILD_MODEL':
      return { kind: 'model', message, model, ...readBuild(extra), ...asked(extra), extra };
    case 'PROMOTE_MODEL':
      return { kind: 'model', message, model, ...readPromote(extra), ...asked(extra), extra };
    case 'KILL':
      return { kind: 'model', message, model, ...readKill(extra), ...asked(extra), extra };
    case 'NEW_MODEL':
      return readNew(model, extra) ?? { kind: 'model', message, model, extra };
    default:
      return { kind: 'model', message, model, extra };
  }
}

export function writeModel(message: ModelMessage): JsonObject {
  const { message: said, model, extra } = message;
  const own = present({ message: said, model, ...fieldsOf(message) });
  return withExtra(own, extra);
}

function fieldsOf(message: ModelMessage): Record<string, Json | undefined> {
  if (isBuildModel(message)) return { ...hippoOf(message), params: message.params, ...askedOf(message) };
  if (isPromoteModel(message))
    return {
      version: message.version,
      expect: message.expect,
      ...hippoOf(message),
      ...askedOf(message),
    };
  if (isKillModel(message)) return { target: message.target, ...hippoOf(message), ...askedOf(message) };
  if (!isNewModel(message)) return {};
  return {
    version: message.version,
    promoted: message.promoted,
    hippo_name: message.hippoName,
    job_id: message.jobId,
    location: message.location,
    metrics: { ...message.metrics },
    parent: message.parent,
    serving:
      message.serving === null
        ? null
        : { version: message.serving.version, metrics: { ...message.serving.metrics } },
    margin: message.margin,
    ...askedOf(message),
    time: message.time,
  };
}

function hippoOf({ hippoName }: { hippoName?: string }): { hippo_name: string | undefined } {
  return { hippo_name: hippoName };
}

function askedOf({ by, reason }: { by?: string; reason?: string }): Record<string, string | undefined> {
  return { by, reason };
}

/** Takes who asked, and why, out of `extra`. */
function asked(extra: JsonObject): { by?: string; reason?: string } {
  return present({ by: take(extra, 'by', isNote('by')), reason: take(extra, 'reason', isNote('reason')) });
}

/**
 * A malformed value must not stay among the unknown fields: the message would then mean another hippo, version, target or
 * another model.
 */
function taken<T>(extra: JsonObject, key: string, read: (value: Json, key: string) => T): T | undefined {
  const value = extra[key];
  if (value === undefined) return undefined;
  Reflect.deleteProperty(extra, key);
  return read(value, key);
}

function readBuild(extra: JsonObject): Pick<BuildModel, 'hippoName' | 'params'> {
  return present({ hippoName: taken(extra, 'hippo_name', name), params: taken(extra, 'params', object) });
}

function readPromote(extra: JsonObject): Pick<PromoteModel, 'hippoName' | 'version' | 'expect'> {
  const version = name(extra['version'], 'version');
  Reflect.deleteProperty(extra, 'version');
  const expect = taken(extra, 'expect', (value, key) => (value === null ? null : name(value, key)));
  return { version, ...present({ hippoName: taken(extra, 'hippo_name', name), expect }) };
}

function readKill(extra: JsonObject): Pick<KillModel, 'hippoName' | 'target'> {
  return present({ hippoName: taken(extra, 'hippo_name', name), target: taken(extra, 'target', target) });
}

function object(value: Json, key: string): JsonObject {
  if (!isJsonObject(value)) throw new Refusal('must be an object', key);
  return value;
}

function target(value: Json, key: string): KillTarget {
  const known = KILL_TARGETS.find((one) => one === value);
  if (known === undefined) throw new Refusal(`must be one of ${KILL_TARGETS.join(', ')}`, key);
  return known;
}

/** @returns undefined where it does not have all of our fields in their shapes */
function readNew(model: string, all: JsonObject): NewModel | undefined {
  const {
    version,
    promoted,
    hippo_name,
    job_id,
    location,
    metrics,
    parent,
    serving,
    margin,
    time,
    ...extra
  } = all;
  const measured = metricsOf(metrics);
  const served = serving === null ? null : measuredOf(serving);
  const seconds = time === undefined ? undefined : numberOf(time);
  const limit = margin === undefined ? undefined : numberOf(margin);
  if (
    !isName(version) ||
    typeof promoted !== 'boolean' ||
    !isName(hippo_name) ||
    !(job_id === undefined || isName(job_id)) ||
    typeof location !== 'string' ||
    measured === undefined ||
    !(parent === null || isName(parent)) ||
    served === undefined ||
    (margin !== undefined && limit === undefined) ||
    seconds === undefined ||
    !Number.isSafeInteger(seconds)
  )
    return undefined;
  return {
    kind: 'model',
    message: 'NEW_MODEL',
    model,
    version,
    promoted,
    hippoName: hippo_name,
    ...present({ jobId: job_id }),
    location,
    metrics: measured,
    parent,
    serving: served,
    ...present({ margin: limit }),
    ...asked(extra),
    time: seconds,
    extra,
  };
}

function isName(value: Json | undefined): value is string {
  return typeof value === 'string' && nameProblem(value) === undefined;
}

function measuredOf(value: Json | undefined): MeasuredVersion | undefined {
  if (value === undefined || !isJsonObject(value)) return undefined;
  const { version } = value;
  const metrics = metricsOf(value['metrics']);
  return isName(version) && metrics !== undefined ? { version, metrics } : undefined;
}

/** What the finish message of a builder says of the version that it has built. */
export interface BuiltVersion {
  model: string;
  version: string;
  promoted: boolean;
}

export function builtField({ model, version, promoted }: BuiltVersion): JsonObject {
  return { built: { model, version, promoted } };
}

/** @returns undefined where the run has built no version */
export function builtBy({ extra: { built = null } }: JobFinish): BuiltVersion | undefined {
  if (!isJsonObject(built)) return undefined;
  const { model, version, promoted } = built;
  return isName(model) && isName(version) && typeof promoted === 'boolean'
    ? { model, version, promoted }
    : undefined;
}

/** @returns undefined where it is not an object of finite numbers */
export function metricsOf(value: Json | undefined): Metrics | undefined {
  if (value === undefined || !isJsonObject(value)) return undefined;
  const entries = Object.entries(value).map(([key, one]) => [key, numberOf(one)] as const);
  return entries.every(([, number]) => number !== undefined && Number.isFinite(number))
    ? (Object.fromEntries(entries) as Metrics)
    : undefined;
}

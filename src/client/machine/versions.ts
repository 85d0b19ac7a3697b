/**
 * The versions of models: what a builder is told and tells, which version serves, which are kept. Pure but for the draft. What
 * is decided is written in the transaction of the finish that it was decided by, so that it happens once over takeovers.
 */
import { type Millis, epochSeconds } from '../../core/clock.ts';
import { type Json, type JsonObject, isJsonObject, numberOf } from '../../core/json.ts';
import { type Metrics, type NewModel, builtField } from '../../messages/index.ts';
import { withDefaults } from '../../messages/params.ts';
import type { BuildState, ModelState, ModelVersion } from '../../state/index.ts';
import type { Definition, ModelDefinition } from './definition.ts';
import type { Draft } from './draft.ts';
import type { Run } from './state.ts';

/** The model that a job builds. */
export function modelOf({ models, builders }: Definition, job: string): ModelDefinition | undefined {
  const name = builders.get(job);
  return name === undefined ? undefined : models.get(name);
}

/** What an attempt that begins now is to build. */
export function attemptOf(
  draft: Draft,
  model: ModelDefinition,
  { build }: Pick<Run, 'build'>,
  attemptId: string,
): BuildState {
  return { ...build, version: versionOf(draft.at, attemptId), parent: draft.model(model).serving };
}

/** What an attempt of a builder is told: `$HIPPO_MODEL_FILE`. */
export function modelFileOf(
  draft: Draft,
  model: ModelDefinition,
  { build = {} }: Pick<Run, 'build'>,
): JsonObject {
  const state = draft.model(model);
  const serving = state.serving === null ? undefined : findVersion(state, state.serving);
  return {
    model: model.name,
    version: build.version ?? '',
    location: model.location,
    parent: build.parent ?? null,
    serving: serving === undefined ? null : { version: serving.version, metrics: { ...serving.metrics } },
    params: withDefaults(model.params, build.params ?? {}),
    retired: [...state.retired],
    metric: model.promote?.metric ?? null,
  };
}

/** `20261128T234539Z-d2680d`: when the attempt begins, and six digits of its id, so that no two attempts write the same folder. */
export function versionOf(at: Millis, attemptId: string): string {
  const second = new Date(at).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  return `${second}-${attemptId.slice(attemptId.lastIndexOf('-') + 1).slice(0, 6)}`;
}

/** What a builder tells of the version that it has written. */
interface Built {
  metrics: Metrics;
  rows: number | null;
  manifestSha256: string | null;
  removed: readonly string[];
}

/** More metrics, or longer names, would make the record of the model large. */
const MOST_METRICS = 32;
const LONGEST_METRIC = 100;

/** @returns why the result of a builder is not that of its attempt, one line; undefined: it is, or the job builds no model */
export function buildProblem(definition: Definition, run: Run, result: Json | undefined): string | undefined {
  const model = modelOf(definition, run.job);
  if (model === undefined) return undefined;
  const built = readBuilt(model, run, result);
  return typeof built === 'string' ? built : undefined;
}

function readBuilt(model: ModelDefinition, { build }: Run, result: Json | undefined): Built | string {
  const told = result !== undefined && isJsonObject(result) ? result['model'] : undefined;
  if (told === undefined || !isJsonObject(told))
    return 'it ended well, and its result has no `model`: the builder of a model says in $HIPPO_RESULT_FILE which version it has written';
  const { name, version, metrics = {}, rows, manifest_sha256: sha256, removed } = told;
  if (name !== model.name) return `its result is of the model ${textOf(name)}, and it builds ${model.name}`;
  if (version !== build?.version)
    return `its result is of the version ${textOf(version)}, and it was to write ${build?.version ?? 'none'}`;
  if (!isJsonObject(metrics)) return 'its result has metrics that are no object';
  const count = rows === undefined ? undefined : numberOf(rows);
  return {
    metrics: Object.fromEntries(
      Object.entries(metrics)
        .map(([metric, value]) => [metric, numberOf(value)] as const)
        .filter(
          (entry): entry is readonly [string, number] => entry[1] !== undefined && Number.isFinite(entry[1]),
        )
        .filter(([metric]) => metric.length <= LONGEST_METRIC)
        .slice(0, MOST_METRICS),
    ),
    rows: count === undefined || !Number.isSafeInteger(count) ? null : count,
    manifestSha256: typeof sha256 === 'string' && /^[\da-f]{64}$/i.test(sha256) ? sha256.toLowerCase() : null,
    removed: Array.isArray(removed) ? removed.filter((one) => typeof one === 'string') : [],
  };
}

function textOf(value: Json | undefined): string {
  return value === undefined ? '(none)' : JSON.stringify(value).slice(0, 100);
}

/**
 * A builder has succeeded: its version becomes known, serves or does not, and older ones are retired.
 *
 * @returns what the finish message says of it; nothing of a job that builds no model
 */
export function takeVersion(
  draft: Draft,
  run: Run & { jobId: string },
  result: Json | undefined,
  traceparent: string,
): JsonObject {
  const model = modelOf(draft.definition, run.job);
  const built = model === undefined ? '' : readBuilt(model, run, result);
  if (model === undefined || typeof built === 'string') return {};
  const state = draft.model(model);
  const { metrics, rows, manifestSha256, removed } = built;
  const decision = decide(model, state, metrics);
  const version: ModelVersion = {
    version: run.build?.version ?? '',
    builtAt: draft.at,
    jobId: run.jobId,
    metrics,
    rows,
    parent: run.build?.parent ?? null,
    ...decision,
    manifestSha256,
  };
  const known = {
    ...state,
    versions: [...state.versions, version],
    retired: state.retired.filter((one) => !removed.includes(one)),
  };
  const moved = decision.promoted
    ? pointTo(known, version.version, { at: draft.at, by: null, reason: null })
    : known;
  const next = withoutOld(model, moved, draft.at);
  draft.putModel(model, next);
  draft.publishModel(newModelOf(draft, model, next, { version, promoted: decision.promoted }), traceparent);
  draft.notice(
    decision.promoted ? 'info' : 'warning',
    `model ${model.name}: ${version.version} is ${decision.promoted ? '' : 'not '}promoted: ${decision.why}`,
    run,
  );
  return builtField({ model: model.name, version: version.version, promoted: decision.promoted });
}

/** Of two figures that differ by rounding only, neither is worse. */
const ROUNDING = 1e-9;

/** Whether a new version serves, and why. */
export function decide(
  { promote }: Pick<ModelDefinition, 'promote'>,
  state: ModelState,
  metrics: Metrics,
): { promoted: boolean; why: string } {
  if (promote === null) return { promoted: true, why: 'each version is: hippo.yaml has no `promote`' };
  const { metric, better, margin } = promote;
  const own = metricIn(metrics, metric);
  if (own === undefined)
    return { promoted: false, why: `its builder has told no finite number for the metric ${metric}` };
  const serving = state.serving === null ? undefined : findVersion(state, state.serving);
  if (serving === undefined) return { promoted: true, why: `it is the first version; ${metric} is ${own}` };
  const other = metricIn(serving.metrics, metric);
  if (other === undefined)
    return {
      promoted: true,
      why: `${metric} is ${own}, and ${serving.version}, which served, has no ${metric}`,
    };
  const loss = better === 'higher' ? other - own : own - other;
  const promoted = loss <= margin + ROUNDING * Math.max(Math.abs(own), Math.abs(other), margin);
  const against = `${metric} is ${own}, and that of ${serving.version} is ${other}`;
  const rule = `${better} is better, and it may be worse by ${margin}`;
  return { promoted, why: `${against}; ${rule}` };
}

function metricIn(metrics: Metrics, metric: string): number | undefined {
  const value = Object.hasOwn(metrics, metric) ? metrics[metric] : undefined;
  return value !== undefined && Number.isFinite(value) ? value : undefined;
}

/** The pointer moves to a version. */
export function pointTo(
  state: ModelState,
  version: string,
  { at, by, reason }: { at: Millis; by: string | null; reason: string | null },
): ModelState {
  return { ...state, serving: version, previous: state.serving, since: at, by, reason };
}

/** Builders that never tell what they have removed must not make the record grow without end. */
const MOST_RETIRED = 1_000;

/** Retires the versions beyond `keep`: never the one that serves, its parent, and the one that served before. */
export function withoutOld(
  { keep }: Pick<ModelDefinition, 'keep'>,
  state: ModelState,
  at: Millis,
): ModelState {
  const { serving, previous, versions } = state;
  const kept = new Set([serving, previous, findVersion(state, serving ?? '')?.parent]);
  const first = versions.length - keep.versions;
  const isOld = ({ version, builtAt }: ModelVersion, index: number): boolean =>
    !kept.has(version) && (index < first || builtAt < at - keep.age);
  if (!versions.some(isOld)) return state;
  const old = versions.filter(isOld).map(({ version }) => version);
  return {
    ...state,
    versions: versions.filter((version, index) => !isOld(version, index)),
    retired: [...state.retired, ...old].slice(-MOST_RETIRED),
  };
}

export function findVersion({ versions }: ModelState, version: string): ModelVersion | undefined {
  return versions.find((one) => one.version === version);
}

export function newModelOf(
  { definition, at }: Draft,
  { name, location, promote }: ModelDefinition,
  state: ModelState,
  told: { version: ModelVersion; promoted: boolean; by?: string; reason?: string },
): NewModel {
  const { version: built, ...rest } = told;
  const { version, metrics, jobId, parent } = built;
  const serving = state.serving === null ? undefined : findVersion(state, state.serving);
  return {
    kind: 'model',
    message: 'NEW_MODEL',
    model: name,
    version,
    hippoName: definition.hippo,
    jobId,
    location,
    metrics,
    parent,
    serving: serving === undefined ? null : { version: serving.version, metrics: serving.metrics },
    ...(promote === null ? {} : { margin: promote.margin }),
    ...rest,
    time: epochSeconds(at),
    extra: {},
  };
}

/** Asks a hippo to build a version of a model, and follows it to NEW_MODEL. */
import { loadConfig } from '../config/load.ts';
import { systemClock } from '../core/clock.ts';
import { UserError } from '../core/errors.ts';
import type { Json, JsonObject } from '../core/json.ts';
import type { RecordRef } from '../core/record-ref.ts';
import { operator } from '../job/request.ts';
import { connectProject } from '../kafka/project.ts';
import type { Metrics } from '../messages/index.ts';
import { type ParamRules, paramsProblem } from '../messages/params.ts';
import type { ModelState, RunState } from '../state/index.ts';
import { requireKnown } from './list.ts';
import { type SentMessage, clientsOf, lookFor, sendModelMessage } from './send.ts';
import { type Target, targetOf } from './target.ts';
import { ModelWatch, type VersionReport, versionReport } from './watch.ts';

export interface BuildOptions {
  file: string | undefined;
  profile: string | undefined;
  /** `NAME` or `HIPPO/NAME`. */
  model: string;
  /** `name=value`, each. */
  params: readonly string[];
  by: string | null;
  reason: string | null;
  /** How long to wait for the end, milliseconds; null: not at all. */
  timeout: number | null;
  signal: AbortSignal;
  onSent: (sent: SentBuild) => void;
  onStarted: (run: BuildRun) => void;
}

export interface SentBuild {
  hippo: string;
  model: string;
  params: JsonObject;
  by: string;
  reason: string | null;
  record: SentMessage;
  /** How many clients of the hippo run. */
  clients: number;
}

/** The run that the message has caused. */
export interface BuildRun {
  job: string;
  run_key: string;
  job_id: string | null;
  status: string;
  error: string | null;
}

export interface BuildReport extends SentBuild {
  /** null: it was not waited for. */
  outcome: 'promoted' | 'not-promoted' | 'failed' | 'refused' | 'timed-out' | null;
  run: BuildRun | null;
  version: VersionReport | null;
  /** The version that serves now, and how good it is; null: none does. */
  serving: { version: string; metrics: Metrics } | null;
}

/**
 * @throws UserError for an unknown model or parameter, ServiceError without Kafka
 */
export async function buildModel(options: BuildOptions): Promise<BuildReport> {
  const { file, profile, signal, timeout, reason } = options;
  const loaded = await loadConfig({ file, profile, cwd: process.cwd(), env: process.env });
  const target = targetOf(options.model, loaded);
  const { hippo, model } = target;
  const rules = target.isOwn ? loaded.config.models[model]?.params : undefined;
  const params = readParams(options.params, rules);
  const problem = rules === undefined ? undefined : paramsProblem(rules, params);
  if (problem !== undefined)
    throw new UserError(`--param ${problem}`, {
      place: loaded.place(['models', model, 'params']),
      next: [`hippo config models.${model}.params`],
    });
  const by = options.by ?? operator();
  const kafka = await connectProject(loaded, process.env, signal);
  try {
    const watch = await ModelWatch.open({ kafka, config: loaded.config, hippo, now: systemClock.now() });
    try {
      requireKnown(watch, target);
      const { sent, ref } = await sendModelMessage(kafka, loaded.config, {
        ...{ kind: 'model', message: 'BUILD_MODEL', model, hippoName: hippo, by, extra: {} },
        ...(Object.keys(params).length === 0 ? {} : { params }),
        ...(reason === null ? {} : { reason }),
      });
      const clients = await clientsOf(kafka, loaded.config, hippo);
      const asked: SentBuild = { hippo, model, params, by, reason, record: sent, clients };
      options.onSent(asked);
      const none = { outcome: null, run: null, version: null, serving: servingOf(watch.model(hippo, model)) };
      if (timeout === null) return { ...asked, ...none };
      return { ...asked, ...(await follow(watch, target, ref, { ...options, timeout })) };
    } finally {
      await watch.close();
    }
  } finally {
    await kafka.close();
  }
}

type Outcome = Pick<BuildReport, 'outcome' | 'run' | 'version' | 'serving'>;

async function follow(
  watch: ModelWatch,
  { hippo, model }: Target,
  ref: RecordRef,
  { timeout, signal, onStarted }: Pick<BuildOptions, 'signal' | 'onStarted'> & { timeout: number },
): Promise<Outcome> {
  let seen: RunState | undefined;
  const answer = (): Outcome | undefined => {
    const run = watch.runOf(hippo, ref);
    if (run !== undefined && run.attempt > 0 && (seen?.attempt ?? 0) === 0) onStarted(runReport(run));
    seen = run ?? seen;
    const state = watch.model(hippo, model);
    const built = state?.versions.find(({ jobId }) => jobId === seen?.jobId && seen.attempt > 0);
    const known = { run: seen === undefined ? null : runReport(seen), serving: servingOf(state) };
    if (built !== undefined)
      return {
        ...known,
        outcome: built.promoted ? 'promoted' : 'not-promoted',
        version: versionReport(built, state),
      };
    if (seen === undefined)
      return watch.hasRead(hippo, ref) ? { ...known, outcome: 'refused', version: null } : undefined;
    const isOver = run === undefined || !['waiting', 'ready', 'running'].includes(run.status);
    return isOver ? { ...known, outcome: 'failed', version: null } : undefined;
  };
  const found = await lookFor(watch, answer, { timeout, signal });
  if (found !== undefined) return found;
  const run = seen === undefined ? null : runReport(seen);
  return { outcome: 'timed-out', run, version: null, serving: servingOf(watch.model(hippo, model)) };
}

function runReport({ job, key, jobId, status, error }: RunState): BuildRun {
  return { job, run_key: key, job_id: jobId, status, error: error ?? null };
}

export function servingOf(state: ModelState | undefined): BuildReport['serving'] {
  const serving = state?.versions.find(({ version }) => version === state.serving);
  return serving === undefined ? null : { version: serving.version, metrics: serving.metrics };
}

/**
 * @param rules what hippo.yaml says of them; undefined for another hippo, where a number, true and false are read as such
 * @throws UserError for one that is not `name=value`, or twice
 */
export function readParams(words: readonly string[], rules: ParamRules | undefined): JsonObject {
  const params = new Map<string, Json>();
  for (const word of words) {
    const at = word.indexOf('=');
    const name = word.slice(0, at);
    if (at < 1) throw new UserError(`--param ${JSON.stringify(word)} is not NAME=VALUE`);
    if (params.has(name)) throw new UserError(`--param ${name} is given twice`);
    const type = rules !== undefined && Object.hasOwn(rules, name) ? rules[name]?.type : undefined;
    params.set(name, type === 'text' ? word.slice(at + 1) : scalar(word.slice(at + 1)));
  }
  return Object.fromEntries(params);
}

function scalar(text: string): Json {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^-?\d+(\.\d+)?([eE][-+]?\d+)?$/.test(text) ? Number(text) : text;
}

/** The models of hippos, from state and health messages: the same on any machine. */
import { type LoadedConfig, hippoName, loadConfig } from '../config/load.ts';
import { systemClock } from '../core/clock.ts';
import { NotFineError } from '../core/errors.ts';
import { didYouMean } from '../core/near.ts';
import { connectProject } from '../kafka/project.ts';
import { type ModelReport, ModelWatch } from './watch.ts';
import { type Target, targetOf } from './target.ts';

export interface ListOptions {
  /** `--config` and `--profile`. */
  file: string | undefined;
  profile: string | undefined;
  /** Of all hippos of `topics.prefix`. */
  all: boolean;
  signal: AbortSignal;
}

export interface ModelList {
  /** null: of all hippos. */
  hippo: string | null;
  models: ModelReport[];
}

/** @throws ServiceError without Kafka */
export async function listModels({ all, ...options }: ListOptions): Promise<ModelList> {
  return withWatch(options, (loaded) => (all || loaded.file === null ? null : hippoName(loaded)), {
    then: (watch, loaded, hippo) => {
      const now = systemClock.now();
      const hippos = hippo === null ? watch.hippos().sort() : [hippo];
      const models = hippos.flatMap((each) => {
        const configured = each === hippo ? Object.keys(loaded.config.models) : [];
        return [...new Set([...configured, ...watch.models(each).sort()])].map((model) =>
          watch.report(each, model, now),
        );
      });
      return Promise.resolve({ hippo, models });
    },
  });
}

/** @throws NotFineError where neither hippo.yaml nor the state has the model */
export async function showModel(name: string, options: Omit<ListOptions, 'all'>): Promise<ModelReport> {
  let target: Target | undefined;
  return withWatch(options, (loaded) => (target = targetOf(name, loaded)).hippo, {
    then: (watch, loaded) => {
      const { hippo, model } = target ?? targetOf(name, loaded);
      requireKnown(watch, target ?? targetOf(name, loaded));
      return Promise.resolve(watch.report(hippo, model, systemClock.now()));
    },
  });
}

/** @throws NotFineError where a model of another hippo is not in its state */
export function requireKnown(watch: ModelWatch, { hippo, model, isOwn }: Target): void {
  if (isOwn || watch.model(hippo, model) !== undefined) return;
  const known = watch.models(hippo);
  throw new NotFineError(`the state of ${hippo} has no model ${model}`, {
    why:
      didYouMean(model, known) ??
      (known.length === 0 ? 'No version of a model of it was built yet.' : `It has ${known.join(', ')}.`),
    next: ['hippo model list --all'],
  });
}

async function withWatch<T>(
  { file, profile, signal }: Omit<ListOptions, 'all'>,
  hippoOf: (loaded: LoadedConfig) => string | null,
  { then }: { then: (watch: ModelWatch, loaded: LoadedConfig, hippo: string | null) => Promise<T> },
): Promise<T> {
  const loaded = await loadConfig({ file, profile, cwd: process.cwd(), env: process.env });
  const hippo = hippoOf(loaded);
  const kafka = await connectProject(loaded, process.env, signal);
  try {
    const watch = await ModelWatch.open({ kafka, config: loaded.config, hippo, now: systemClock.now() });
    try {
      return await then(watch, loaded, hippo);
    } finally {
      await watch.close();
    }
  } finally {
    await kafka.close();
  }
}

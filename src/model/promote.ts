/** Moves the pointer of a model to another version, and follows it to the services. */
import { loadConfig } from '../config/load.ts';
import { systemClock } from '../core/clock.ts';
import { NotFineError, UserError } from '../core/errors.ts';
import { nearMisses } from '../core/near.ts';
import { operator } from '../job/request.ts';
import { connectProject } from '../kafka/project.ts';
import type { ModelState } from '../state/index.ts';
import { requireKnown } from './list.ts';
import { type SentMessage, clientsOf, lookFor, sendModelMessage } from './send.ts';
import { targetOf } from './target.ts';
import { type InstanceReport, ModelWatch } from './watch.ts';

export interface PromoteOptions {
  file: string | undefined;
  profile: string | undefined;
  /** `NAME` or `HIPPO/NAME`. */
  model: string;
  /** null: the one that served before. */
  version: string | null;
  by: string | null;
  reason: string | null;
  /** How long to wait until it serves, milliseconds. */
  timeout: number;
  signal: AbortSignal;
}

export interface PromoteReport {
  hippo: string;
  model: string;
  version: string;
  /** The version that served before. */
  before: string | null;
  by: string;
  reason: string | null;
  record: SentMessage;
  clients: number;
  /** `moved`: the pointer names the version. `refused`: the hippo has read the message and left the pointer. */
  outcome: 'moved' | 'refused' | 'timed-out';
  /** The version that serves now. */
  serving: string | null;
  instances: InstanceReport[];
}

/** How long it may take after the pointer has moved until the services have loaded the version, milliseconds. */
const LOADING = 10_000;

/**
 * @throws UserError for an unknown model or version, NotFineError for a version that cannot serve, ServiceError without Kafka
 */
export async function promoteModel(options: PromoteOptions): Promise<PromoteReport> {
  const { file, profile, signal, reason, timeout } = options;
  const loaded = await loadConfig({ file, profile, cwd: process.cwd(), env: process.env });
  const target = targetOf(options.model, loaded);
  const { hippo, model } = target;
  const by = options.by ?? operator();
  const kafka = await connectProject(loaded, process.env, signal);
  try {
    const watch = await ModelWatch.open({ kafka, config: loaded.config, hippo, now: systemClock.now() });
    try {
      requireKnown(watch, target);
      const state = watch.model(hippo, model);
      const version = chosen(options.version, state, options.model);
      const before = state?.serving ?? null;
      const { sent, ref } = await sendModelMessage(kafka, loaded.config, {
        ...{ kind: 'model', message: 'PROMOTE_MODEL', model, version, expect: before, hippoName: hippo, by },
        extra: {},
        ...(reason === null ? {} : { reason }),
      });
      const clients = await clientsOf(kafka, loaded.config, hippo);
      const servingNow = (): string | null => watch.model(hippo, model)?.serving ?? null;
      const moved = await lookFor(
        watch,
        () => (servingNow() === version ? 'moved' : watch.hasRead(hippo, ref) ? 'refused' : undefined),
        { timeout, signal },
      );
      const instances = (): InstanceReport[] => watch.instances(hippo, model, systemClock.now());
      if (moved === 'moved')
        await lookFor(
          watch,
          () => (instances().every((instance) => instance.version === version) ? true : undefined),
          { timeout: Math.min(timeout, LOADING), signal },
        );
      const asked = { hippo, model, version, before, by, reason, record: sent, clients };
      return { ...asked, outcome: moved ?? 'timed-out', serving: servingNow(), instances: instances() };
    } finally {
      await watch.close();
    }
  } finally {
    await kafka.close();
  }
}

/** The version that is meant. The hippo decides; what is refused here would be refused there. */
export function chosen(asked: string | null, state: ModelState | undefined, name: string): string {
  const versions = state?.versions.map(({ version }) => version) ?? [];
  const next = [`hippo model show ${name}`];
  if (asked === null) {
    const previous = state?.previous ?? null;
    if (previous === null)
      throw new NotFineError(`${name} has no version to roll back to`, {
        why: versions.length === 0 ? 'None was built yet.' : 'No other version has served before.',
        next,
      });
    return previous;
  }
  if (state?.retired.includes(asked) === true)
    throw new NotFineError(`${asked} is retired`, {
      why: 'Its folder is removed, or is about to be: `keep` of the model in hippo.yaml says how long versions stay.',
      next,
    });
  if (!versions.includes(asked))
    throw new UserError(`${name} has no version ${asked}`, {
      why: versions.length === 0 ? 'None was built yet.' : `The newest: ${versions.slice(-3).join(', ')}.`,
      next: [...nearMisses(asked, versions).map((near) => `hippo model promote ${name} ${near}`), ...next],
    });
  if (state?.serving === asked)
    throw new NotFineError(`${asked} serves already`, { why: 'There is nothing to promote.', next });
  return asked;
}

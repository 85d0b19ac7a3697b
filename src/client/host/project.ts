import { type Receiver, compileReceivers } from '../../alerts/index.ts';
import { UserError } from '../../core/errors.ts';
import { CONFIG_FILE, type LoadedConfig, hippoName } from '../../config/load.ts';
import { identityOf } from '../../config/groups.ts';
import { problemsError } from '../../config/problems.ts';
import { type CompileProblem, type Definition, compileJobs, hasConditions } from '../machine/index.ts';
import { checkServices } from './services/check.ts';
import { modelUrl } from './model-files.ts';
import { type WatchedSource, compileSources } from './sources.ts';
import { describeTwins } from './twin-sources.ts';
import { describeUnmatched } from './unmatched-needs.ts';

/** The jobs, sources and services of a project, compiled. */
export interface Project {
  hippo: string;
  /** `<prefix>/<name>` */
  identity: string;
  definition: Definition;
  sources: readonly WatchedSource[];
  /** They are told of alerts. */
  receivers: readonly Receiver[];
  /** What can run, and is most likely not meant. */
  warnings: readonly string[];
}

/** @throws UserError with the place in hippo.yaml when a job, source or service cannot be what it says, or there is none */
export async function compileProject(loaded: LoadedConfig): Promise<Project> {
  const hippo = hippoName(loaded);
  const identity = identityOf(loaded.config, hippo);
  const { jobs, sources, services } = loaded.config;
  if (loaded.file === null) {
    throw new UserError('there is no hippo.yaml here or in a folder above', {
      next: ['hippo new batch-etl NAME', 'cd to the folder of a hippo, or give --config FILE'],
    });
  }
  if (Object.keys({ ...jobs, ...sources, ...services }).length === 0) {
    throw new UserError('this hippo has no jobs, sources or services: there is nothing to run', {
      place: { file: loaded.file, key: 'jobs' },
      next: [
        'add one under jobs:, sources: or services: in hippo.yaml',
        'hippo schema    (all allowed keys)',
      ],
    });
  }
  const compiled = await compileParts(loaded, hippo);
  if (!compiled.ok) throw problemError(loaded, compiled.problems);
  return { hippo, identity, ...compiled.parts };
}

/** Compiles all that hippo.yaml names. @returns the problems of all parts, where there is one */
export async function compileParts(
  loaded: LoadedConfig,
  hippo: string,
): Promise<
  | { ok: true; parts: Pick<Project, 'definition' | 'sources' | 'receivers' | 'warnings'> }
  | { ok: false; problems: readonly CompileProblem[] }
> {
  const { jobs, sources: configured, services, models, calendar, client, trigger, alerts } = loaded.config;
  const problems: CompileProblem[] = [];
  const sources = compileSources(loaded, problems);
  checkServices(loaded.config, problems);
  // Its library takes memory that a client without conditions does not need.
  const conditions = hasConditions({ jobs, services })
    ? await import('../../conditions/index.ts')
    : undefined;
  const receivers = compileReceivers(loaded, problems);
  const compiled = compileJobs({
    hippo,
    identity: identityOf(loaded.config, hippo),
    jobs,
    sources: sources.map(({ source }) => source),
    services,
    models,
    locate: (location) => modelUrl(loaded.directory, location),
    events: trigger,
    calendar,
    alerts:
      alerts === undefined
        ? undefined
        : {
            receivers: receivers.map(({ name }) => name),
            pausedAfter: alerts.paused_after,
            lettersQuiet: alerts.dead_letters.quiet,
          },
    compileCondition: conditions?.compileCondition,
    holidays: loaded.holidays,
    keep: client.keep,
  });
  if (!compiled.ok) problems.push(...compiled.problems);
  if (!compiled.ok || problems.length > 0) return { ok: false, problems };
  const warnings = [...describeTwins(sources, configured), ...describeUnmatched(loaded.config, hippo)];
  return { ok: true, parts: { definition: compiled.definition, sources, receivers, warnings } };
}

function problemError(loaded: LoadedConfig, problems: readonly CompileProblem[]): UserError {
  return problemsError(
    loaded.file ?? CONFIG_FILE,
    problems.map(({ path, message, allowed }) => ({
      place: loaded.place(path),
      message: `cannot be used: ${message}${allowed === undefined ? '' : `; allowed: ${allowed}`}`,
    })),
  );
}

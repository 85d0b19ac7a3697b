import { UserError } from '../../core/errors.ts';
import { CONFIG_FILE, type LoadedConfig, hippoName } from '../../config/load.ts';
import { identityOf } from '../../config/groups.ts';
import { problemsError } from '../../config/problems.ts';
import { type CompileProblem, type Definition, compileJobs } from '../machine/index.ts';
import { checkServices } from './services/check.ts';
import { type WatchedSource, compileSources } from './sources.ts';
import { describeTwins } from './twin-sources.ts';

/** The jobs, sources and services of a project, compiled. */
export interface Project {
  hippo: string;
  /** `<prefix>/<name>` */
  identity: string;
  definition: Definition;
  sources: readonly WatchedSource[];
  /** What can run, and is most likely not meant. */
  warnings: readonly string[];
}

/** @throws UserError with the place in hippo.yaml when a job, source or service cannot be what it says, or there is none */
export function compileProject(loaded: LoadedConfig): Project {
  const hippo = hippoName(loaded);
  const identity = identityOf(loaded.config, hippo);
  const { jobs, sources, services, calendar, client, trigger } = loaded.config;
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
  const problems: CompileProblem[] = [];
  const watched = compileSources(loaded, problems);
  const definitions = watched.map(({ source }) => source);
  checkServices(loaded.config, problems);
  const compiled = compileJobs({
    hippo,
    identity,
    jobs,
    sources: definitions,
    services,
    events: trigger,
    calendar,
    keep: client.keep,
  });
  if (!compiled.ok) problems.push(...compiled.problems);
  if (!compiled.ok || problems.length > 0) throw problemError(loaded, problems);
  const warnings = describeTwins(watched, sources);
  return { hippo, identity, definition: compiled.definition, sources: watched, warnings };
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

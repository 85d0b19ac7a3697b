import { UserError } from '../../core/errors.ts';
import { CONFIG_FILE, type LoadedConfig, hippoName } from '../../config/load.ts';
import { identityOf } from '../../config/groups.ts';
import { problemsError } from '../../config/problems.ts';
import { type CompileProblem, type Definition, compileJobs } from '../machine/index.ts';

/** The jobs of a project, compiled. */
export interface Project {
  hippo: string;
  /** `<prefix>/<name>` */
  identity: string;
  definition: Definition;
}

/** @throws UserError with the place in hippo.yaml when a job cannot be what it says, or there is none */
export function compileProject(loaded: LoadedConfig): Project {
  const hippo = hippoName(loaded);
  const identity = identityOf(loaded.config, hippo);
  const { jobs, calendar, client } = loaded.config;
  if (loaded.file === null) {
    throw new UserError('there is no hippo.yaml here or in a folder above', {
      next: ['hippo new batch-etl NAME', 'cd to the folder of a hippo, or say --config FILE'],
    });
  }
  if (Object.keys(jobs).length === 0) {
    throw new UserError('this hippo has no jobs: there is nothing to run', {
      place: { file: loaded.file, key: 'jobs' },
      next: ['add one under jobs: in hippo.yaml', 'hippo schema    (what may stand there)'],
    });
  }
  const compiled = compileJobs({ hippo, identity, jobs, calendar, keep: client.keep });
  if (!compiled.ok) throw problemError(loaded, compiled.problems);
  return { hippo, identity, definition: compiled.definition };
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

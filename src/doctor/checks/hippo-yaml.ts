import type { CompileProblem } from '../../client/machine/index.ts';
import { identityOf } from '../../config/groups.ts';
import { ConfigError } from '../../config/problems.ts';
import type { LoadedConfig } from '../../config/load.ts';
import type { ErrorPlace } from '../../core/errors.ts';
import { type Check, type Diagnosis, type Finding, error, ok, skipped, warning } from '../check.ts';
import { sentence } from '../runner.ts';

/** hippo.yaml is valid, and the client can compile its jobs. */
export const hippoYaml: Check = {
  id: 'hippo-yaml',
  title: 'hippo.yaml',
  category: 'project',
  about: 'hippo.yaml loads, and its jobs compile',
  async run({ project }) {
    if (project.state === 'none') {
      return skipped('There is no hippo.yaml here or above: `hippo new` makes a project');
    }
    if (project.state === 'broken') {
      const { problem } = project;
      const findings =
        problem instanceof ConfigError
          ? problem.problems.map(({ place, message }) => error(`${placeOf(place)} ${message}`))
          : [error(sentence(problem), { commands: problem.next })];
      return { summary: 'not valid', findings };
    }
    return compile(project.loaded, project.hippo);
  },
};

async function compile(loaded: LoadedConfig, hippo: string): Promise<Diagnosis> {
  const [{ compileJobs }, { compileSources }, { describeTwins }] = await Promise.all([
    import('../../client/machine/index.ts'),
    import('../../client/host/sources.ts'),
    import('../../client/host/twin-sources.ts'),
  ]);
  const { jobs, calendar } = loaded.config;
  const problems: CompileProblem[] = [];
  const watched = compileSources(loaded, problems);
  const sources = watched.map(({ source }) => source);
  const identity = identityOf(loaded.config, hippo);
  const compiled = compileJobs({ hippo, identity, jobs, sources, calendar });
  if (!compiled.ok) problems.push(...compiled.problems);
  if (problems.length === 0) {
    const names = [...Object.keys(jobs), ...sources.map((source) => source.name)];
    const text = names.length === 0 ? `${loaded.file}: no jobs` : `${loaded.file}: ${names.join(', ')}`;
    const counts = [counted(Object.keys(jobs).length, 'job'), counted(sources.length, 'source')];
    const shown = sources.length === 0 ? counts.slice(0, 1) : counts;
    return {
      summary: [hippo, ...shown].join(', '),
      findings: [ok(text), ...describeTwins(watched, loaded.config.sources).map((twins) => warning(twins))],
    };
  }
  const findings = problems.map(({ path, message, allowed }): Finding => {
    const where = placeOf(loaded.place(path));
    const choices = allowed === undefined ? {} : { text: `Allowed: ${allowed}.` };
    return error(`${where}: ${message}`, { commands: [], ...choices });
  });
  return { summary: `${findings.length} problem${findings.length === 1 ? '' : 's'}`, findings };
}

function counted(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`;
}

/** `hippo.yaml:12:7 jobs.load.every` */
function placeOf({ file, line, column, key }: ErrorPlace): string {
  const position = [file, line, column].filter((part) => part !== undefined).join(':');
  return [position, key].filter((part) => part !== undefined && part !== '').join(' ');
}

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
  const { compileParts } = await import('../../client/host/project.ts');
  const compiled = await compileParts(loaded, hippo);
  if (compiled.ok) {
    const { jobs, sources, services } = loaded.config;
    const kinds = { job: jobs, source: sources, service: services };
    const names = Object.values(kinds).flatMap((members) => Object.keys(members));
    const text = names.length === 0 ? `${loaded.file}: no jobs` : `${loaded.file}: ${names.join(', ')}`;
    const counts = Object.entries(kinds)
      .map(([noun, members]) => ({ noun, count: Object.keys(members).length }))
      .filter(({ noun, count }) => count > 0 || noun === 'job')
      .map(({ noun, count }) => counted(count, noun));
    return {
      summary: [hippo, ...counts].join(', '),
      findings: [ok(text), ...compiled.parts.warnings.map((twins) => warning(twins))],
    };
  }
  const findings = compiled.problems.map(({ path, message, allowed }): Finding => {
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

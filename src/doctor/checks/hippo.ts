import type { Kafka } from '../../kafka/port.ts';
import { type Check, type Diagnosis, skipped } from '../check.ts';
import type { Environment, Project } from '../environment.ts';
import { unreachable } from './kafka.ts';

type LoadedProject = Extract<Project, { state: 'loaded' }>;

/**
 * The work of a check that asks Kafka about the project's own hippo. It is skipped where there is no such hippo, or no Kafka.
 *
 * @param withoutJobs why a project without jobs has nothing to check, as a finding says it
 */
export function aboutHippo(
  withoutJobs: string,
  examine: (kafka: Kafka, project: LoadedProject, environment: Environment) => Promise<Diagnosis>,
): Check['run'] {
  return async (environment) => {
    const { project } = environment;
    if (project.state === 'none')
      return skipped('There is no hippo.yaml here or above: no hippo to look for');
    const why = await unreachable(environment);
    if (why !== undefined || project.state === 'broken') return skipped(why ?? '');
    const { jobs, sources, services } = project.loaded.config;
    if (Object.keys({ ...jobs, ...sources, ...services }).length === 0) return skipped(withoutJobs);
    return examine(await environment.kafka(), project, environment);
  };
}

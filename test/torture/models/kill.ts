/** What is killed or frozen, and at which step of a build. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type MlProject, draftsOf } from '../../support/ml-service.ts';

/** The JVM of the build; the Python of its driver; the API; the client, whose guard then ends both; the broker; SIGSTOP instead. */
export const VICTIMS = ['Spark', 'Python', 'API', 'client', 'broker', 'frozen build', 'frozen API'] as const;
export type Victim = (typeof VICTIMS)[number];

/** In the order in which a build takes them: each is seen by the file that it begins with. */
export const STEPS = ['training', 'staging', 'manifest', 'renamed', 'result', 'swap'] as const;
export type Step = (typeof STEPS)[number];

export const STEP_WORDS: Record<Step, string> = {
  training: 'the model is being trained',
  staging: 'the pipeline is being written',
  manifest: 'the manifest is being written',
  renamed: 'the version is in its place',
  result: 'the result is written',
  swap: 'the API answers with the version',
};

export interface Kill {
  victim: Victim;
  step: Step;
  /** Where it comes among the others. */
  order: number;
}

/** Whether a build that is over by then has a victim: the build's processes have ended when the API swaps. */
export function isPossible({ victim, step }: Kill): boolean {
  return step !== 'swap' || !['Spark', 'Python', 'frozen build'].includes(victim);
}

/**
 * Resolves when the build takes this step; false: it did not in time.
 *
 * @param before the versions that were there when the build was asked for
 * @param served the version that the API answers with
 */
export async function stepTaken(
  step: Step,
  project: MlProject,
  {
    before,
    served,
    patience,
  }: { before: ReadonlySet<string>; served: () => string | null; patience: number },
): Promise<boolean> {
  const place = join(project.folder, 'data/models', project.model);
  const servedBefore = served();
  const results = resultsOf(project);
  const isTaken: Record<Step, () => boolean> = {
    training: () => draftsOf(project).length > 0,
    staging: () => draftsOf(project).some((draft) => existsSync(join(place, draft, 'pipeline'))),
    manifest: () => draftsOf(project).some((draft) => existsSync(join(place, draft, 'manifest.json'))),
    renamed: () => namesIn(place).some((name) => !name.startsWith('.') && !before.has(name)),
    result: () => resultsOf(project) > results,
    swap: () => served() !== servedBefore,
  };
  const deadline = Date.now() + patience;
  while (Date.now() < deadline) {
    if (isTaken[step]()) return true;
    await sleep(1);
  }
  return false;
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

/** How many builds have written their result, as their logs say right after it. */
function resultsOf({ folder }: MlProject): number {
  const logs = join(folder, '.hippo/logs/build');
  const texts = namesIn(logs).map((name) => readFileSync(join(logs, name), 'utf8'));
  return texts.filter((text) => text.includes('"manifest_sha256"')).length;
}

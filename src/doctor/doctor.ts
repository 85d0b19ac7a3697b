import type { Check } from './check.ts';
import { checks } from './checks/index.ts';
import { chooseChecks } from './choose.ts';
import { gatherEnvironment } from './environment.ts';
import { type CheckReport, type DoctorReport, diagnose } from './runner.ts';

export interface DoctorOptions {
  /** Ids or titles of checks; empty: all. */
  names: readonly string[];
  /** List the checks and run none. */
  list: boolean;
  /** `--config` and `--profile`. */
  file: string | undefined;
  profile: string | undefined;
  /** Called with each report in the order of the checks. */
  onReport: (report: CheckReport) => void;
  signal: AbortSignal;
}

/** The checks, for `--list`. */
export interface CheckList {
  checks: Pick<Check, 'id' | 'title' | 'category' | 'about'>[];
}

/**
 * Runs checks on this machine, the project and its Kafka, or lists them.
 *
 * @throws UserError for a name without a check, the signal's reason when it is aborted
 */
export async function runDoctor(options: DoctorOptions): Promise<DoctorReport | CheckList> {
  const { names, list, file, profile, onReport, signal } = options;
  const chosen = chooseChecks(checks, names);
  if (list)
    return { checks: chosen.map(({ id, title, category, about }) => ({ id, title, category, about })) };
  const place = { cwd: process.cwd(), env: process.env, file, profile, signal };
  const environment = await gatherEnvironment(place);
  try {
    return await diagnose(chosen, environment, onReport, signal);
  } finally {
    await environment.close();
  }
}

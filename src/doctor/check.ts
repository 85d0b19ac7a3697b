import type { Environment } from './environment.ts';

/**
 * The severity: an `error` makes the doctor's exit code 1, a `warning` does not, `skipped` was not checked. `unknown` is a
 * question without an answer, because the check had no time: neither fine nor an error, so the exit code is 4.
 */
export type FindingStatus = 'ok' | 'warning' | 'unknown' | 'error' | 'skipped';

/** The remedy of a finding: commands to type, most useful first, and a sentence if commands are not enough. */
export interface Remedy {
  commands: readonly string[];
  text?: string;
}

/** The result of a check: data, rendered by ui. */
export interface Finding {
  status: FindingStatus;
  /** One sentence, without a full stop at its end. */
  text: string;
  remedy?: Remedy;
}

/** The diagnosis of a check: a few words after its title, and its findings. */
export interface Diagnosis {
  summary: string;
  findings: readonly Finding[];
}

export type CheckCategory = 'tools' | 'project' | 'machine' | 'kafka';

/** One check: one file in checks/, one line in checks/index.ts. */
export interface Check {
  /** As typed: `hippo doctor <id>`. */
  id: string;
  title: string;
  category: CheckCategory;
  /** What it checks, for `--list`; up to 55 characters. */
  about: string;
  /** Milliseconds after which the check is aborted. Default: the runner's own limit. */
  timeLimit?: number;
  /** An error that it throws becomes a finding. `signal` is aborted when the time is up. */
  run(environment: Environment, signal: AbortSignal): Promise<Diagnosis>;
}

export const ok = (text: string): Finding => ({ status: 'ok', text });
export const warning = (text: string, remedy?: Remedy): Finding => ({
  status: 'warning',
  text,
  ...(remedy && { remedy }),
});
export const error = (text: string, remedy?: Remedy): Finding => ({
  status: 'error',
  text,
  ...(remedy && { remedy }),
});

/** The diagnosis of a check that had nothing to check. */
export function skipped(why: string): Diagnosis {
  return { summary: 'skipped', findings: [{ status: 'skipped', text: why }] };
}

const SEVERITY: Record<FindingStatus, number> = { skipped: 0, ok: 1, warning: 2, unknown: 3, error: 4 };

/** The status of a whole check: that of its worst finding; `ok` when it found nothing. */
export function worst(findings: readonly Finding[]): FindingStatus {
  if (findings.length === 0) return 'ok';
  return findings.reduce<FindingStatus>(
    (status, finding) => (SEVERITY[finding.status] > SEVERITY[status] ? finding.status : status),
    'skipped',
  );
}

import { formatDuration } from '../core/duration.ts';
import { HippoError, messageOf } from '../core/errors.ts';
import {
  type Check,
  type CheckCategory,
  type Diagnosis,
  type Finding,
  type FindingStatus,
  worst,
} from './check.ts';
import type { Environment } from './environment.ts';
import { within } from '../core/deadline.ts';

/** Milliseconds that a check may take if it has no limit of its own. */
const TIME_LIMIT = 15_000;

export interface CheckReport {
  id: string;
  title: string;
  category: CheckCategory;
  status: FindingStatus;
  summary: string;
  findings: readonly Finding[];
  /** Milliseconds. */
  took: number;
}

export interface DoctorReport {
  /** The project's hippo; null outside a project. */
  hippo: string | null;
  /** The hippo.yaml that was used. */
  file: string | null;
  checks: readonly CheckReport[];
  /** How many checks ended with which status. */
  totals: Readonly<Record<FindingStatus, number>>;
}

/**
 * Runs all checks at once. An error that a check throws becomes a finding of that check;
 * one that runs out of time is `unknown`.
 *
 * @param onReport called with each report in the order of `checks`, as soon as it and all before it are complete
 * @param signal aborts the run
 * @throws the signal's reason
 */
export async function diagnose(
  checks: readonly Check[],
  environment: Environment,
  onReport: (report: CheckReport) => void = () => undefined,
  signal?: AbortSignal,
): Promise<DoctorReport> {
  const stopped = Promise.withResolvers<never>();
  stopped.promise.catch(() => undefined);
  signal?.addEventListener('abort', () => stopped.reject(signal.reason), { once: true });
  const running = checks.map((check) => runGuarded(check, environment, checks.length === 1));
  const reports: CheckReport[] = [];
  for (const pending of running) {
    const report = await Promise.race([pending, stopped.promise]);
    reports.push(report);
    onReport(report);
  }
  const { project } = environment;
  return {
    hippo: project.state === 'loaded' ? project.hippo : null,
    file: project.file,
    checks: reports,
    totals: count(reports),
  };
}

async function runGuarded(check: Check, environment: Environment, isAlone: boolean): Promise<CheckReport> {
  const { id, title, category } = check;
  const started = performance.now();
  const { summary, findings } = await withinTime(check, environment, isAlone).catch(diagnosisOf);
  return {
    id,
    title,
    category,
    status: worst(findings),
    summary,
    findings,
    took: Math.round(performance.now() - started),
  };
}

async function withinTime(check: Check, environment: Environment, isAlone: boolean): Promise<Diagnosis> {
  const limit = check.timeLimit ?? TIME_LIMIT;
  const stop = new AbortController();
  return within(check.run(environment, stop.signal), {
    millis: limit,
    late: () => {
      stop.abort();
      const text = `This check had no answer within ${formatDuration(limit)}: this machine may be overloaded`;
      const remedy = isAlone
        ? { commands: [], text: 'Repeat the check when the machine has less to do.' }
        : { commands: [`hippo doctor ${check.id}`] };
      return { summary: 'no answer', findings: [{ status: 'unknown', text, remedy }] };
    },
  });
}

/** The diagnosis of a check that threw an error. */
function diagnosisOf(thrown: unknown): Diagnosis {
  const known = thrown instanceof HippoError;
  const text = known ? sentence(thrown) : `The check itself failed: ${messageOf(thrown)}`;
  const commands = known ? thrown.next.filter((step) => !/^hippo doctor\b/.test(step)) : [];
  const remedy = commands.length > 0 ? { remedy: { commands } } : {};
  return { summary: known ? 'failed' : 'check failed', findings: [{ status: 'error', text, ...remedy }] };
}

/** The error and its reason, as a finding's text. */
export function sentence({ message, why }: HippoError): string {
  const whole = why === undefined ? message : `${message}. ${capital(why)}`;
  return capital(whole).replace(/\.$/, '');
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function count(reports: readonly CheckReport[]): Record<FindingStatus, number> {
  const totals = { ok: 0, warning: 0, unknown: 0, error: 0, skipped: 0 };
  for (const { status } of reports) totals[status] += 1;
  return totals;
}

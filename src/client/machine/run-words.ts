/** What is said of a run, in notices and alerts. */
import { NAMED, listed } from '../../core/listed.ts';
import { isSatisfied, type JobDefinition, type NeedGroup } from './definition.ts';
import type { Run } from './state.ts';

/** `running`, `waiting for btd.party` */
export function stateOf(job: JobDefinition, run: Run): string {
  return run.status === 'waiting' ? `waiting for ${missing(job, run)}` : run.status;
}

/** The needs that are not satisfied, for sentences. */
export function missing(job: JobDefinition, run: Run): string {
  const groups = job.groups
    .filter((group) => !isSatisfied(group, run.inputs))
    .slice(0, NAMED + 1)
    .map((group) => missingOf(group, run));
  const names = groups.slice(0, NAMED).join(' and ');
  return groups.length > NAMED ? `${names} and more` : names;
}

function missingOf({ atLeast, members }: NeedGroup, run: Run): string {
  const open = members.map(({ id }) => id).filter((id) => !run.inputs.has(id));
  const count = atLeast - (members.length - open.length);
  return count === open.length ? listed(open) : `${count} of ${listed(open)}`;
}

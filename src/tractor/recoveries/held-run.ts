import { type Recovery, inScope, iso } from '../recovery.ts';
import { isGone } from './gone-job.ts';
import { jobCommand, runName } from '../words.ts';

/** Runs that have ended and whose inputs have landed again, of jobs with `on_reland: hold`: an operator has to decide. */
export const heldRun: Recovery = {
  id: 'held-run',
  title: 'Held runs',
  plan(snapshot, scope) {
    return snapshot.runs
      .filter(
        (known) => inScope(scope, known.hippo) && known.run.held !== undefined && !isGone(snapshot, known),
      )
      .map(({ hippo, run: { job, key, held = '', finishedAt, firstInputAt } }) => ({
        recovery: 'held-run' as const,
        hippo,
        job,
        run_key: key,
        what: runName(hippo, job, key),
        why: `${held}; the hippo does not run it again until you ask for it, or accept it as it is: ${jobCommand('mark-success', { hippo, job, key })}`,
        notes: [],
        cause: null,
        command: jobCommand('run', { hippo, job, key }),
        since: iso(finishedAt ?? firstInputAt),
        pull: false,
        events: [],
      }))
      .sort((a, b) => a.since.localeCompare(b.since));
  },
};

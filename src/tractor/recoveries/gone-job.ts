import { shellWord } from '../../core/shell.ts';
import { type KnownRun, type Snapshot, whyGone } from '../../observe/index.ts';
import { type Recovery, type Stuck, inScope, iso } from '../recovery.ts';
import { firstOf, jobCommand } from '../words.ts';

/** Runs that have not ended well, of jobs that were removed from hippo.yaml or renamed, or that have other windows now. */
export const goneJob: Recovery = {
  id: 'gone-job',
  title: 'Runs of jobs that are gone',
  plan(snapshot, scope) {
    const runs = snapshot.runs.filter((known) => inScope(scope, known.hippo) && isUnsettled(known));
    const gone = runs.flatMap((known) => {
      const why = whyGone(snapshot, known.hippo, known.run);
      return why === undefined ? [] : [{ ...known, ...why }];
    });
    // A job that is gone is forgotten at once; with other windows, each run is settled by itself.
    const together = Map.groupBy(gone, ({ hippo, cause, run: { job, key } }) =>
      JSON.stringify(cause === 'job' ? [hippo, job] : [hippo, job, key]),
    );
    return [...together.values()].map(describe).sort((a, b) => a.since.localeCompare(b.since));
  },
};

function isUnsettled({ run: { status, held } }: KnownRun): boolean {
  return held !== undefined || (status !== 'succeeded' && status !== 'cancelled');
}

interface Gone extends KnownRun {
  cause: 'job' | 'key';
  text: string;
}

function describe(gone: readonly Gone[]): Stuck {
  const runs = gone.toSorted((a, b) => a.run.key.localeCompare(b.run.key));
  const [first] = runs as [Gone];
  const { hippo, cause, text, run } = first;
  const done = jobCommand('mark-success', { hippo, job: run.job, key: run.key });
  const statuses = [...new Set(runs.map(({ run: { status } }) => status))].join(', ');
  return {
    recovery: 'gone-job',
    hippo,
    job: run.job,
    run_key: runs.length === 1 ? run.key : null,
    what: `${hippo}/${run.job} ${firstOf(runs.map(({ run: { key } }) => key))} (${statuses})`,
    why: `${text}; to let jobs that need ${runs.length === 1 ? 'the run' : 'a run'} go on, mark it as done: ${done}`,
    notes: [],
    cause: null,
    command:
      cause === 'job'
        ? `hippo forget ${shellWord(`${hippo}/${run.job}`)}`
        : jobCommand('cancel', { hippo, job: run.job, key: run.key }),
    since: iso(Math.min(...runs.map(({ run: each }) => each.finishedAt ?? each.firstInputAt))),
    pull: false,
    events: [],
  };
}

/** Whether a run is one of those: other recoveries leave it to this one. */
export function isGone(snapshot: Snapshot, { hippo, run }: KnownRun): boolean {
  return whyGone(snapshot, hippo, run) !== undefined;
}

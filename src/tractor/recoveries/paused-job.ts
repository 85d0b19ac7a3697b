import type { KnownRun, PausedJob, Snapshot } from '../../observe/index.ts';
import { type Recovery, type Stuck, inScope, iso } from '../recovery.ts';
import { isGone } from './gone-job.ts';
import { ago, by, firstOf, jobCommand } from '../words.ts';

/** Jobs that an operator has paused, and whose runs are ready: they start when the job is resumed. */
export const pausedJob: Recovery = {
  id: 'paused-job',
  title: 'Paused jobs',
  plan(snapshot, scope) {
    return snapshot.paused
      .filter(({ hippo }) => inScope(scope, hippo))
      .map((pause) => ({ pause, runs: waitingRuns(pause, snapshot) }))
      .filter(({ runs }) => runs.length > 0)
      .map(({ pause, runs }) => describe(pause, runs, snapshot))
      .sort((a, b) => a.since.localeCompare(b.since));
  },
};

/** A run that was asked for by hand starts in spite of the pause. */
function waitingRuns({ hippo, job }: PausedJob, snapshot: Snapshot): KnownRun['run'][] {
  return snapshot.runs
    .filter((known) => known.hippo === hippo && known.run.job === job && !isGone(snapshot, known))
    .map(({ run }) => run)
    .filter(({ status, manual }) => status === 'ready' && manual === undefined)
    .sort((a, b) => a.key.localeCompare(b.key));
}

function describe(
  { hippo, job, by: operator, reason, at }: PausedJob,
  runs: readonly KnownRun['run'][],
  { now }: Snapshot,
): Stuck {
  const [only] = runs;
  const when = at === undefined ? '' : ` ${ago(now, at)}`;
  const because = reason === undefined || reason === '' ? '' : `: ${reason}`;
  return {
    recovery: 'paused-job',
    hippo,
    job,
    run_key: runs.length === 1 ? (only?.key ?? null) : null,
    what: `${hippo}/${job}: ${firstOf(runs.map(({ key }) => key))}`,
    why: `paused${by(operator)}${when}${because}; ${runs.length === 1 ? 'the run is' : `${runs.length} runs are`} ready, and not started while the job is paused`,
    notes: [],
    cause: null,
    command: jobCommand('resume', { hippo, job }),
    since: iso(at ?? Math.min(...runs.map(({ firstInputAt }) => firstInputAt))),
    pull: false,
    events: [],
  };
}

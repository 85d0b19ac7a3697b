import { type Recovery, type Stuck, inScope, iso } from '../recovery.ts';
import { type KnownRun, type Snapshot, isOwned, startCommand } from '../../observe/index.ts';
import { isGone } from './gone-job.ts';
import { ago, firstOf } from '../words.ts';

/** Runs that are running or ready in the state of a hippo without a client: without one they are never finished. */
export const ownerGone: Recovery = {
  id: 'owner-gone',
  title: 'Hippos without a client',
  plan(snapshot, scope) {
    const hippos = new Set(
      snapshot.runs.filter((known) => isBegun(known, snapshot)).map(({ hippo }) => hippo),
    );
    return [...hippos]
      .filter((hippo) => inScope(scope, hippo) && !isOwned(snapshot, hippo))
      .sort()
      .map((hippo) => describe(hippo, snapshot));
  },
};

function isBegun(known: KnownRun, snapshot: Snapshot): boolean {
  const { status } = known.run;
  return (status === 'running' || status === 'ready') && !isGone(snapshot, known);
}

function describe(hippo: string, snapshot: Snapshot): Stuck {
  const runs = snapshot.runs
    .filter((known) => known.hippo === hippo && isBegun(known, snapshot))
    .map(({ run }) => run);
  const names = runs.map((run) => `${run.job} ${run.key}`);
  const sign = snapshot.health.get(hippo);
  const last =
    sign === undefined
      ? 'it has given no sign of life'
      : `last sign of life ${ago(snapshot.now, sign.at)} from ${sign.message.clientIp}`;
  const begun = runs.map((run) => run.startedAt ?? run.firstInputAt);
  return {
    recovery: 'owner-gone',
    hippo,
    job: runs.length === 1 ? (runs[0]?.job ?? null) : null,
    run_key: runs.length === 1 ? (runs[0]?.key ?? null) : null,
    what: `${hippo}: ${firstOf(names)}`,
    why: `no client of ${hippo} runs; ${last}`,
    notes: [],
    cause: null,
    command: startCommand(hippo, snapshot),
    since: iso(begun.length === 0 ? snapshot.now : Math.min(...begun)),
    pull: false,
    events: [],
  };
}

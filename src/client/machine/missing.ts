import { type Definition, isSatisfied, type JobDefinition } from './definition.ts';
import { slotFor } from './timing.ts';
import type { Run } from './state.ts';

/** Needs of which some have yet to land before a run is complete. */
export interface Missing {
  /** So many of them. */
  atLeast: number;
  needs: {
    /** `btd.party`, `other.hippo/job` */
    need: string;
    /** What must land: `yyyymm=201704`, or the key of the other job's run; empty for an unpartitioned table. */
    expected: string;
  }[];
}

/** What a run still waits for, in the order of hippo.yaml. */
export function missingNeeds(definition: Definition, job: JobDefinition, run: Run): Missing[] {
  const slot = slotFor(definition, job, run);
  return job.groups
    .filter((group) => !isSatisfied(group, run.inputs))
    .map(({ atLeast, members }) => {
      const open = members.filter(({ id }) => !run.inputs.has(id));
      return {
        atLeast: atLeast - (members.length - open.length),
        needs: open.map((need) => ({ need: need.id, expected: need.expects(slot) })),
      };
    });
}

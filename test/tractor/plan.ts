import type { Snapshot } from '../../src/observe/index.ts';
import { recoveries } from '../../src/tractor/recoveries/index.ts';

/** What each recovery finds: what, why and the command. Those that find nothing are left out. */
export function planParts(snapshot: Snapshot): Record<string, string[][]> {
  const parts = recoveries.map(({ id, plan }) => [id, plan(snapshot, null)] as const);
  return Object.fromEntries(
    parts
      .filter(([, stuck]) => stuck.length > 0)
      .map(([id, stuck]) => [id, stuck.map(({ what, why, command }) => [what, why, command])]),
  );
}

/** Which of the ready runs of a job starts first. */
import type { Draft } from './draft.ts';
import type { JobDefinition } from './definition.ts';
import { isFiring, type Run } from './state.ts';

type Compare = (a: Run, b: Run) => number;

/** Runs asked for by hand first, then those that have begun, then as the job's `order` says. */
export function byUrgency(draft: Draft, job: JobDefinition): Compare {
  const inOrder = ordersOf(draft, job)[orderOf(job)];
  return (a, b) =>
    Number(b.manual !== undefined) - Number(a.manual !== undefined) ||
    Number(isFiring(b)) - Number(isFiring(a)) ||
    inOrder(a, b);
}

/** Windows by their times; runs without windows are as old as what has opened them. */
function ordersOf(
  { definition: { calendar } }: Draft,
  { unit }: JobDefinition,
): Record<'oldest' | 'newest' | 'arrival', Compare> {
  const oldest: Compare = unit === null ? byArrival : (a, b) => calendar.compare(unit, a.key, b.key);
  return { oldest, newest: (a, b) => oldest(b, a), arrival: byArrival };
}

function orderOf({ unit, policy }: JobDefinition): 'oldest' | 'newest' | 'arrival' {
  return policy.order ?? (unit === null ? 'arrival' : 'oldest');
}

function byKey(a: Run, b: Run): number {
  return a.key < b.key ? -1 : 1;
}

/** Messages that are read together open runs in one millisecond: those of one partition have come in the order of their offsets. */
function byArrival(a: Run, b: Run): number {
  return a.firstInputAt - b.firstInputAt || byOffset(a, b) || byKey(a, b);
}

function byOffset(a: Run, b: Run): number {
  const [one, other] = [firstInput(a), firstInput(b)];
  if (one === undefined || other === undefined) return 0;
  if (one.topic !== other.topic || one.partition !== other.partition) return 0;
  return Number(BigInt(one.offset) - BigInt(other.offset));
}

/** The input that came first. */
function firstInput({ inputs }: Run): { topic: string; partition: number; offset: string } | undefined {
  return inputs.valueSeq().minBy(({ at }) => at);
}

/** Which of the ready runs of a job starts first. */
import { offsetOf } from '../../core/record-ref.ts';
import type { MessageRef } from '../../messages/types.ts';
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

/** Messages that are read together open runs in one millisecond: those of one partition have come in the order of their offsets. */
function byArrival(a: Run, b: Run): number {
  return a.firstInputAt - b.firstInputAt || byPlace(firstInput(a), firstInput(b)) || byText(a.key, b.key);
}

type Place = Pick<MessageRef, 'topic' | 'partition' | 'offset'>;

/** Of runs that no message has opened all have one place. */
const NO_PLACE: Place = { topic: '', partition: 0, offset: '0' };

function byPlace(a: Place, b: Place): number {
  return byText(a.topic, b.topic) || a.partition - b.partition || Number(offsetOf(a) - offsetOf(b));
}

function byText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** The input that came first. */
function firstInput({ inputs }: Run): Place {
  return inputs.valueSeq().min((a, b) => a.at - b.at || byPlace(a, b)) ?? NO_PLACE;
}

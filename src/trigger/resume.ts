import { lastHeader } from '../core/headers.ts';
import { UserError } from '../core/errors.ts';
import { type RecordRef, recordRef } from '../core/record-ref.ts';
import type { Kafka } from '../kafka/port.ts';
import { readUntilNow } from '../kafka/read-until-now.ts';
import { BACKFILL_HEADER, PLAN_HEADER, backfillBegan, readMark } from './mark.ts';
import { type RangePlan, readPlan } from './range-plan.ts';

/** A broker's clock may go before ours by so much, milliseconds. */
const SKEW = 3_600_000;

/** What the topic knows of a backfill. */
export interface FoundBackfill {
  id: string;
  total: number;
  /** Where each event is that was published, by its number. */
  published: Map<number, RecordRef>;
  /** null: it is of a file. */
  plan: RangePlan | null;
}

/**
 * Finds a backfill by the headers of its events.
 *
 * @throws UserError where the topic has no event of it
 */
export async function findBackfill(
  kafka: Pick<Kafka, 'offsets' | 'offsetsAt' | 'reader'>,
  topic: string,
  id: string,
): Promise<FoundBackfill> {
  const began = backfillBegan(id);
  if (began === undefined) {
    throw new UserError(`--resume ${id} is not the id of a backfill`, {
      why: 'An id looks like 20170428T155546Z-k3x9. hippo trigger prints it, and the header hippo-backfill of each of its events contains it.',
    });
  }
  const others = new Set<string>();
  let found: FoundBackfill | undefined;
  await readUntilNow(kafka, topic, began - SKEW, (record) => {
    const { headers } = record;
    const mark = readMark(lastHeader(headers, BACKFILL_HEADER)?.toString() ?? '');
    if (mark === undefined) return;
    if (mark.id !== id) {
      others.add(mark.id);
      return;
    }
    const plan = lastHeader(headers, PLAN_HEADER);
    found ??= { id, total: mark.total, published: new Map(), plan: null };
    found.plan ??= plan === undefined ? null : (readPlan(plan.toString()) ?? null);
    if (!found.published.has(mark.n)) found.published.set(mark.n, recordRef(record));
  });
  if (found !== undefined) return found;
  const recent = [...others].sort().slice(-3);
  throw new UserError(`${topic} has no event of the backfill ${id}`, {
    why:
      recent.length === 0
        ? `It has no event of any backfill since ${new Date(began).toISOString()}.`
        : `It has events of ${recent.join(', ')}.`,
    next: recent.map((other) => `hippo trigger --resume ${other}`),
  });
}

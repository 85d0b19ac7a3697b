/** Alerts of rights that this hippo's user does not have: of each topic one, until it may read or write it. */
import { raise, resolve } from './alerts.ts';
import type { Draft } from './draft.ts';
import type { DeniedRight } from './types.ts';

/**
 * @param rights all that are known to be missing
 * @param isComplete there are no more: an alert whose right is not among them is over
 */
export function takeRights(draft: Draft, rights: readonly DeniedRight[], isComplete: boolean): void {
  for (const { topic, text, next } of rights)
    raise(draft, { condition: 'denied', subject: topic, text, next });
  if (!isComplete) return;
  const missing = new Set(rights.map(({ topic }) => topic));
  for (const { condition, subject, resolvedAt } of draft.state.alerts.values()) {
    if (condition !== 'denied' || resolvedAt !== undefined || missing.has(subject)) continue;
    resolve(draft, { condition, subject }, `Kafka does not deny ${subject} any more`);
  }
}

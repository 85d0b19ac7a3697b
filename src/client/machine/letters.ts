/** Alerts of dead letters: one for each topic of which records are rejected, until none has been for a while. */
import type { Millis } from '../../core/clock.ts';
import { formatDuration } from '../../core/duration.ts';
import type { AlertState } from '../../state/index.ts';
import { type Cause, cut, openAlert, raise, resolve } from './alerts.ts';
import type { Draft } from './draft.ts';
import type { Rejected } from './types.ts';

/** A record was rejected. While the alert is open it counts them, and no message is published again. */
export function takeRejected(draft: Draft, { topic, reason }: Rejected): void {
  const quiet = draft.definition.alerts?.lettersQuiet;
  if (quiet === undefined) return;
  const cause = causeOf(topic);
  const id = openAlert(draft.state, cause);
  const known = id === undefined ? undefined : draft.state.alerts.get(id);
  const count = (known?.count ?? 0) + 1;
  const counted = { count, last: draft.at, text: cut(textOf(topic, count, reason)) };
  if (id === undefined || known === undefined)
    raise(draft, { ...cause, ...counted, next: [`hippo replay ${topic} --dry-run`] });
  else draft.putAlert(id, { ...known, ...counted });
  draft.wakeBy(draft.at + quiet);
}

function textOf(topic: string, count: number, reason: string): string {
  return count === 1
    ? `a record of ${topic} was rejected, and is a dead letter now: ${reason}`
    : `${count} records of ${topic} were rejected, and are dead letters now; the last: ${reason}`;
}

/** Ends the alerts of topics of which no record has been rejected for long enough. */
export function endLetters(draft: Draft): void {
  const quiet = draft.definition.alerts?.lettersQuiet;
  if (quiet === undefined) return;
  for (const [, { subject, count = 0, last = 0 }] of openLetters(draft)) {
    if (last + quiet > draft.at) continue;
    const all = count === 1 ? 'one was' : `${count} were`;
    const over = `no record of ${subject} has been rejected for ${formatDuration(quiet)}; ${all} before`;
    resolve(draft, causeOf(subject), over);
  }
}

/** When the next such alert ends; Infinity: none does. */
export function nextLettersEnd(draft: Draft): Millis {
  const quiet = draft.definition.alerts?.lettersQuiet ?? Infinity;
  return Math.min(Infinity, ...openLetters(draft).map(([, { last = 0 }]) => last + quiet));
}

/** The clock was set: the time that has really passed since the last dead letter is the same. */
export function shiftLetters(draft: Draft, by: Millis): void {
  for (const [id, alert] of openLetters(draft))
    draft.putAlert(id, { ...alert, last: (alert.last ?? draft.at) + by });
}

/** After a takeover: the clock of the previous owner may have been ahead of this one. */
export function followLetters(draft: Draft): void {
  for (const [id, alert] of openLetters(draft))
    if ((alert.last ?? 0) > draft.at) draft.putAlert(id, { ...alert, last: draft.at });
  draft.wakeBy(nextLettersEnd(draft));
}

function openLetters({ state }: Draft): [id: string, alert: AlertState][] {
  return [...state.alerts].filter(
    ([, { condition, resolvedAt }]) => condition === 'dead-letters' && resolvedAt === undefined,
  );
}

function causeOf(topic: string): Cause {
  return { condition: 'dead-letters', subject: topic };
}

/** Alerts of pauses that were forgotten: what is paused for long, and when it is resumed. */
import type { Millis } from '../../core/clock.ts';
import { formatDuration } from '../../core/duration.ts';
import type { Pause } from '../../state/index.ts';
import { raise, resolve } from './alerts.ts';
import type { Definition } from './definition.ts';
import type { Draft } from './draft.ts';

/** Raises the alerts of pauses that are long by now. */
export function alertPauses(draft: Draft): void {
  for (const [name, pause] of draft.state.pauses) {
    if (!isKnown(draft.definition, name) || longSince(draft.definition, pause) > draft.at) continue;
    const { by = 'hand', reason } = pause;
    const why = reason === undefined ? '' : `: ${reason}`;
    const { hippo, alerts } = draft.definition;
    raise(draft, {
      condition: 'paused',
      subject: name,
      since: pause.at,
      text: `${name} has been paused for more than ${formatDuration(alerts?.pausedAfter ?? 0)}, by ${by}${why}`,
      next: [`hippo job resume ${hippo}/${name}`],
    });
  }
}

/** When the next pause becomes long; Infinity: none does. */
export function nextLongPause({ definition, state, at }: Draft): Millis {
  const times = [...state.pauses.values()].map((pause) => longSince(definition, pause));
  return Math.min(Infinity, ...times.filter((time) => time > at));
}

/** After a step: what it has resumed alerts no more, and what it has paused is looked at in time. */
export function followPauses(draft: Draft): void {
  for (const { condition, subject, resolvedAt } of draft.state.alerts.values()) {
    if (condition !== 'paused' || resolvedAt !== undefined) continue;
    if (!isKnown(draft.definition, subject))
      resolve(draft, { condition, subject }, `hippo.yaml does not have ${subject} any more`);
    else if (!draft.state.pauses.has(subject))
      resolve(draft, { condition, subject }, `${subject} was resumed`);
  }
  draft.wakeBy(nextLongPause(draft));
}

function longSince({ alerts }: Definition, { at }: Pause): Millis {
  return alerts?.pausedAfter === undefined ? Infinity : at + alerts.pausedAfter;
}

function isKnown({ jobs, sources, services }: Definition, name: string): boolean {
  return jobs.has(name) || sources.has(name) || services.has(name);
}

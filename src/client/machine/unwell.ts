/** Alerts of services that keep ending, and of those that are given up. A service has one of them at a time. */
import type { AlertCondition } from '../../messages/types.ts';
import { isAlerting, raise, resolve } from './alerts.ts';
import type { Draft } from './draft.ts';
import type { ServiceTold } from './types.ts';

const CONDITIONS = ['crash-loop', 'gave-up'] as const satisfies AlertCondition[];

/** The owner's client says how a service is. Said again, it changes nothing. */
export function takeService(draft: Draft, { service, condition, text }: ServiceTold): void {
  // A word from before the pause may come after it.
  if (!draft.definition.services.has(service) || draft.state.pauses.has(service)) return;
  if (condition === 'fine') {
    endAll(draft, service, text);
    return;
  }
  // Started again by another client, or after a resume, it has not been well since it was given up.
  if (isAlerting(draft.state, { condition: 'gave-up', subject: service })) return;
  if (condition === 'gave-up') resolve(draft, { condition: 'crash-loop', subject: service }, text);
  const { hippo } = draft.definition;
  const next = `hippo job ${condition === 'gave-up' ? 'resume' : 'pause'} ${hippo}/${service}`;
  raise(draft, { condition, subject: service, text, next: [next] });
}

/** After a step: the alerts of what is paused, or not in hippo.yaml any more, are over. */
export function followServices(draft: Draft): void {
  for (const { condition, subject, runKey, resolvedAt } of draft.state.alerts.values()) {
    if (resolvedAt !== undefined || runKey !== undefined || !isOfService(condition)) continue;
    if (!draft.definition.services.has(subject))
      endAll(draft, subject, `hippo.yaml does not have ${subject} any more`);
    else if (draft.state.pauses.has(subject)) endAll(draft, subject, `${subject} was paused`);
  }
}

function isOfService(condition: AlertCondition): boolean {
  return CONDITIONS.some((each) => each === condition);
}

function endAll(draft: Draft, service: string, over: string): void {
  for (const condition of CONDITIONS) resolve(draft, { condition, subject: service }, over);
}

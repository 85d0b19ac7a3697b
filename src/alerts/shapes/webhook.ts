import { type Json, type JsonObject, parsePlainJson } from '../../core/json.ts';
import { isoTime } from '../../core/clock.ts';
import { plainText, summarize } from '../summary.ts';
import type { Delivery, ToldAlert } from '../types.ts';
import type { BodyTemplate } from './template.ts';

/** What a webhook gets without a template, and what a template may name. */
export function webhookContext(delivery: Delivery): JsonObject {
  const { hippo, alerts, isTest } = delivery;
  const summary = summarize(delivery);
  return {
    hippo,
    title: summary.title,
    text: plainText(summary),
    state: alerts.some(({ state }) => state === 'firing') ? 'firing' : 'resolved',
    test: isTest,
    alerts: alerts.map(alertJson),
  };
}

/** @throws Error where the template does not come to JSON, which the check of hippo.yaml rules out */
export function webhookBody(delivery: Delivery, template: BodyTemplate | null): Json {
  const context = webhookContext(delivery);
  return template === null ? context : (parsePlainJson(template.render(context)) as Json);
}

function alertJson(alert: ToldAlert): JsonObject {
  const { id, state, condition, subject, runKey, since, resolvedAt, text, next } = alert;
  return {
    id,
    state,
    condition,
    subject,
    run_key: runKey,
    since: isoTime(since),
    resolved_at: resolvedAt === null ? null : isoTime(resolvedAt),
    text,
    next: [...next],
  };
}

import { type Millis, isoTime } from '../../core/clock.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Delivery, ToldAlert } from '../types.ts';

/** How often what fires is sent again. Alertmanager takes an alert that is not sent again for one that is over. */
export const REPEAT: Millis = 60_000;
/** An alert that fires ends by itself so long after it was last sent: a few may be lost. */
const LASTS: Millis = 5 * REPEAT;

/**
 * Alerts for `POST /api/v2/alerts`. The labels name an alert: an alert that comes again has the same ones, so that Alertmanager
 * groups, silences and deduplicates by them. https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
 */
export function alertmanagerBody({ hippo, at, alerts, isTest }: Delivery): JsonObject[] {
  const named = alerts.map((alert) => ({ alert, labels: labelsOf(hippo, alert, isTest) }));
  const firing = new Set(
    named.flatMap(({ alert, labels }) => (alert.state === 'firing' ? [nameOf(labels)] : [])),
  );
  return (
    named
      // The end of an earlier occurrence would end the present one, which has the same labels.
      .filter(({ alert, labels }) => alert.state === 'firing' || !firing.has(nameOf(labels)))
      .map(({ alert: { since, resolvedAt, text, next }, labels }) => ({
        labels,
        annotations: {
          summary: text,
          ...(next.length === 0 ? {} : { next: next.join('\n') }),
        },
        startsAt: isoTime(since),
        endsAt: isoTime(resolvedAt ?? at + LASTS),
      }))
  );
}

function labelsOf(hippo: string, { condition, subject, runKey }: ToldAlert, isTest: boolean): JsonObject {
  return {
    alertname: `hippo-${condition}`,
    hippo,
    condition,
    subject,
    ...(runKey === null ? {} : { run_key: runKey }),
    ...(isTest ? { test: 'true' } : {}),
  };
}

function nameOf(labels: JsonObject): string {
  return JSON.stringify(labels);
}

import { type Millis, isoTime } from '../../core/clock.ts';
import { type Route, json, text } from '../../http/index.ts';
import { type ClientStatus, isReady } from './status.ts';

/**
 * - `/healthz`: 200 while the process can answer
 * - `/readyz`: 200 as owner or standby with a connection to Kafka whose services with `scope: each` are ready, else 503
 * - `/metrics`: Prometheus text
 */
export function healthRoutes(
  status: () => ClientStatus,
  metrics: () => Promise<{ contentType: string; text: string }>,
): Route[] {
  return [
    { method: 'GET', path: '/healthz', handle: () => json({ status: 'ok' }) },
    {
      method: 'GET',
      path: '/readyz',
      handle: () => {
        const now = status();
        return json(readable(now), isReady(now) ? 200 : 503);
      },
    },
    {
      method: 'GET',
      path: '/metrics',
      handle: async () => {
        const rendered = await metrics();
        return text(rendered.text, rendered.contentType);
      },
    },
  ];
}

/** With its times in ISO 8601. */
function readable(status: ClientStatus) {
  const { services, last_finish: lastFinish, sources, receivers } = status;
  return {
    ...status,
    services: services.map((service) => ({ ...service, since: isoTime(service.since) })),
    last_finish: timeOf(lastFinish),
    sources: sources.map(({ last_scan: scan, ...source }) => ({
      ...source,
      last_scan: scan === null ? null : { ...scan, at: isoTime(scan.at) },
    })),
    receivers: receivers.map((receiver) => ({
      ...receiver,
      failing_since: timeOf(receiver.failing_since),
    })),
  };
}

function timeOf(at: Millis | null): string | null {
  return at === null ? null : isoTime(at);
}

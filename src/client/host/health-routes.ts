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
        return json(now, isReady(now) ? 200 : 503);
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

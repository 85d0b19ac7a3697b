/** Prometheus metrics of one application. */
import type { Gauge, Histogram, Registry } from 'prom-client';

export interface AppMetrics {
  /** Where further metrics are registered. */
  readonly registry: Registry;
  /** One request has ended. */
  observe(request: { method: string; route: string; status: number; seconds: number }): void;
  /** How many requests are being answered. */
  readonly running: Gauge;
}

/** From half a millisecond on: a prediction takes less than one. */
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

export async function createAppMetrics(): Promise<AppMetrics> {
  // A CommonJS module: the bundle has it as `default` only.
  const { default: prometheus } = await import('prom-client');
  const registry = new prometheus.Registry();
  prometheus.collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const seconds = new prometheus.Histogram({
    name: 'hippo_http_request_duration_seconds',
    help: 'How long requests took, by method, route and status.',
    labelNames: ['method', 'route', 'status'],
    buckets: BUCKETS,
    registers,
  });
  const running = new prometheus.Gauge({
    name: 'hippo_http_requests_running',
    help: 'Requests that are being answered.',
    registers,
  });
  const children = new Map<string, Histogram.Internal<'method' | 'route' | 'status'>>();
  return {
    registry,
    running,
    observe({ method, route, status, seconds: took }) {
      // Finding a child by its labels takes longer than all else here.
      const key = `${method} ${route} ${status}`;
      let child = children.get(key);
      if (child === undefined) children.set(key, (child = seconds.labels(method, route, String(status))));
      child.observe(took);
    },
  };
}

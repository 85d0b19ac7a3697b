/** The routes by which others tell how the process is. They are answered without a key, whatever the load is. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { HttpProblem } from '../reply.ts';
import { isLoopback } from './loopback.ts';
import type { AppMetrics } from './metrics.ts';

export interface Readiness {
  isReady: boolean;
  /** Told in the body of /readyz, besides `ready`. */
  body: Readonly<Record<string, unknown>>;
  headers?: Readonly<Record<string, string>>;
}

export interface HealthParts {
  readiness: () => Readiness;
  isDraining: () => boolean;
  metrics: AppMetrics;
  hasKeys: boolean;
}

const ANSWERED = { isAlwaysAnswered: true, isOpen: true, rateLimit: false as const };
const OBJECT = { type: 'object', additionalProperties: true };
const of = (schema: object, description: string): object => ({
  description,
  content: { 'application/json': { schema } },
});

export function addHealth(
  app: FastifyInstance,
  { readiness, isDraining, metrics, hasKeys }: HealthParts,
): void {
  app.get(
    '/healthz',
    {
      config: ANSWERED,
      schema: {
        tags: ['health'],
        summary: 'Whether the process answers.',
        response: { 200: of(OBJECT, 'It does') },
      },
    },
    () => ({ status: 'ok' }),
  );
  app.get(
    '/readyz',
    {
      config: ANSWERED,
      schema: {
        tags: ['health'],
        summary: 'Whether requests should be sent here.',
        response: { 200: of(OBJECT, 'Ready'), 503: of(OBJECT, 'Not ready; the body says why') },
      },
    },
    (_, reply) => {
      const { isReady, body, headers } = readiness();
      const isTaking = isReady && !isDraining();
      void reply.code(isTaking ? 200 : 503).headers(headers ?? {});
      return { ready: isTaking, ...(isDraining() && { draining: true }), ...body };
    },
  );
  app.get(
    '/metrics',
    {
      config: ANSWERED,
      schema: {
        tags: ['health'],
        summary: 'Metrics in the text format of Prometheus.',
        response: { 200: { description: 'OK', content: { 'text/plain': { schema: { type: 'string' } } } } },
      },
    },
    async (request, reply) => {
      if (hasKeys) requireLocalOrKey(request);
      void reply.type(metrics.registry.contentType);
      return metrics.registry.metrics();
    },
  );
}

/** Metrics name models and routes, so another machine needs a key for them. */
function requireLocalOrKey(request: FastifyRequest): void {
  if (isLoopback(request.ip) || request.caller !== null) return;
  throw new HttpProblem(401, 'from another machine /metrics needs a key', { 'www-authenticate': 'Bearer' });
}

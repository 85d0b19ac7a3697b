/** What one request, one caller and the process may take. */
import underPressure from '@fastify/under-pressure';
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { HttpProblem } from '../reply.ts';

export interface AppLimits {
  /** Bytes of a request's body. */
  body: number;
  /** Milliseconds for a client to send its request. */
  receive: number;
  /** Milliseconds for a handler to answer. */
  answer: number;
  /** Requests a second of one key, or of one address where there are no keys. */
  rate: number;
  /** Milliseconds by which the event loop may be late, on average over a second, before requests are refused with 503. */
  lateness: number;
  /** Milliseconds between the 503 of /readyz and the end of listening, for load balancers to notice. */
  notice: number;
  /** Milliseconds that running requests have left after that. */
  drain: number;
}

export const DEFAULT_LIMITS: AppLimits = {
  body: 2 ** 20,
  receive: 10_000,
  answer: 10_000,
  rate: 2_000,
  lateness: 500,
  notice: 250,
  drain: 8_000,
};

/** So many callers are counted at once: of more, the one that was counted longest ago is forgotten. */
const CALLERS = 10_000;
const SECOND = 1_000;

/** Refuses with 429 who asks too often, and with 503 what the process cannot keep up with. Health and metrics are always answered. */
export async function limitRequests(app: FastifyInstance, limits: AppLimits): Promise<void> {
  await app.register(underPressure, {
    maxEventLoopDelay: limits.lateness,
    sampleInterval: SECOND,
    pressureHandler: (request) => {
      if (isAlwaysAnswered(request)) return;
      throw new HttpProblem(503, 'the service has more requests than it can answer in time', {
        'retry-after': '1',
      });
    },
  });
  await app.register(rateLimit, {
    max: limits.rate,
    timeWindow: SECOND,
    cache: CALLERS,
    keyGenerator: (request) => request.caller ?? request.ip,
    errorResponseBuilder: () =>
      new HttpProblem(429, `more than ${limits.rate} requests in a second`, { 'retry-after': '1' }),
    addHeaders: NO_HEADERS,
    addHeadersOnExceeding: NO_HEADERS,
  });
}

/** 429 has retry-after; the other answers need not be longer. */
const NO_HEADERS = {
  'x-ratelimit-limit': false,
  'x-ratelimit-remaining': false,
  'x-ratelimit-reset': false,
};

function isAlwaysAnswered(request: FastifyRequest): boolean {
  return request.routeOptions.config.isAlwaysAnswered === true;
}

/** What one request, one caller and the process may take. */
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
  lateness: 1_000,
  notice: 250,
  drain: 8_000,
};

/** So many callers are counted at once: of more, the one that was counted longest ago is forgotten. */
const CALLERS = 10_000;
const SECOND = 1_000;

/** 429 has retry-after; the other answers need not be longer. */
const NO_HEADERS = {
  'x-ratelimit-limit': false,
  'x-ratelimit-remaining': false,
  'x-ratelimit-reset': false,
};

/** Refuses with 429 who asks too often, and with 503 what the process cannot keep up with. Health and metrics are always answered. */
export async function limitRequests(app: FastifyInstance, limits: AppLimits): Promise<void> {
  const lateness = new Lateness();
  app.addHook('onClose', (_, done) => {
    lateness.stop();
    done();
  });
  app.addHook('onRequest', (request, _, done) => {
    if (lateness.millis > limits.lateness && !isAlwaysAnswered(request))
      throw new HttpProblem(503, 'the service has more requests than it can answer in time', {
        'retry-after': '1',
      });
    done();
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

function isAlwaysAnswered(request: FastifyRequest): boolean {
  return request.routeOptions.config.isAlwaysAnswered === true;
}

/** Between two looks at the clock, milliseconds. */
const LOOK = 100;
/** Of the newest look; so that the average is of about a second. */
const WEIGHT = 0.1;

/**
 * By how much timers are late, on average. A process that is given more than it can do is late again and again; a single stall (a
 * collection of garbage, a machine that is busy with something else) does not count for much. @fastify/under-pressure takes a
 * second in which it could not look for an infinite delay, and refuses requests for the next one.
 */
class Lateness {
  millis = 0;
  #looked = performance.now();
  readonly #timer = setInterval(() => {
    const now = performance.now();
    this.millis += WEIGHT * (Math.max(0, now - this.#looked - LOOK) - this.millis);
    this.#looked = now;
  }, LOOK).unref();

  stop(): void {
    clearInterval(this.#timer);
  }
}

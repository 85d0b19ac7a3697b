/** Who may ask, and how often. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { HttpProblem } from './reply.ts';
import type { HttpRequest } from './route.ts';

/**
 * Lets requests through that have `authorization: Bearer TOKEN` (RFC 6750). The comparison takes the same time for each wrong
 * token, and wrong tokens have a limit of their own: who guesses does not keep out who knows.
 */
export class BearerToken {
  readonly #token: () => Promise<string>;
  readonly #wrong = new RateLimit(10);

  /** @param token asked for with each request; what it throws is thrown by {@link require} */
  constructor(token: () => Promise<string>) {
    this.#token = token;
  }

  /** @throws HttpProblem 401 without the token; 429 when wrong ones come too fast */
  async require({ headers }: Pick<HttpRequest, 'headers'>): Promise<void> {
    const [, given] = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '') ?? [];
    if (given !== undefined && isSame(given, await this.#token())) return;
    this.#wrong.take('too many requests without the right token');
    const challenge = given === undefined ? 'Bearer' : 'Bearer error="invalid_token"';
    const detail = given === undefined ? 'this needs a bearer token' : 'the bearer token is wrong';
    throw new HttpProblem(401, detail, { 'www-authenticate': challenge });
  }
}

/** So many requests a second, and as many at once after a second without any. */
export class RateLimit {
  readonly #perSecond: number;
  #left: number;
  #at = performance.now();

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#left = perSecond;
  }

  /** @throws HttpProblem 429, with when to try again */
  take(detail: string): void {
    const now = performance.now();
    this.#left = Math.min(this.#perSecond, this.#left + ((now - this.#at) / 1000) * this.#perSecond);
    this.#at = now;
    if (this.#left < 1) throw new HttpProblem(429, detail, { 'retry-after': '1' });
    this.#left -= 1;
  }
}

/** The digests have one length, whatever was given. */
function isSame(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

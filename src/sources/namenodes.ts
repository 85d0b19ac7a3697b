/** The NameNodes of an HDFS, by WebHDFS: one of them is active. */
import type { Millis } from '../core/clock.ts';
import { Retry } from '../core/deadline.ts';
import { formatDuration } from '../core/duration.ts';
import { type JsonObject, isJsonObject, tryParseJson } from '../core/json.ts';
import { said } from '../core/said.ts';
import { networkReason } from '../core/network-reason.ts';

export interface NameNodesOptions {
  /** `http://host:9870`, …; one of them is active. */
  addresses: readonly string[];
  /** The `user.name` of Hadoop's simple authentication. */
  user: string;
  /** Milliseconds for one request. */
  timeout: Millis;
}

/** No NameNode has answered as the active one: nothing is known. Asking again may help. */
export class SilentError extends Error {}

/** The active NameNode refuses the request, so another try fails in the same way. */
export class RefusedError extends Error {
  /** The class of Hadoop's exception, e.g. `AccessControlException`; empty: it has not answered as WebHDFS does. */
  readonly exception: string;

  constructor(exception: string, message: string) {
    super(message);
    this.exception = exception;
  }
}

export interface Question {
  /** From the root on, as text: it is encoded here. */
  path: string;
  op: string;
  query?: Readonly<Record<string, string>>;
}

/** What a NameNode says that cannot answer now: a standby, one that starts, an observer that lags. */
const NOT_NOW = [
  'StandbyException',
  'RetriableException',
  'SafeModeException',
  'ObserverRetryOnActiveException',
];
/** A failover takes a moment, in which none is active. */
const ROUNDS = 3;
const BETWEEN_ROUNDS = { first: 500, most: 2_000 };

/**
 * The one that answered last is asked first.
 *
 * Every method throws {@link SilentError} or {@link RefusedError}, or the reason of the signal that has called it off.
 */
export class NameNodes {
  readonly #options: NameNodesOptions;
  #addresses: readonly string[];

  constructor(options: NameNodesOptions) {
    this.#options = options;
    this.#addresses = options.addresses;
  }

  get user(): string {
    return this.#options.user;
  }

  /** @returns null where there is no such path */
  async ask(question: Question, signal: AbortSignal): Promise<JsonObject | null> {
    const retry = new Retry(BETWEEN_ROUNDS);
    for (let round = 1; ; round += 1) {
      const silent: string[] = [];
      for (const address of this.#addresses) {
        try {
          const answer = await this.#request(address, question, signal);
          this.#prefer(address);
          return answer;
        } catch (error) {
          signal.throwIfAborted();
          if (error instanceof RefusedError) {
            this.#prefer(address);
            throw new RefusedError(error.exception, `${address}: ${error.message}`);
          }
          silent.push(`${address}: ${networkReason(error)}`);
        }
      }
      if (round === ROUNDS) throw new SilentError(silent.join('; '));
      await retry.pause(signal);
      signal.throwIfAborted();
    }
  }

  #prefer(address: string): void {
    if (this.#addresses[0] === address) return;
    this.#addresses = [address, ...this.#addresses.filter((other) => other !== address)];
  }

  async #request(
    address: string,
    { path, op, query }: Question,
    signal: AbortSignal,
  ): Promise<JsonObject | null> {
    const { user, timeout } = this.#options;
    const late = AbortSignal.timeout(timeout);
    const parameters = Object.entries({ op, ...query, 'user.name': user })
      .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
      .join('&');
    const encoded = path.split('/').map(encodeURIComponent).join('/');
    try {
      const response = await fetch(`${address.replace(/\/$/, '')}/webhdfs/v1${encoded}?${parameters}`, {
        headers: { accept: 'application/json' },
        redirect: 'manual',
        signal: AbortSignal.any([signal, late]),
      });
      return answerOf(response.status, await response.text());
    } catch (error) {
      if (late.aborted) throw new Error(`no answer within ${formatDuration(timeout)}`, { cause: error });
      throw error;
    }
  }
}

/** @throws RefusedError, or an error that says why it cannot answer now */
function answerOf(status: number, text: string): JsonObject | null {
  const body = tryParseJson(text);
  if (status === 200 && isJsonObject(body)) return body;
  const remote = isJsonObject(body) ? body['RemoteException'] : undefined;
  const { exception, message } = isJsonObject(remote) ? remote : {};
  const words = said(message ?? (body === undefined ? '' : text));
  if (typeof exception !== 'string') {
    // What stands in between answers so, and a NameNode that starts.
    if (status >= 500) throw new Error(`status ${status}${words}`);
    if (status === 401)
      throw new RefusedError('', 'status 401: it asks for Kerberos, which hippo does not speak');
    throw new RefusedError('', `status ${status}, and not what WebHDFS answers${words}`);
  }
  if (exception === 'FileNotFoundException') return null;
  if (NOT_NOW.includes(exception)) throw new Error(`${exception}${words}`);
  if (status >= 500) throw new Error(`status ${status} ${exception}${words}`);
  throw new RefusedError(exception, `status ${status} ${exception}${words}`);
}

import { type Json, isJsonObject, tryParseJson } from '../../../core/json.ts';
import { networkReason } from '../../../core/network-reason.ts';
import { said } from '../../../core/said.ts';
import { type Application, isApplicationId, readApplication } from './application.ts';

export interface ResourceManagersOptions {
  /** `http://host:8088`, …; one of them is active. */
  addresses: readonly string[];
  /** The `user.name` of Hadoop's simple authentication. */
  user: string;
  /** Milliseconds for one request. */
  timeout: number;
}

/** No resource manager has answered: nothing is known. Asking again may help. */
export class SilentError extends Error {}

/** A resource manager has answered, and refuses the request, so another try fails in the same way. */
export class ManagerRefusedError extends Error {}

interface Answer {
  status: number;
  body: Json | undefined;
}

interface Question {
  method: 'GET' | 'PUT';
  path: string;
  query?: Record<string, string>;
  body?: Json;
}

/**
 * The REST API of YARN's resource managers. A standby's redirect is followed, and the one that answered last is asked first.
 *
 * Every method throws {@link SilentError} or {@link ManagerRefusedError}, or the reason of the signal that has called it off.
 */
export class ResourceManagers {
  readonly #options: ResourceManagersOptions;
  #addresses: readonly string[];

  constructor(options: ResourceManagersOptions) {
    this.#options = options;
    this.#addresses = options.addresses;
  }

  get addresses(): readonly string[] {
    return this.#options.addresses;
  }

  /** All applications with this tag that are remembered: those at work, and the last thousands that have ended. */
  async tagged(tag: string, signal: AbortSignal): Promise<Application[]> {
    const { status, body } = await this.#ask(signal, {
      method: 'GET',
      path: '/ws/v1/cluster/apps',
      query: { applicationTags: tag },
    });
    if (status !== 200) throw this.#refused(status, body);
    // A manager that loses the filter (Hadoop 2's standby drops it from its redirect) would name everybody's applications.
    return listOf(body).filter(({ tags }) => tags.includes(tag));
  }

  /** @returns null when the resource manager knows no such application */
  async find(id: string, signal: AbortSignal): Promise<Application | null> {
    const { status, body } = await this.#ask(signal, {
      method: 'GET',
      path: `/ws/v1/cluster/apps/${checked(id)}`,
    });
    if (status === 404) return null;
    const application = isJsonObject(body) ? readApplication(body['app']) : null;
    if (status !== 200 || application === null) throw this.#refused(status, body);
    return application;
  }

  /** Asks for an application's end, which comes later; one that has ended already, or is not known, is left alone. */
  async kill(id: string, signal: AbortSignal): Promise<void> {
    const path = `/ws/v1/cluster/apps/${checked(id)}/state`;
    const { status, body } = await this.#ask(signal, { method: 'PUT', path, body: { state: 'KILLED' } });
    if (status !== 200 && status !== 202 && status !== 404) throw this.#refused(status, body);
  }

  async #ask(signal: AbortSignal, question: Question): Promise<Answer> {
    const parameters = new URLSearchParams({ ...question.query, 'user.name': this.#options.user });
    const resource = `${question.path}?${parameters.toString()}`;
    const silent: string[] = [];
    for (const address of this.#addresses) {
      try {
        const answer = await this.#request(signal, address, { ...question, resource });
        this.#addresses = [address, ...this.#addresses.filter((other) => other !== address)];
        return answer;
      } catch (error) {
        signal.throwIfAborted();
        silent.push(`${address}: ${whyOf(error)}`);
      }
    }
    throw new SilentError(silent.join('; '));
  }

  async #request(
    signal: AbortSignal,
    address: string,
    { method, resource, body }: Question & { resource: string },
  ): Promise<Answer> {
    const send = (base: string): Promise<Response> =>
      fetch(new URL(base.replace(/\/$/, '') + resource), {
        method,
        headers: {
          accept: 'application/json',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        redirect: 'manual',
        signal: AbortSignal.any([signal, AbortSignal.timeout(this.#options.timeout)]),
      });
    let response = await send(address);
    if (response.status === 307) {
      // Only where to is the standby's to say: Hadoop 2 loses the query on the way.
      const active = new URL(response.headers.get('location') ?? '', address).origin;
      await response.body?.cancel();
      response = await send(active);
    }
    const text = await response.text();
    const parsed = tryParseJson(text);
    // While none is active, a standby says so in plain words and with status 200; what stands in between has other words.
    const forbidden = response.status === 401 || response.status === 403;
    if (response.status >= 500 || response.status === 429 || (parsed === undefined && !forbidden)) {
      throw new Error(`status ${response.status}${said(text)}`);
    }
    return { status: response.status, body: parsed };
  }

  #refused(status: number, body: Json | undefined): ManagerRefusedError {
    const exception = isJsonObject(body) ? body['RemoteException'] : undefined;
    const message = isJsonObject(exception) ? exception['message'] : undefined;
    const kerberos = status === 401 ? ' (hippo does not speak Kerberos)' : '';
    const { user } = this.#options;
    return new ManagerRefusedError(
      `${this.#addresses[0] ?? ''} answers ${status} to user ${user}${kerberos}${said(message)}`,
    );
  }
}

/** `{"apps":{"app":[…]}}`; without any, `apps` is null (Hadoop 2) or empty. */
function listOf(body: Json | undefined): Application[] {
  const apps = isJsonObject(body) ? body['apps'] : undefined;
  const list = isJsonObject(apps) ? apps['app'] : undefined;
  return [list]
    .flat()
    .map(readApplication)
    .filter((application) => application !== null);
}

function checked(id: string): string {
  if (!isApplicationId(id)) throw new ManagerRefusedError(`${JSON.stringify(id)} is not an application id`);
  return id;
}

function whyOf(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return 'no answer in time';
  return networkReason(error);
}

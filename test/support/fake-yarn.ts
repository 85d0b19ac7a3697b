/**
 * Two resource managers of a YARN cluster, as far as their REST API goes: applications by tag and by id, their states, and a
 * standby that points to the active one. What the answers look like is Hadoop's
 * (https://hadoop.apache.org/docs/stable/hadoop-yarn/hadoop-yarn-site/ResourceManagerRest.html).
 *
 * A spark-submit submits here by `POST /submit`: Hadoop's own clients use another protocol for that.
 */
import { once } from 'node:events';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeApplication {
  id: string;
  state: string;
  finalStatus: string;
  tags: string[];
  diagnostics: string;
}

const STARTED = 1_700_000_000_000;
const USER = 'etl';

export class FakeYarn {
  readonly applications: FakeApplication[] = [];
  /** What was asked of the active manager: `GET /ws/v1/cluster/apps?applicationTags=…`. */
  readonly requests: string[] = [];
  /** `down`: connections break; `hangs`: no answer comes; `no-active`: both managers are standbys. */
  condition: 'up' | 'down' | 'hangs' | 'no-active' = 'up';
  /** Hadoop 2's standby forgets the query when it points to the active manager. */
  losesQuery = false;
  /** An application that is asked to end does so; else it stays as it is. */
  mortal = true;
  readonly #active = createServer((request, response) => void this.#answer(request, response));
  readonly #standby = createServer((request, response) => this.#redirect(request, response));

  static async start(): Promise<FakeYarn> {
    const yarn = new FakeYarn();
    for (const server of [yarn.#active, yarn.#standby]) {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
    }
    return yarn;
  }

  get url(): string {
    return addressOf(this.#active);
  }

  get standby(): string {
    return addressOf(this.#standby);
  }

  get ids(): string[] {
    return this.applications.map(({ id }) => id);
  }

  submit(tags: readonly string[], state = 'RUNNING'): FakeApplication {
    const application = {
      id: `application_${STARTED}_${String(this.applications.length + 1).padStart(4, '0')}`,
      state,
      finalStatus: 'UNDEFINED',
      tags: tags.map((tag) => tag.toLowerCase()),
      diagnostics: '',
    };
    this.applications.push(application);
    return application;
  }

  /** The application comes to its end. */
  end(id: string, finalStatus: string, diagnostics = '', state = 'FINISHED'): void {
    const application = this.applications.find((one) => one.id === id);
    if (application !== undefined) Object.assign(application, { state, finalStatus, diagnostics });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of [this.#active, this.#standby]) {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    const body = await textOf(request);
    if (url.pathname === '/submit') {
      sendJson(response, 200, this.submit(url.searchParams.get('tags')?.split(',') ?? []));
      return;
    }
    this.requests.push(`${request.method ?? ''} ${url.pathname}${url.search}`);
    if (this.condition === 'down') request.socket.destroy();
    else if (this.condition === 'no-active') noActive(response);
    else if (this.condition === 'up') this.#rest(request.method ?? '', url, body, response);
  }

  #rest(method: string, { pathname, searchParams }: URL, body: string, response: ServerResponse): void {
    const [, id, state] = /^\/ws\/v1\/cluster\/apps(?:\/([^/]+)(\/state)?)?$/.exec(pathname) ?? [];
    if (id === undefined) {
      const tags = searchParams.get('applicationTags')?.split(',');
      const found = this.applications.filter(
        (application) => tags?.some((tag) => application.tags.includes(tag)) ?? true,
      );
      sendJson(response, 200, { apps: found.length === 0 ? {} : { app: found.map(reportOf) } });
      return;
    }
    const application = this.applications.find((one) => one.id === id);
    if (application === undefined) {
      const message = `java.lang.Exception: app with id: ${id} not found`;
      sendJson(response, 404, remoteException('NotFoundException', message));
      return;
    }
    if (method === 'PUT' && state !== undefined) {
      this.#kill(application, searchParams.get('user.name'), body, response);
      return;
    }
    sendJson(response, 200, { app: reportOf(application) });
  }

  #kill(application: FakeApplication, user: string | null, body: string, response: ServerResponse): void {
    if (user !== USER) {
      const message = `User ${user ?? 'dr.who'} does not have privilege to kill this application`;
      sendJson(response, 403, remoteException('ForbiddenException', message));
      return;
    }
    const wanted = (JSON.parse(body) as { state: string }).state;
    const ended = ['FINISHED', 'FAILED', 'KILLED'].includes(application.state);
    if (!ended && wanted === 'KILLED' && this.mortal) {
      // Its end takes a moment.
      setTimeout(
        () =>
          this.end(
            application.id,
            'KILLED',
            `Application ${application.id} was killed by user ${user} at 127.0.0.1`,
            'KILLED',
          ),
        20,
      );
    }
    sendJson(response, ended ? 200 : 202, { state: ended ? application.state : 'ACCEPTED' });
  }

  #redirect(request: IncomingMessage, response: ServerResponse): void {
    if (this.condition === 'no-active') {
      noActive(response);
      return;
    }
    const path = request.url ?? '/';
    const location = this.url + (this.losesQuery ? path.replace(/\?.*/, '') : path);
    response.writeHead(307, { location, 'content-type': 'text/plain;charset=utf-8' });
    response.end(`This is standby RM. The redirect url is: ${path}\n`);
  }
}

/** The user who may kill applications here. */
export const FAKE_YARN_USER = USER;

function reportOf({ id, state, finalStatus, tags, diagnostics }: FakeApplication): unknown {
  return {
    id,
    user: USER,
    name: 'flights.summarize',
    queue: 'default',
    state,
    finalStatus,
    progress: state === 'RUNNING' ? 10 : 100,
    trackingUI: 'History',
    trackingUrl: `http://rm:8088/proxy/${id}/`,
    diagnostics,
    clusterId: STARTED,
    applicationType: 'SPARK',
    applicationTags: tags.join(','),
    priority: 0,
    startedTime: STARTED,
    finishedTime: 0,
    elapsedTime: 1,
  };
}

function noActive(response: ServerResponse): void {
  response.writeHead(200, { refresh: '3;url=http://rm-2:8088/', 'content-type': 'text/plain;charset=utf-8' });
  response.end('Can not find any active RM. Will retry in next 3 seconds.\n');
}

function remoteException(exception: string, message: string): unknown {
  const javaClassName = `org.apache.hadoop.yarn.webapp.${exception}`;
  return { RemoteException: { exception, message, javaClassName } };
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json;charset=utf-8' });
  response.end(JSON.stringify(body));
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function addressOf(server: { address(): unknown }): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

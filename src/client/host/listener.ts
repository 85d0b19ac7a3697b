import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isAborted } from '../../core/abort.ts';
import { pause } from '../../core/deadline.ts';
import { messageOf } from '../../core/errors.ts';
import {
  BearerToken,
  HttpProblem,
  type HttpRequest,
  type HttpServer,
  RateLimit,
  type Reply,
  type Route,
  json,
  readJson,
  serveHttp,
} from '../../http/index.ts';
import { partitionPath } from '../../messages/index.ts';
import { NO_ANNOUNCEMENTS, findAnnouncement, fingerprintOf, landingHash } from '../../state/index.ts';
import type { MachineEvent, MachineState, ReportedLanding } from '../machine/index.ts';
import type { ClientLog } from './client-event.ts';
import { openApi } from './report-api.ts';
import { type Report, contentOf, idempotencyKey, readReports } from './report-body.ts';
import type { Listening, WatchedSource } from './sources.ts';

/** What a listener tells the machine; the machine's host adds the time. */
export type Reported = Omit<Extract<MachineEvent, { type: 'landings-reported' }>, 'at'>;

export interface ListenerOptions {
  watched: WatchedSource & { listening: Listening };
  state: () => MachineState;
  /** Resolves when the events and their announcements are committed; rejects when that is not known. */
  tell: (reported: Reported) => Promise<unknown>;
  log: ClientLog;
}

/** A port that is taken is tried again after so many milliseconds: the previous owner may be closing it. */
const RETRY = 2_000;
/** What a client that cannot be served now should wait for, seconds. */
const RETRY_AFTER = { 'retry-after': '5' };
const LIMITS = { body: 64 * 1024, answer: 30_000, drain: 2_000 };

/** A report with the id under which it is known. */
interface Named extends Report {
  id: string;
}

/**
 * Takes reports of landings while this client owns the hippo. A report is answered when its event and its announcement are
 * committed. Its id lies among the announcements, so that a repetition gets the same answer from any later owner.
 */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #stop = new AbortController();
  readonly #rate: RateLimit;
  readonly #token: BearerToken;
  /** Ids of reports that are being announced. */
  readonly #pending = new Map<string, Promise<unknown>>();
  #server: HttpServer | null = null;
  /** Kafka can be written to. */
  isReady = false;

  constructor(options: ListenerOptions) {
    const { rate, token } = options.watched.listening;
    this.#options = options;
    this.#rate = new RateLimit(rate);
    this.#token = new BearerToken(() => tokenOf(token));
  }

  get name(): string {
    return this.#options.watched.source.name;
  }

  /** Listens until {@link close}. */
  async open(): Promise<void> {
    const { watched, log } = this.#options;
    const { host, port } = watched.listening;
    for (let said = false; !this.#stop.signal.aborted;) {
      try {
        const server = await serveHttp({
          host,
          port,
          routes: this.#routes,
          setting: `sources.${this.name}.http`,
          limits: LIMITS,
          onError: (text) => this.#warn(text),
        });
        if (isAborted(this.#stop.signal)) await server.close();
        else {
          this.#server = server;
          log({ event: 'listening', source: this.name, url: `http://${server.address}/landed` });
        }
        return;
      } catch (error) {
        if (!said) this.#warn(`${messageOf(error)}; the client tries again`, 'error');
        said = true;
      }
      await pause(RETRY, this.#stop.signal);
    }
  }

  /** Running requests get their answers. */
  async close(): Promise<void> {
    this.isReady = false;
    this.#stop.abort();
    await this.#server?.close();
  }

  get #routes(): Route[] {
    const { watched } = this.#options;
    return [
      {
        method: 'POST',
        path: '/landed',
        handle: async (request) => {
          await this.#token.require(request);
          this.#rate.take(`more than ${watched.listening.rate} requests a second`);
          return this.#take(request);
        },
      },
      {
        method: 'GET',
        path: '/openapi.json',
        handle: async (request) => {
          await this.#token.require(request);
          return json(openApi(this.#expected));
        },
      },
    ];
  }

  get #expected(): { table: string; levels: readonly string[] | null } {
    const { source, listening } = this.#options.watched;
    return { table: `${source.db}.${source.table}`, levels: listening.levels };
  }

  async #take(request: HttpRequest): Promise<Reply> {
    this.#requireReady();
    const key = idempotencyKey(request.headers['idempotency-key']);
    const reports = named(readReports(await readJson(request), this.#expected), key);
    await this.#others(reports);
    const known = reports.map((report) => this.#known(report));
    const fresh = reports.filter((_, index) => known[index] === undefined);
    if (fresh.length > 0) {
      this.#requireReady();
      await this.#announce(fresh);
    }
    const reply = json({ announced: reports.map((report) => this.#answer(report)) }, 201);
    return fresh.length > 0 ? reply : { ...reply, headers: { 'idempotency-replayed': 'true' } };
  }

  #requireReady(): void {
    const { state, watched } = this.#options;
    if (!this.isReady) throw new HttpProblem(503, 'Kafka cannot be written to now', RETRY_AFTER);
    if (state().pauses.has(watched.source.name))
      throw new HttpProblem(503, `the source ${watched.source.name} is paused`, RETRY_AFTER);
  }

  /** Waits for requests that have the same ids and came before. */
  async #others(reports: readonly Named[]): Promise<void> {
    for (;;) {
      const other = reports.map(({ id }) => this.#pending.get(id)).find((pending) => pending !== undefined);
      if (other === undefined) return;
      await other.catch(() => undefined);
    }
  }

  async #announce(fresh: readonly Named[]): Promise<void> {
    const { tell, watched } = this.#options;
    const now = Date.now();
    const telling = tell({
      type: 'landings-reported',
      source: watched.source.name,
      landings: fresh.map((report): ReportedLanding => ({
        id: `${this.#expected.table}/${partitionPath(report.partition)}`,
        partition: report.partition,
        landedAt: report.execDate === null ? now : report.execDate * 1000,
        ...(report.method === null ? {} : { method: report.method }),
        report: { id: this.#reportId(report), fingerprint: fingerprintOf(contentOf(report)) },
      })),
    });
    for (const { id } of fresh) this.#pending.set(id, telling);
    try {
      await telling;
    } catch (error) {
      // It may have been written all the same: with an id, the client learns that when it sends it again.
      throw new HttpProblem(503, `Kafka did not take it: ${messageOf(error)}`, RETRY_AFTER);
    } finally {
      for (const { id } of fresh) this.#pending.delete(id);
    }
  }

  /** @throws HttpProblem 422 when another report has its id */
  #known(report: Named): { execDate: number } | undefined {
    const announcements =
      this.#options.state().sources.get(this.#options.watched.source.name)?.announcements ?? NO_ANNOUNCEMENTS;
    const known = findAnnouncement(announcements, landingHash(this.#reportId(report)));
    if (known === undefined || known.fingerprint === fingerprintOf(contentOf(report))) return known;
    throw new HttpProblem(422, `another landing was reported under the id ${report.id}`);
  }

  #answer(report: Named): { id: string; table: string; partition: string; exec_date: number } {
    const known = this.#known(report);
    // The state was read anew meanwhile.
    if (known === undefined)
      throw new HttpProblem(503, 'send it again: this client has taken over anew', RETRY_AFTER);
    const { table } = this.#expected;
    return { id: report.id, table, partition: partitionPath(report.partition), exec_date: known.execDate };
  }

  /** No table's name begins so: it has a dot before its slash. */
  #reportId({ id }: Named): string {
    return `report/${this.#expected.table}/${id}`;
  }

  #warn(text: string, level: 'warning' | 'error' = 'warning'): void {
    this.#options.log({ event: 'notice', level, text: `source ${this.name}: ${text}` });
  }
}

/** @throws HttpProblem 422 when the key and an id would both name a report */
function named(reports: readonly Report[], key: string | null): Named[] {
  if (key !== null && reports.some(({ id }) => id !== null))
    throw new HttpProblem(422, 'Idempotency-Key and "id" say the same: send one of them');
  return reports.map((report, index) => ({
    ...report,
    id: report.id ?? (key === null ? randomUUID() : reports.length === 1 ? key : `${key}/${index}`),
  }));
}

async function tokenOf(token: Listening['token']): Promise<string> {
  if ('text' in token) return token.text;
  try {
    const text = (await readFile(token.file, 'utf8')).trim();
    if (text !== '') return text;
  } catch {
    // Said by the answer; the reason is the operator's, not the client's.
  }
  throw new HttpProblem(503, 'the file with the token cannot be read', RETRY_AFTER);
}

/** A version in HDFS, by WebHDFS: a NameNode says which DataNode has the file. */
import { once } from 'node:events';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Millis } from '../../core/clock.ts';
import { formatDuration } from '../../core/duration.ts';
import { type JsonObject, isJsonObject, tryParseJson } from '../../core/json.ts';
import { networkReason } from '../../core/network-reason.ts';
import { said } from '../../core/said.ts';
import { NameNodes, RefusedError, SilentError } from '../../sources/files.ts';
import { ModelAway } from '../errors.ts';
import { type OpenFile, SILENCE, TryAgain, type VersionFolder } from './place.ts';
import { fileOf } from './stream.ts';

export interface HdfsSettings {
  /** Of the folder of all versions, from the root on. */
  readonly path: string;
  /** `http://namenode:9870`, one or two. */
  readonly addresses: readonly string[];
  readonly user: string;
  /** How long nothing may come in. */
  readonly silence?: Millis | undefined;
}

/** Bytes of an error that are read. */
const LONGEST_ERROR = 64 * 1024;

export class HdfsFolder implements VersionFolder {
  readonly #folder: string;
  readonly #nodes: NameNodes;
  readonly #silence: Millis;
  /** `host:port` of DataNodes that have failed: the NameNode is asked for others. */
  readonly #failed = new Set<string>();

  constructor({ path, addresses, user, silence = SILENCE }: HdfsSettings, version: string) {
    this.#folder = `${path.replace(/\/+$/, '')}/${version}`;
    this.#nodes = new NameNodes({ addresses, user, timeout: silence });
    this.#silence = silence;
  }

  pathOf(file: string): string {
    return `hdfs:${this.#inHdfs(file)}`;
  }

  async open(file: string, signal: AbortSignal): Promise<OpenFile | null> {
    const answer = await this.#ask(file, signal);
    if (answer === null) return null;
    const { Location: location } = answer;
    const url = typeof location === 'string' ? URL.parse(location) : null;
    if (url === null || !/^https?:$/.test(url.protocol))
      throw this.#away(file, 'the NameNode does not say which DataNode has it');
    try {
      const found = await this.#fetch(file, url, signal);
      return found === null ? null : { ...found, chunks: this.#watched(found.chunks, url) };
    } catch (error) {
      throw this.#noted(error, url);
    }
  }

  close(): void {
    // Each connection is closed with its answer.
  }

  #inHdfs(file: string): string {
    return `${this.#folder}/${file}`;
  }

  async *#watched(chunks: AsyncIterable<Uint8Array>, url: URL): AsyncGenerator<Uint8Array> {
    try {
      yield* chunks;
    } catch (error) {
      throw this.#noted(error, url);
    }
  }

  /** Remembers a DataNode that has failed. */
  #noted(error: unknown, { host }: URL): unknown {
    if (error instanceof TryAgain) this.#failed.add(host);
    return error;
  }

  /** @returns null: there is no such file */
  async #ask(file: string, signal: AbortSignal): Promise<JsonObject | null> {
    const excluded = [...this.#failed].join(',');
    const query = { noredirect: 'true', ...(excluded === '' ? {} : { excludedatanodes: excluded }) };
    // Only the last one: a DataNode that failed before may be back.
    this.#failed.clear();
    try {
      return await this.#nodes.ask({ path: this.#inHdfs(file), op: 'OPEN', query }, signal);
    } catch (error) {
      if (error instanceof SilentError)
        throw this.#away(file, `no NameNode answers as the active one: ${error.message}`, error);
      if (!(error instanceof RefusedError)) throw error;
      // So it answers where all DataNodes that have the file are excluded.
      if (excluded !== '' && error.exception === 'IOException') throw new TryAgain(error.message);
      throw this.#away(file, `${error.message} (asked as ${this.#nodes.user})`, error);
    }
  }

  async #fetch(file: string, url: URL, signal: AbortSignal): Promise<OpenFile | null> {
    const answer = await this.#request(url, signal);
    const { statusCode: status = 0 } = answer;
    const from = url.origin;
    if (status === 200)
      return fileOf(answer, { from, silence: this.#silence, bytes: lengthOf(answer), signal });
    const { exception, message } = remoteException(await textOf(answer));
    if (exception === 'FileNotFoundException') return null;
    const why = `${from} answers status ${status} ${exception}${said(message)}`;
    // 403 is what a DataNode answers of a block that it has lost, too.
    if (exception === 'AccessControlException' || status === 401) throw this.#away(file, why);
    throw new TryAgain(why);
  }

  /**
   * By node:http: fetch (undici 5360) can end the process where a server closes a connection while the body is read slowly.
   *
   * @returns whose body is not read yet
   */
  async #request(url: URL, signal: AbortSignal): Promise<IncomingMessage> {
    const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, { signal, agent: false });
    // After the answer, errors come with its body.
    request.on('error', () => undefined);
    const silence = formatDuration(this.#silence);
    request.setTimeout(this.#silence, () => request.destroy(new Error(`no answer within ${silence}`)));
    request.end();
    try {
      const [answer] = (await once(request, 'response')) as [IncomingMessage];
      request.setTimeout(0);
      return answer;
    } catch (error) {
      signal.throwIfAborted();
      throw new TryAgain(`${url.origin}: ${networkReason(error)}`, { cause: error });
    }
  }

  #away(file: string, why: string, cause?: unknown): ModelAway {
    return new ModelAway(`${this.pathOf(file)} cannot be read`, { why, cause });
  }
}

function lengthOf({ headers }: IncomingMessage): number | undefined {
  const length = headers['content-length'];
  return length === undefined ? undefined : Number(length);
}

async function textOf(answer: IncomingMessage): Promise<string> {
  let text = '';
  try {
    for await (const chunk of answer.setEncoding('utf8')) {
      text += chunk as string;
      if (text.length > LONGEST_ERROR) break;
    }
  } catch {
    // What has come says enough.
  }
  return text;
}

/** @returns the class of Hadoop's exception, empty where there is none, and what is said */
function remoteException(text: string): { exception: string; message: string } {
  const body = tryParseJson(text);
  const remote = isJsonObject(body) ? body['RemoteException'] : undefined;
  const { exception, message } = isJsonObject(remote) ? remote : {};
  return {
    exception: typeof exception === 'string' ? exception : '',
    message: typeof message === 'string' ? message : text,
  };
}

/** A version in a bucket of S3, or of what speaks S3's protocol. AWS's SDK reads by node:http. */
import { type S3Object, type S3Settings, openS3, troubleOf } from '../../sources/files.ts';
import { ModelAway } from '../errors.ts';
import { type OpenFile, TryAgain, type VersionFolder } from './place.ts';
import { fileOf } from './stream.ts';

export class S3Folder implements VersionFolder {
  readonly #settings: S3Settings;
  readonly #prefix: string;
  #client: ReturnType<typeof openS3> | undefined;

  /** @param settings the prefix is that of all versions; the timeout is how long nothing may come in */
  constructor(settings: S3Settings, version: string) {
    this.#settings = settings;
    this.#prefix = `${settings.prefix}${version}/`;
  }

  pathOf(file: string): string {
    return `s3://${this.#settings.bucket}/${this.#prefix}${file}`;
  }

  async open(file: string, signal: AbortSignal): Promise<OpenFile | null> {
    this.#client ??= openS3(this.#settings);
    const { get } = await this.#client;
    const key = `${this.#prefix}${file}`;
    const { timeout, endpoint } = this.#settings;
    // The body has its own time limit, so this one ends with the answer.
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), timeout);
    let object: S3Object;
    try {
      object = await get(key, AbortSignal.any([signal, late.signal]));
    } catch (error) {
      signal.throwIfAborted();
      return this.#missing(file, key, { error, isLate: late.signal.aborted });
    } finally {
      clearTimeout(timer);
    }
    return fileOf(object.body, { from: endpoint ?? 'AWS', silence: timeout, bytes: object.bytes, signal });
  }

  close(): void {
    this.#client?.then(
      ({ client }) => client.destroy(),
      () => undefined,
    );
  }

  /**
   * @returns null: there is no such object
   * @throws ModelAway or TryAgain where the error says something else
   */
  #missing(file: string, key: string, { error, isLate }: { error: unknown; isLate: boolean }): null {
    if (error instanceof Error && error.name === 'NoSuchKey') return null;
    const { kind, why } = troubleOf(error, { ...this.#settings, isLate, key });
    if (kind === 'busy' || kind === 'broken') throw new TryAgain(why, { cause: error });
    throw new ModelAway(`${this.pathOf(file)} cannot be read`, { why, cause: error });
  }
}

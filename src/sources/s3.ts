/** A prefix of a bucket of S3, or of what speaks S3's protocol. */
import type { ListObjectsV2CommandInput, ListObjectsV2CommandOutput, S3Client } from '@aws-sdk/client-s3';
import type { Millis } from '../core/clock.ts';
import { Retry } from '../core/deadline.ts';
import { formatDuration } from '../core/duration.ts';
import {
  type Entry,
  type FileState,
  type Names,
  type OpenPlace,
  type Place,
  type ScanContext,
  UnreadableError,
} from './place.ts';
import type { S3Settings } from './s3-settings.ts';
import { NotS3Error, type S3Trouble, troubleOf } from './s3-trouble.ts';
import { type ScanError, SourceAwayError, SourceSettingError } from './scanner.ts';
import { Walker, type WalkOptions } from './walker.ts';

/** How long a scan waits for an S3 that is busy, milliseconds. */
export interface S3Patience {
  /** Before the log says so. */
  notice: Millis;
  /** Before the place counts as away. */
  giveUp: Millis;
  /** Before the second try; it doubles with each further one. */
  first: Millis;
}

export interface S3Options extends WalkOptions, S3Settings {
  patience?: S3Patience;
}

const PATIENCE: S3Patience = { notice: 30_000, giveUp: 600_000, first: 500 };
const MOST_PAUSE = 20_000;
/** So often is a request tried that gets no answer, or a fault of the server. */
const TRIES = 4;

/**
 * `s3://b/t` is the folder `t`: it has `t/x`, and not `t2/x`.
 *
 * @param url as the schema of hippo.yaml allows it
 */
export function parseS3Url(url: string): Pick<S3Settings, 'bucket' | 'prefix'> {
  const [, bucket = '', prefix = ''] = /^s3:\/\/([^/]+)(?:\/(.*))?$/s.exec(url) ?? [];
  return { bucket, prefix: prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/` };
}

export class S3Scanner extends Walker {
  constructor({ patience = PATIENCE, levels, marker, ...settings }: S3Options) {
    super(new S3Place(settings, patience), { levels, marker }, 'check s3.url');
  }

  async prepare(): Promise<void> {
    await import('./s3-client.ts');
  }
}

class S3Place implements Place {
  readonly name: string;
  readonly atOnce = 16;
  readonly hasHalfWrittenFiles = false;
  readonly #settings: S3Settings;
  readonly #patience: S3Patience;

  constructor(settings: S3Settings, patience: S3Patience) {
    this.name = `s3://${settings.bucket}/${settings.prefix}`;
    this.#settings = settings;
    this.#patience = patience;
  }

  pathOf(names: Names): string {
    // The name of a folder may be empty: `t//x` is in one.
    return `${this.name}${names.join('/')}${names.at(-1) === '' ? '/' : ''}`;
  }

  async open(scan: ScanContext): Promise<OpenPlace> {
    const { openClient } = await import('./s3-client.ts');
    const settings = this.#settings;
    return new OpenS3({ settings, patience: this.#patience, scan, ...openClient(settings), place: this });
  }
}

interface OpenS3Options {
  place: S3Place;
  settings: S3Settings;
  patience: S3Patience;
  scan: ScanContext;
  client: S3Client;
  list: (input: ListObjectsV2CommandInput, signal: AbortSignal) => Promise<ListObjectsV2CommandOutput>;
}

class OpenS3 implements OpenPlace {
  readonly #options: OpenS3Options;
  #hasToldWait = false;

  constructor(options: OpenS3Options) {
    this.#options = options;
  }

  async list(names: Names): Promise<Entry[]> {
    const prefix = this.#keyOf([...names, '']);
    const entries: Entry[] = [];
    const tokens = new Set<string>();
    let token: string | undefined;
    do {
      const page = await this.#ask(names, {
        Prefix: prefix,
        Delimiter: '/',
        ...(token === undefined ? {} : { ContinuationToken: token }),
      });
      for (const { Prefix = '' } of page.CommonPrefixes ?? [])
        entries.push({ name: decode(Prefix, page).slice(prefix.length, -1), isFolder: true });
      for (const object of page.Contents ?? []) {
        const name = decode(object.Key ?? '', page).slice(prefix.length);
        if (!isFolderMarker(name)) entries.push({ name, isFolder: false, file: stateOf(object) });
      }
      token = this.#nextPage(names, page, tokens);
    } while (token !== undefined);
    return entries;
  }

  /** By a list, for which the right to list is enough: of all keys that begin so, the file's own is the first. */
  async file(names: Names): Promise<FileState | null> {
    const key = this.#keyOf(names);
    const page = await this.#ask(names.slice(0, -1), { Prefix: key, MaxKeys: 1 });
    const [object] = page.Contents ?? [];
    return object === undefined || decode(object.Key ?? '', page) !== key ? null : stateOf(object);
  }

  close(): void {
    this.#options.client.destroy();
  }

  /**
   * A list that goes on without saying where, or at a page that was read already, is not all that is there.
   *
   * @param tokens of the pages before; the next one is added
   * @returns undefined after the last page
   */
  #nextPage(
    folder: Names,
    { IsTruncated, NextContinuationToken: token = '', $metadata }: ListObjectsV2CommandOutput,
    tokens: Set<string>,
  ): string | undefined {
    if (IsTruncated !== true) return undefined;
    if (token !== '' && !tokens.has(token)) {
      tokens.add(token);
      return token;
    }
    const flaw =
      token === '' ? 'its list goes on, but it does not say where' : 'its list goes on at a page before';
    const error = new NotS3Error($metadata, flaw);
    throw this.#failure(folder, troubleOf(error, { ...this.#options.settings, isLate: false }), error);
  }

  #keyOf(names: Names): string {
    return `${this.#options.settings.prefix}${names.join('/')}`;
  }

  /**
   * Waits while S3 is busy, and tries again where an answer fails to come.
   *
   * @param folder what is asked about
   */
  async #ask(
    folder: Names,
    input: Omit<ListObjectsV2CommandInput, 'Bucket'>,
  ): Promise<ListObjectsV2CommandOutput> {
    const { settings, scan, list, patience } = this.#options;
    const retry = new Retry({ first: patience.first, most: MOST_PAUSE });
    const began = performance.now();
    for (let tries = 1; ; tries += 1) {
      const late = AbortSignal.timeout(settings.timeout);
      try {
        const page = await list(
          { ...input, Bucket: settings.bucket, EncodingType: 'url' },
          AbortSignal.any([scan.signal, late]),
        );
        // The SDK reads a web page as an empty list.
        if (page.IsTruncated === undefined) throw new NotS3Error(page.$metadata);
        return page;
      } catch (error) {
        scan.signal.throwIfAborted();
        const trouble = troubleOf(error, { ...settings, isLate: late.aborted });
        const waited = performance.now() - began;
        const isHopeless = trouble.kind === 'busy' ? waited > patience.giveUp : tries >= TRIES;
        if (['denied', 'final', 'setting'].includes(trouble.kind) || isHopeless)
          throw this.#failure(folder, trouble, error);
        if (trouble.kind === 'busy' && waited > patience.notice) this.#tellWait(trouble, waited);
      }
      await retry.pause(scan.signal);
      scan.signal.throwIfAborted();
    }
  }

  #tellWait({ why }: S3Trouble, waited: Millis): void {
    if (this.#hasToldWait) return;
    this.#hasToldWait = true;
    const { place, scan } = this.#options;
    scan.onWait(
      `${place.name} is busy since ${formatDuration(waited)} (${why}): the scan waits, and goes on`,
    );
  }

  /** A right may be denied to a part of the bucket. All else is so of the rest too. */
  #failure(folder: Names, { kind, why }: S3Trouble, cause: unknown): ScanError {
    const { place } = this.#options;
    const path = place.pathOf(folder);
    if (kind === 'setting') return new SourceSettingError(`${place.name} cannot be listed`, { why, cause });
    return kind === 'denied' && folder.length > 0
      ? new UnreadableError(`${path} cannot be listed`, { why, cause })
      : new SourceAwayError(`${place.name} cannot be listed`, { why, cause });
  }
}

/** What consoles and Hadoop put where an empty folder should be: the folder itself, or a name of its own. */
function isFolderMarker(name: string): boolean {
  return name === '' || name.endsWith('_$folder$');
}

/** The ETag of a marker is always that of nothing: only its time tells that it was written again. */
function stateOf({
  ETag = '',
  Size = 0,
  LastModified,
}: NonNullable<ListObjectsV2CommandOutput['Contents']>[number]): FileState {
  const time = LastModified?.getTime() ?? 0;
  return { time, print: `${ETag}/${Size}/${time}` };
}

/** XML cannot hold all characters that a key may have, so keys come as in a URL, with `+` for a blank. */
function decode(text: string, { EncodingType }: ListObjectsV2CommandOutput): string {
  if (EncodingType !== 'url') return text;
  return text
    .replaceAll('+', ' ')
    .replaceAll(/(?:%[\da-f]{2})+/gi, (escapes) =>
      Buffer.from(escapes.replaceAll('%', ''), 'hex').toString('utf8'),
    );
}

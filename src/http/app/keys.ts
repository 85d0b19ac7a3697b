/** Keys of an API: who may ask. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { UserError, messageOf } from '../../core/errors.ts';
import { fileReason } from '../../core/file-reason.ts';
import { RateLimit } from '../access.ts';
import { HttpProblem } from '../reply.ts';

export interface KeySettings {
  /** Name of a caller to its key. */
  keys?: Readonly<Record<string, string>> | undefined;
  /** A file of mode 0600 with a line `NAME KEY` for each caller; absolute. */
  file?: string | undefined;
}

export interface KeysOptions {
  /** The section of hippo.yaml, for errors: `serve`. */
  setting: string;
  /** The file has changed and cannot be used: the keys before it remain. */
  onError: (text: string) => void;
}

interface Known {
  name: string;
  digest: Buffer;
}

/** Between two looks at the file, milliseconds. */
const LOOK = 1_000;
const WRONG_A_SECOND = 10;
const KEY = /^[\x21-\x7e]{16,}$/;
const KEY_FORM = 'at least 16 printable ASCII characters, without blanks';
/** The rights of others than the owner. */
const OTHERS = 0o077;

/**
 * Names the caller of a request by its key: `authorization: Bearer KEY` (RFC 6750) or `x-api-key: KEY`. A comparison takes the
 * same time whatever was given, and wrong keys have a limit of their own. The file is read again when it changes.
 */
export class Keys {
  readonly #settings: KeySettings;
  readonly #options: KeysOptions;
  readonly #fixed: readonly Known[];
  readonly #wrong = new RateLimit(WRONG_A_SECOND);
  #ofFile: readonly Known[] = [];
  #seen = '';
  #looked = 0;

  private constructor(settings: KeySettings, options: KeysOptions) {
    this.#settings = settings;
    this.#options = options;
    this.#fixed = Object.entries(settings.keys ?? {}).map(([name, key]) => ({ name, digest: digestOf(key) }));
  }

  /**
   * @returns null where no key is configured
   * @throws UserError for a file that cannot be read, that others may read, or that has no usable keys
   */
  static async open(settings: KeySettings, options: KeysOptions): Promise<Keys | null> {
    if (Object.keys(settings.keys ?? {}).length === 0 && settings.file === undefined) return null;
    const keys = new Keys(settings, options);
    await keys.#read();
    return keys;
  }

  /**
   * @returns the name of the caller
   * @throws HttpProblem 401 without a right key; 429 when wrong ones come too fast
   */
  callerOf(headers: IncomingHttpHeaders): string {
    this.#lookAgain();
    const given = keyIn(headers);
    const name = given === undefined ? undefined : this.#nameOf(digestOf(given));
    if (name !== undefined) return name;
    this.#wrong.take('too many requests without a right key');
    const challenge = given === undefined ? 'Bearer' : 'Bearer error="invalid_token"';
    const detail =
      given === undefined
        ? 'a key is needed: authorization: Bearer KEY, or x-api-key: KEY'
        : 'the key is wrong';
    throw new HttpProblem(401, detail, { 'www-authenticate': challenge });
  }

  /** Looks at every key, so that the time does not tell which one is nearly right. */
  #nameOf(digest: Buffer): string | undefined {
    let name: string | undefined;
    for (const known of [...this.#fixed, ...this.#ofFile]) {
      if (timingSafeEqual(known.digest, digest)) name = known.name;
    }
    return name;
  }

  /** In the background: the request at hand is judged by the keys that are known. */
  #lookAgain(): void {
    const now = performance.now();
    if (this.#settings.file === undefined || now - this.#looked < LOOK) return;
    this.#looked = now;
    this.#read().catch((error: unknown) => {
      this.#options.onError(`${messageOf(error)}; the keys that were read before remain`);
    });
  }

  async #read(): Promise<void> {
    const { file } = this.#settings;
    if (file === undefined) return;
    const { setting } = this.#options;
    const refused = (why: string, next: string[]): UserError =>
      new UserError(`${setting}.keys_file cannot be used: ${file}`, { why, next });
    const look = async (): Promise<{ mode: number; version: string; text: string | null }> => {
      try {
        const { mode, mtimeMs, size, ino } = await stat(file);
        const version = [mtimeMs, size, ino, mode].join();
        return { mode, version, text: version === this.#seen ? null : await readFile(file, 'utf8') };
      } catch (error) {
        throw refused(fileReason(error), ['write a line NAME KEY for each caller, and set mode 0600']);
      }
    };
    const { mode, version, text } = await look();
    if (text === null) return;
    this.#seen = version;
    if ((mode & OTHERS) !== 0)
      throw refused(`other users may read it: its mode is 0${(mode & 0o777).toString(8)}`, [
        `chmod 600 ${file}`,
      ]);
    this.#ofFile = knownIn(text, refused);
  }
}

function knownIn(text: string, refused: (why: string, next: string[]) => UserError): Known[] {
  const known: Known[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '' || line.trim().startsWith('#')) continue;
    const [name = '', key = '', ...more] = line.trim().split(/\s+/);
    // The line itself may be a key, so an error names its number only.
    if (!/^[\w.-]{1,64}$/.test(name) || !KEY.test(key) || more.length > 0)
      throw refused(`line ${index + 1} is not NAME KEY with a key of ${KEY_FORM}`, ['openssl rand -hex 24']);
    known.push({ name, digest: digestOf(key) });
  }
  if (known.length === 0) throw refused('it has no keys', ['write a line NAME KEY for each caller']);
  return known;
}

function keyIn(headers: IncomingHttpHeaders): string | undefined {
  const [, bearer] = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '') ?? [];
  const plain = headers['x-api-key'];
  return bearer ?? (typeof plain === 'string' ? plain : undefined);
}

/** The digests have one length, whatever was given. */
function digestOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

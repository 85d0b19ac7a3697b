import { open, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { execa } from '../core/exec.ts';
import { ChildError } from '../core/errors.ts';
import { MEGABYTE, barOf, megabytes, sizeOfFiles } from './sizes.ts';

const UNIT_BYTES: Readonly<Record<string, number>> = { B: 1, kB: 1_000, MB: MEGABYTE, GB: 1_000 * MEGABYTE };
/** pip rounds the size that it prints, so a complete file may be a little smaller. */
const COMPLETE = 0.999;

interface PipOptions {
  /** An empty folder for pip's temporary files, where progress is measured. */
  scratch: string;
  /** Called with the step and its progress. */
  update: (detail: string) => void;
  /** How often progress is measured, milliseconds. */
  period?: number;
  env?: NodeJS.ProcessEnv;
  signal?: AbortSignal | undefined;
}

/**
 * Of a package that comes as source, pip builds a wheel and unpacks it at once: to compress the wheel would take longer
 * than all else. setuptools has the option; only the new way of building passes it on.
 */
const BUILD = ['--use-pep517', '--config-settings=--build-option=--compression=stored'];

/**
 * Installs pinned requirements into the virtual environment `venv`; the first is named where that fails.
 *
 * @throws ChildError with pip's own message
 */
export async function pipInstall(
  venv: string,
  requirements: readonly [string, ...string[]],
  { scratch, update, period = 1_000, ...options }: PipOptions,
): Promise<void> {
  const pip = execa(
    join(venv, 'bin', 'python'),
    ['-m', 'pip', 'install', '--no-input', '--progress-bar', 'off', ...BUILD, ...requirements],
    {
      env: { ...(options.env ?? process.env), TMPDIR: scratch, PIP_DISABLE_PIP_VERSION_CHECK: '1' },
      reject: false,
      all: true,
      stdin: 'ignore',
      ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
    },
  );
  const progress = new PipProgress({ scratch, venv, update });
  const ticker = setInterval(() => void progress.measure(), period);
  try {
    for await (const line of pip.iterable({ from: 'all' })) progress.read(line);
  } finally {
    clearInterval(ticker);
  }
  const result = await pip;
  options.signal?.throwIfAborted();
  if (!result.failed) return;
  const errors = result.all.split('\n').filter((line) => /^(ERROR|error)/.test(line));
  throw new ChildError(`${requirements[0]} could not be installed`, {
    why: (errors.length > 0 ? errors : result.all.split('\n')).slice(-3).join('\n'),
    next: ['check the network and pip.conf, then repeat the command'],
  });
}

/** What pip is doing, from what it prints and from the sizes of the files that it writes. */
class PipProgress {
  readonly #scratch: string;
  readonly #venv: string;
  readonly #update: (detail: string) => void;
  #measure: (() => Promise<string | undefined>) | undefined;
  #isMeasuring = false;
  #step = '';
  /** The size of the wheel that was built, bytes. */
  #built: number | undefined;

  constructor({
    scratch,
    venv,
    update,
  }: {
    scratch: string;
    venv: string;
    update: (detail: string) => void;
  }) {
    this.#scratch = scratch;
    this.#venv = venv;
    this.#update = update;
  }

  /** Takes a line of pip's output. */
  read(line: string): void {
    const download = downloadOf(line);
    this.#built = builtSizeOf(line) ?? this.#built;
    if (download !== undefined) {
      this.#step = '';
      this.#measure = () => this.#fetched(download);
      return;
    }
    if (line.trim() === '') return;
    const step = stepOf(line);
    // While a build takes long, pip says so again and again.
    if (step === this.#step) return;
    this.#step = step;
    this.#update(step);
    this.#measure = undefined;
    if (BUILDING.test(line)) this.#measure = this.#grown(this.#scratch, (size) => writtenSoFar(step, size));
    if (INSTALLING.test(line)) {
      // Of a wheel in pip's cache, pip prints no size.
      const total = this.#built;
      this.#measure = this.#grown(this.#venv, (size) =>
        total === undefined ? writtenSoFar(step, size) : installProgress(size, total),
      );
    }
  }

  /** Measures the step that is under way, and tells. */
  async measure(): Promise<void> {
    const measure = this.#measure;
    // On a slow machine, measuring may take longer than its period.
    if (measure === undefined || this.#isMeasuring) return;
    this.#isMeasuring = true;
    const said = await measure().finally(() => (this.#isMeasuring = false));
    if (said !== undefined && measure === this.#measure) this.#update(said);
  }

  async #fetched(download: Download): Promise<string | undefined> {
    for (const folder of await readdir(this.#scratch).catch(() => [])) {
      const file = join(this.#scratch, folder, download.file);
      const here = await stat(file).catch(() => undefined);
      if (here === undefined) continue;
      if (!isComplete(here.size, download)) return downloadProgress(here.size, download);
      if (download.file.endsWith('.whl')) return undefined;
      const all = await sizeOfFiles(this.#scratch);
      return unpackProgress(Math.max(0, all - here.size), download, await unpackedSize(file));
    }
    return undefined;
  }

  /** What to say of the bytes that a folder has more than at the beginning of the step. */
  #grown(folder: string, say: (size: number) => string): () => Promise<string> {
    const before = sizeOfFiles(folder);
    let most = 0;
    return async () => {
      most = Math.max(most, (await sizeOfFiles(folder)) - (await before));
      return say(most);
    };
  }
}

export interface Download {
  file: string;
  /** As pip prints it. */
  total: string;
}

/** The line that pip prints when it fetches a file: `Downloading <url>/pyspark-4.1.1.tar.gz (455.4 MB)`. */
export function downloadOf(line: string): Download | undefined {
  const match = /^\s*(?:Downloading|Using cached) (\S+) \(([\d.]+ [kMG]?B)\)/.exec(line);
  return match?.[1] === undefined || match[2] === undefined
    ? undefined
    : { file: basename(match[1]), total: match[2] };
}

const BUILDING = /^\s*Building wheel/;
const INSTALLING = /^\s*Installing collected/;

/** The size in the line that pip prints when it has built a package: `Created wheel for …: filename=… size=4560 …`. */
function builtSizeOf(line: string): number | undefined {
  const size = /^\s*Created wheel for .* size=(\d+)/.exec(line)?.[1];
  return size === undefined ? undefined : Number(size);
}

/** What pip does after a line of its output, where its own words do not tell a reader how long that takes. */
const STEPS: readonly [line: RegExp, step: string][] = [
  [
    /^(Installing build dependencies|Getting requirements|Preparing metadata)/,
    'unpacked; preparing the build',
  ],
  [/^Building wheel/, 'building the package'],
  [/^Installing collected/, 'installing the package'],
];

/** The step that a line of pip's output begins. */
export function stepOf(line: string): string {
  const said = line.trim();
  const known = STEPS.find(([form]) => form.test(said))?.[1];
  return known ?? said.replace(/: started$|: finished.*$| \(from .*/, '').slice(0, 60);
}

/** `downloading █████░░░░░░░░░░░░░░░ 113.8 MB of 455.4 MB` */
export function downloadProgress(size: number, { total }: Download): string {
  return `downloading ${barOf(size / bytesOf(total))} ${megabytes(size)} of ${total}`;
}

/**
 * How far a complete download is unpacked: pip prints nothing while it does that.
 *
 * @param whole the size of the unpacked files, if it is known
 */
export function unpackProgress(size: number, { file, total }: Download, whole: number | undefined): string {
  if (whole === undefined) return writtenSoFar(`unpacking ${file} (${total})`, size);
  return `unpacking ${barOf(size / whole)} ${megabytes(size)} of ${megabytes(whole)}`;
}

/** How far a wheel is installed. pip compiles the Python files when all of them are there. */
export function installProgress(size: number, whole: number): string {
  if (size >= whole) return 'compiling its Python files';
  return `installing ${barOf(size / whole)} ${megabytes(size)} of ${megabytes(whole)}`;
}

function writtenSoFar(step: string, size: number): string {
  return `${step}: ${megabytes(size)} written`;
}

function isComplete(size: number, { total }: Download): boolean {
  return size > bytesOf(total) * COMPLETE;
}

function bytesOf(size: string): number {
  const [amount = '', unit = 'B'] = size.split(' ');
  return Number(amount) * (UNIT_BYTES[unit] ?? 1);
}

/**
 * How large a gzip file is when it is unpacked, bytes: its last four bytes say so (RFC 1952, ISIZE). Undefined for other
 * files, and for what is larger than four bytes can say.
 */
export async function unpackedSize(file: string): Promise<number | undefined> {
  if (!/\.t?gz$/.test(file)) return undefined;
  const handle = await open(file).catch(() => undefined);
  if (handle === undefined) return undefined;
  try {
    const { size } = await handle.stat();
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, Math.max(0, size - 4));
    const unpacked = bytesRead === 4 ? buffer.readUInt32LE() : 0;
    return unpacked === 0 || unpacked < size ? undefined : unpacked;
  } finally {
    await handle.close();
  }
}

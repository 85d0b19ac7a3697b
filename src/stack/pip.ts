import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { execa } from '../core/exec.ts';
import { ChildError } from '../core/errors.ts';

const MEGABYTE = 1_000_000;
const UNIT_BYTES: Readonly<Record<string, number>> = { B: 1, kB: 1_000, MB: MEGABYTE, GB: 1_000 * MEGABYTE };
/** pip rounds the size that it prints, so a complete file may be a little smaller. */
const COMPLETE = 0.999;

interface PipOptions {
  /** An empty folder for pip's temporary files, where the progress of a download is measured. */
  scratch: string;
  /** Called with the step and the progress of a download. */
  update: (detail: string) => void;
  env?: NodeJS.ProcessEnv;
  signal?: AbortSignal | undefined;
}

/**
 * Installs one pinned requirement into the virtual environment of `python`.
 *
 * @throws ChildError with pip's own message
 */
export async function pipInstall(
  python: string,
  requirement: string,
  { scratch, update, ...options }: PipOptions,
): Promise<void> {
  const pip = execa(python, ['-m', 'pip', 'install', '--no-input', '--progress-bar', 'off', requirement], {
    env: { ...(options.env ?? process.env), TMPDIR: scratch, PIP_DISABLE_PIP_VERSION_CHECK: '1' },
    reject: false,
    all: true,
    stdin: 'ignore',
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
  });
  let download: Download | undefined;
  const ticker = setInterval(() => {
    if (download !== undefined) void report(scratch, download, update);
  }, 500);
  try {
    for await (const line of pip.iterable({ from: 'all' })) {
      download = downloadOf(line);
      if (download === undefined && line.trim() !== '') update(stepOf(line));
    }
  } finally {
    clearInterval(ticker);
  }
  const result = await pip;
  options.signal?.throwIfAborted();
  if (!result.failed) return;
  const errors = result.all.split('\n').filter((line) => /^(ERROR|error)/.test(line));
  throw new ChildError(`${requirement} could not be installed`, {
    why: (errors.length > 0 ? errors : result.all.split('\n')).slice(-3).join('\n'),
    next: ['check the network and pip.conf, then repeat the command'],
  });
}

export interface Download {
  file: string;
  /** As pip prints it. */
  total: string;
}

/** The line that pip prints when a download starts: `Downloading <url>/pyspark-4.1.1.tar.gz (455.4 MB)`. */
export function downloadOf(line: string): Download | undefined {
  const match = /^\s*Downloading (\S+) \(([\d.]+ [kMG]?B)\)/.exec(line);
  return match?.[1] === undefined || match[2] === undefined
    ? undefined
    : { file: basename(match[1]), total: match[2] };
}

/** What pip does after a line of its output, where its own words do not tell a reader how long that takes. */
const STEPS: readonly [line: RegExp, step: string][] = [
  [
    /^(Installing build dependencies|Getting requirements|Preparing metadata)/,
    'unpacked; preparing the build',
  ],
  [/^Building wheel/, 'building the package; this takes minutes'],
  [/^Installing collected/, 'installing what was built'],
];

/** The step that a line of pip's output begins. */
export function stepOf(line: string): string {
  const said = line.trim();
  const known = STEPS.find(([form]) => form.test(said))?.[1];
  return known ?? said.replace(/: started$|: finished.*$| \(from .*/, '').slice(0, 60);
}

const BAR = 20;

/**
 * How far a download is. pip prints nothing while it unpacks a file that is complete, which takes minutes for a large one.
 *
 * @param size bytes that are here
 */
export function downloadProgress(size: number, { file, total }: Download): string {
  const [amount = '', unit = 'B'] = total.split(' ');
  const whole = Number(amount) * (UNIT_BYTES[unit] ?? 1);
  const share = Math.min(1, size / whole);
  if (share > COMPLETE) return `unpacking ${file} (${total})`;
  const filled = Math.round(share * BAR);
  const bar = '█'.repeat(filled) + '░'.repeat(BAR - filled);
  return `downloading ${bar} ${(size / MEGABYTE).toFixed(1)} MB of ${total}`;
}

async function report(scratch: string, download: Download, update: (detail: string) => void): Promise<void> {
  const folders = await readdir(scratch).catch(() => []);
  for (const folder of folders) {
    const here = await stat(join(scratch, folder, download.file)).catch(() => undefined);
    if (here !== undefined) update(downloadProgress(here.size, download));
  }
}

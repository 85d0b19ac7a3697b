import { appendFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  downloadOf,
  downloadProgress,
  installProgress,
  pipInstall,
  stepOf,
  unpackProgress,
  unpackedSize,
} from '../../src/stack/pip.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hippo-pip-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test.each([
  [
    'Downloading https://host/x/pyspark-4.1.1.tar.gz (455.4 MB)',
    { file: 'pyspark-4.1.1.tar.gz', total: '455.4 MB' },
  ],
  ['  Using cached pyspark-4.1.1.tar.gz (455.4 MB)', { file: 'pyspark-4.1.1.tar.gz', total: '455.4 MB' }],
  [
    '  Downloading py4j-0.10.9.9-py2.py3-none-any.whl (203 kB)',
    { file: 'py4j-0.10.9.9-py2.py3-none-any.whl', total: '203 kB' },
  ],
  ['Collecting pyspark==4.1.1', undefined],
])('pip says: %s', (line, download) => {
  expect(downloadOf(line)).toEqual(download);
});

test.each([
  ['  Preparing metadata (pyproject.toml): started', 'unpacked; preparing the build'],
  ['  Building wheel for pyspark (pyproject.toml): still running...', 'building the package'],
  ['Installing collected packages: py4j, pyspark', 'installing the package'],
  ['Collecting py4j==0.10.9.9 (from pyspark==4.1.1)', 'Collecting py4j==0.10.9.9'],
])('pip says %s', (line, step) => {
  expect(stepOf(line)).toBe(step);
});

const DOWNLOAD = { file: 'pyspark-4.1.1.tar.gz', total: '455.4 MB' };

test('the progress of a download, of unpacking and of installing has a bar and two sizes', () => {
  expect([
    downloadProgress(0, DOWNLOAD),
    downloadProgress(113_850_000, DOWNLOAD),
    downloadProgress(450_000_000, DOWNLOAD),
    unpackProgress(250_000_000, DOWNLOAD, 500_000_000),
    unpackProgress(250_000_000, DOWNLOAD, undefined),
    installProgress(125_000_000, 500_000_000),
    installProgress(500_000_000, 500_000_000),
  ]).toEqual([
    'downloading ░░░░░░░░░░░░░░░░░░░░ 0.0 MB of 455.4 MB',
    'downloading █████░░░░░░░░░░░░░░░ 113.8 MB of 455.4 MB',
    'downloading ████████████████████ 450.0 MB of 455.4 MB',
    'unpacking ██████████░░░░░░░░░░ 250.0 MB of 500.0 MB',
    'unpacking pyspark-4.1.1.tar.gz (455.4 MB): 250.0 MB written',
    'installing █████░░░░░░░░░░░░░░░ 125.0 MB of 500.0 MB',
    'compiling its Python files',
  ]);
});

test.each([
  ['a.tar.gz', gzipSync(Buffer.alloc(100_000, 'ab')), 100_000],
  ['a.tgz', gzipSync(Buffer.alloc(70_000, 'ab')), 70_000],
  ['a.zip', gzipSync(Buffer.alloc(70_000, 'ab')), undefined],
  ['empty.tar.gz', Buffer.alloc(0), undefined],
  [
    'more-than-four-bytes-can-say.tar.gz',
    Buffer.concat([Buffer.alloc(100), Buffer.from([5, 0, 0, 0])]),
    undefined,
  ],
  ['none.tar.gz', undefined, undefined],
])('how large %s is when it is unpacked', async (name, bytes, size) => {
  const file = join(folder, name);
  if (bytes !== undefined) await writeFile(file, bytes);
  expect(await unpackedSize(file)).toBe(size);
});

/**
 * Does what pip does with a source archive of 2 MB, a step each time that hippo has told of the step before. Of what grows, hippo
 * has measured the beginning only when it tells the first size.
 */
const PIP = `#!/usr/bin/env bash
set -e
printf '%s ' "$@" > "$SAID.words"
until_told() { for i in {1..3000}; do grep -q "$1" "$SAID" && return; sleep 0.02; done; echo "ERROR: not told: $1"; exit 1; }
mb() { head -c "$((1000000 * $1))" /dev/zero; }
echo 'Collecting big==1'
echo '  Downloading https://host/big-1.tar.gz (2.0 MB)'
mkdir "$TMPDIR/pip-unpack-1" "$TMPDIR/pip-install-1"
mb 1 > "$TMPDIR/pip-unpack-1/big-1.tar.gz"
until_told '^downloading .* 1.0 MB of 2.0 MB'
{ mb 1; printf '\\0\\0\\0\\0'; mb 1; printf '\\x00\\x09\\x3d\\x00'; } > "$TMPDIR/pip-unpack-1/big-1.tar.gz"
mb 3 > "$TMPDIR/pip-install-1/part"
until_told '^unpacking .* 3.0 MB of 4.0 MB'
echo '  Preparing metadata (pyproject.toml): started'
echo 'Building wheels for collected packages: big'
echo '  Building wheel for big (pyproject.toml): started'
until_told '^building the package: 0.0 MB written'
mb 2 > "$TMPDIR/pip-install-1/copy"
until_told '^building the package: 2.0 MB written'
echo '  Building wheel for big (pyproject.toml): still running...'
mb 3 > "$TMPDIR/pip-install-1/copy"
until_told '^building the package: 3.0 MB written'
echo '  Created wheel for big: filename=big-1-py3-none-any.whl size=4000000 sha256=00'
echo 'Installing collected packages: big'
until_told '^installing .* 0.0 MB of 4.0 MB'
mb 1 > "$(dirname "$0")/../part"
until_told '^installing .* 1.0 MB of 4.0 MB'
mb 5 > "$(dirname "$0")/../part"
until_told '^compiling its Python files'
`;

/** Does what pip does when its cache has the wheel. */
const FROM_CACHE = `${PIP.slice(0, PIP.indexOf("echo 'Collecting"))}
echo 'Installing collected packages: big'
until_told '^installing the package: 0.0 MB written'
mb 2 > "$(dirname "$0")/../part"
until_told '^installing the package: 2.0 MB written'
`;

test('each step of an installation is shown while it runs, with the bytes written so far', async () => {
  const venv = join(folder, 'venv');
  const [scratch, said] = [join(folder, 'tmp'), join(folder, 'said')];
  await mkdir(join(venv, 'bin'), { recursive: true });
  await mkdir(scratch);
  await writeFile(said, '');
  await writeFile(join(venv, 'bin', 'python'), PIP);
  await chmod(join(venv, 'bin', 'python'), 0o755);
  const told: string[] = [];
  const update = (detail: string): void => {
    told.push(detail);
    appendFileSync(said, `${detail}\n`);
  };
  await pipInstall(venv, ['big==1', 'small==1'], {
    scratch,
    update,
    period: 20,
    env: { ...process.env, SAID: said },
  });
  const steps = told.map((detail) => /^[^░█:]+/.exec(detail)?.[0].trim());
  expect(steps.filter((step, at) => step !== steps[at - 1])).toEqual([
    'Collecting big==1',
    'downloading',
    'unpacking',
    'unpacked; preparing the build',
    'building the package',
    'Created wheel for big',
    'installing the package',
    'installing',
    'compiling its Python files',
  ]);
  expect(await readFile(`${said}.words`, 'utf8')).toContain(
    '--config-settings=--build-option=--compression=stored big==1 small==1',
  );
});

test('a wheel from the cache of pip is installed without a build and shown without a size', async () => {
  const venv = join(folder, 'cached');
  const said = join(folder, 'said-cached');
  await mkdir(join(venv, 'bin'), { recursive: true });
  await writeFile(said, '');
  await writeFile(join(venv, 'bin', 'python'), FROM_CACHE, { mode: 0o755 });
  const update = (detail: string): void => appendFileSync(said, `${detail}\n`);
  const env = { ...process.env, SAID: said };
  await pipInstall(venv, ['big==1', 'small==1'], { scratch: join(folder, 'none'), update, period: 20, env });
  expect(await readFile(said, 'utf8')).toContain('installing the package: 2.0 MB written');
});

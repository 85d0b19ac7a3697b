// Makes a fresh clone ready, then runs the command given: `node scripts/with-setup.mjs vitest run`.
// Plain JavaScript for the machine's own Node, which may be older than the one that the project brings.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = join(root, 'node_modules', '.bin');
const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };

/** Runs a step and ends this process where it fails. */
function step(title, command, args) {
  const started = Date.now();
  process.stderr.write(`▸ ${title} …\n`);
  const { status, error, stdout, stderr } = spawnSync(command, args, { cwd: root, env, encoding: 'utf8' });
  if (status !== 0) {
    process.stderr.write(
      `${stdout ?? ''}${stderr ?? ''}${error ? `${error.message}\n` : ''}✗ ${title} failed\n`,
    );
    process.exit(status ?? 1);
  }
  process.stderr.write(`✓ ${title} (${((Date.now() - started) / 1000).toFixed(1)} s)\n`);
}

function newest(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

const lock = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex');
const stamp = join(root, 'node_modules', '.hippo-installed');
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
  // The engines warning is about this machine's Node; the scripts run on the one that is being installed.
  step('installing dependencies', 'npm', ['ci', '--loglevel=error']);
  writeFileSync(stamp, lock);
}

// The help of `hippo new` has the questions of templates.
const sources = ['src', 'scripts', 'templates', 'package.json', 'package-lock.json'].map((name) =>
  newest(join(root, name)),
);
if (newest(join(root, 'dist')) < Math.max(...sources)) {
  step('building', 'node', ['scripts/build.ts']);
}

// A shell with this Node on its PATH has hippo there too.
if (!existsSync(join(bin, 'hippo'))) symlinkSync(join('..', '..', 'bin', 'run.js'), join(bin, 'hippo'));

const [command, ...args] = process.argv.slice(2);
if (command !== undefined) {
  const child = spawn(command, args, { cwd: root, env, stdio: 'inherit' });
  // A terminal sends Ctrl-C to the child too: it cleans up, and then this process ends with it.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('exit', (status, signal) => process.exit(signal === null ? (status ?? 1) : 130));
}

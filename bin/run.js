#!/bin/sh
':' /*
# The shell reads down to exec, Node all the rest. Node forgets at its start which signals its parent told it to ignore, so
# the shell finds out whether SIGHUP is one, as under nohup: a shell cannot trap a signal that is ignored.
HIPPO_SIGHUP=ignored
trap 'HIPPO_SIGHUP=default' HUP
kill -HUP $$
export HIPPO_SIGHUP
# A client runs for months and is mostly at rest: V8's young generation, which keeps the size that it once had, is kept small,
# and glibc returns freed blocks to the system. Its jobs do not inherit that.
# A query holds one of libuv's threads as long as it runs, and their number is fixed before Node starts.
case $1 in serve) export UV_THREADPOOL_SIZE="${UV_THREADPOOL_SIZE:-16}" ;; esac
case $1 in run)
  if [ -z "${GLIBC_TUNABLES+set}" ]; then
    HIPPO_GLIBC_TUNABLES=hippo
    GLIBC_TUNABLES=glibc.malloc.mmap_threshold=32768:glibc.malloc.trim_threshold=65536
    export HIPPO_GLIBC_TUNABLES GLIBC_TUNABLES
  fi
  exec node --max-semi-space-size=4 "$0" "$@"
  ;;
esac
exec node "$0" "$@"
*/;
// Plain JavaScript that every Node can parse: on an old one it must still be able to say so.
const REQUIRED = [22, 13];
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < REQUIRED[0] || (major === REQUIRED[0] && minor < REQUIRED[1])) {
  // A clone brings a Node of its own.
  const { existsSync } = await import('node:fs');
  const bin = new URL('../node_modules/.bin', import.meta.url).pathname;
  process.stderr.write(
    `hippo needs Node ${REQUIRED.join('.')} or later; this is ${process.versions.node} (${process.execPath}).\n${
      existsSync(`${bin}/node`) ? `  → export PATH="${bin}:$PATH"\n` : ''
    }`,
  );
  process.exitCode = 2;
} else {
  const require = process.getBuiltinModule('node:module').createRequire(import.meta.url);
  const { main } = require('../dist/cli.cjs');
  await main(process.argv.slice(2));
}

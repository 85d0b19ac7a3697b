#!/usr/bin/env bash
# Starts this hippo's client: it does what hippo.yaml says, and keeps running. All arguments go to `hippo run` (see
# `hippo run --help`). Set HIPPO to the path of hippo if it is not on PATH.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"

hippo=${HIPPO:-hippo}
if ! command -v "$hippo" >/dev/null; then
  echo "start-client.sh: '$hippo' is not a command. Put it on the PATH, or set HIPPO to its path." >&2
  exit 127
fi
exec "$hippo" run "$@"

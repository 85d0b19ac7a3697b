#!/usr/bin/env bash
# Checks hippo.yaml, and asks the service on a sample of its own. It needs no Kafka.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"

"${HIPPO:-hippo}" config >/dev/null
node --test 'tests/*.test.mjs'

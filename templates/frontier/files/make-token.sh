#!/usr/bin/env bash
# Makes secrets/landed-token, with which a report must come. A token that is there stays; to change it, remove the file first:
# the client reads it for each request, so it needs no restart.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"

umask 077
mkdir -p secrets
if [[ -s secrets/landed-token ]]; then
  echo "secrets/landed-token is there already"
  exit
fi
od -An -v -tx1 -N24 /dev/urandom | tr -d ' \n' >secrets/landed-token
echo "made secrets/landed-token"

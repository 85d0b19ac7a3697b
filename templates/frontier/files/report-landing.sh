#!/usr/bin/env bash
# Reports a landing to the source that listens, as a warehouse does that cannot speak Kafka. It is sent again until it is
# answered, always with the same key, so that the landing has one event.
#
#   ./report-landing.sh[% for level in partition %] [= level.name =]=VALUE[% endfor %][% if partition.size > 0 %]    [default:[= sample_arguments =]][% endif %]
#
#   LANDED_KEY  names the landing [default: another one for each call]
#   LANDED_URL  [default: http://127.0.0.1:[= port =]/landed]
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"
[% if partition.size > 0 %]
if [[ $# -eq 0 ]]; then set --[= sample_arguments =]; fi
form='^[% for level in partition %][= level.name =]=[A-Za-z0-9_.:+-]+[% unless forloop.last %] [% endunless %][% endfor %]$'
if [[ ! $* =~ $form ]]; then
  echo "report-landing.sh: '$*' is not[% for level in partition %] [= level.name =]=VALUE[% endfor %]" >&2
  exit 2
fi
[%- endif %]
if [[ ! -s secrets/landed-token ]]; then
  echo "report-landing.sh: secrets/landed-token is missing. Make it: ./make-token.sh" >&2
  exit 2
fi
[% if partition.size > 0 %]
partition=
for level in "$@"; do partition+="${partition:+, }\"${level%%=*}\": \"${level#*=}\""; done
[%- else %]
partition=
[%- endif %]

# The token comes from a file descriptor, so that no list of processes shows it.
url=${LANDED_URL:-http://127.0.0.1:[= port =]/landed}
curl --fail-with-body --silent \
  --retry 30 --retry-delay 2 --retry-max-time 60 --retry-connrefused \
  --header @<(printf 'authorization: Bearer %s' "$(<secrets/landed-token)") \
  --header 'content-type: application/json' \
  --header "idempotency-key: ${LANDED_KEY:-$(date +%s)-$$-$RANDOM}" \
  --data "{\"partition\": {$partition}}" \
  "$url" || {
  code=$?
  echo "report-landing.sh: $url has not taken the report (exit code $code of curl). Does ./start-client.sh run?" >&2
  exit 1
}

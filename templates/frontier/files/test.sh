#!/usr/bin/env bash
# Checks hippo.yaml, and runs this project's tests. They need no Kafka, and ask none of the places that hippo.yaml watches.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"

[%- if source contains 'sql' or s3_variable != '' or endpoint_variable != '' or namenodes_variable != '' %]

# What hippo.yaml takes from the environment: any value will do here.
[%- endif %]
[%- if source contains 'sql' %]
export DATABASE_URL=${DATABASE_URL:-postgres://reader@127.0.0.1:5432/none}
[%- endif %]
[%- if s3_variable != '' %]
export [= s3_variable =]=${[= s3_variable =]:-s3://bucket/prefix/}
[%- endif %]
[%- if endpoint_variable != '' %]
export [= endpoint_variable =]=${[= endpoint_variable =]:-http://127.0.0.1:9000}
[%- endif %]
[%- if namenodes_variable != '' %]
export [= namenodes_variable =]=${[= namenodes_variable =]:-http://127.0.0.1:9870}
[%- endif %]

"${HIPPO:-hippo}" config >/dev/null
node --test 'tests/*.test.mjs'

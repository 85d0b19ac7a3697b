#!/usr/bin/env bash
# Runs this project's tests[% if parts contains 'hooks' %]: those of the client's hooks on Node[% if parts contains 'spark' %], those of the Spark app on a real Spark[% endif %][% elsif parts contains 'spark' %]: those of the Spark app, on a real Spark[% endif %].
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"
[% if parts contains 'hooks' %]
node --test 'client-app/*.test.ts'
[%- endif %]
[%- if parts contains 'spark' %]
SPARK_APP=spark-app/run_tests.py exec ./start-spark.sh "$@"
[%- endif %]

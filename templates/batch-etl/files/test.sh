#!/usr/bin/env bash
# Runs this project's tests[% if input == 'files' %]: those of the client's hooks on Node, and those of the Spark job on a real Spark[% else %]: those of the Spark job, on a real Spark[% endif %].
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"
[% if input == 'files' %]
node --test 'client-app/*.test.ts'
[%- endif %]
[%- if language == 'scala' %]
./build.sh
jars=$(printf '%s,' spark-app/target/summarize.jar spark-app/target/test-jars/*.jar)
SPARK_JARS=${jars%,} SPARK_APP=spark-app/target/summarize-tests.jar exec ./start-spark.sh "$@"
[%- else %]
SPARK_APP=spark-app/run_tests.py exec ./start-spark.sh "$@"
[%- endif %]

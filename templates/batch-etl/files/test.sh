#!/usr/bin/env bash
# Runs the tests of the client's hooks on Node, and the tests of the Spark job on a real Spark.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"

node --test 'client-app/*.test.ts'
SPARK_APP=spark-app/test_summarize.py exec ./start-spark.sh

#!/usr/bin/env bash
# Runs SQL on the database of $DATABASE_URL, else on the PostgreSQL of `hippo up`: each argument is a file, or statements.
#
#   ./sql.sh 'SELECT count(*) FROM [= database_quoted =]'
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"

SPARK_APP=spark-app/run_sql.py exec ./start-spark.sh "$@"

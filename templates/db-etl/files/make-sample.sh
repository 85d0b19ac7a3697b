#!/usr/bin/env bash
# Writes sample/rows.csv as a Parquet partition of [= table =] into data/input, for `hippo trigger`.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"

SPARK_APP=spark-app/make_sample.py exec ./start-spark.sh --table [= table | shell =] --database-table [= database_table | shell =][% for level in partition %] --partition [= level.name =]=[= level.sample =][% endfor %]

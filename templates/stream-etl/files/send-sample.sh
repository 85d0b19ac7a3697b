#!/usr/bin/env bash
# Sends sample events to the topic, by Spark. ./send-sample.sh --help lists the options.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"

SPARK_APP=spark-app/sample.py exec ./start-spark.sh --topic [= topic | shell =] "$@"

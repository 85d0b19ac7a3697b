#!/usr/bin/env bash
# Compiles the Spark job and its tests against the jars of the Spark that start-spark.sh takes: spark-app/target/summarize.jar.
# Maven fetches its plug-ins, the Scala compiler and ScalaTest once. All arguments go to Maven.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"

if ! command -v mvn >/dev/null; then
  echo "build.sh: 'mvn' is not a command. Install Maven 3.8 or later, e.g. sudo apt-get install maven" >&2
  exit 127
fi

# With this variable, spark-submit prints the command that it runs: there are Spark's jars.
if ! said=$(SPARK_PRINT_LAUNCH_COMMAND=1 SPARK_APP=--version ./start-spark.sh 2>&1); then
  echo "$said" >&2
  exit 1
fi
jars=$(sed -n 's/^Spark Command: .* -cp //p' <<<"$said" | tr ':' '\n' | sed -n 's|/jars/\*.*|/jars|p' | head -n 1)
scala=$(sed -n 's/^Using Scala version \([0-9.]*\).*/\1/p' <<<"$said")
if [[ ! -d $jars || -z $scala ]]; then
  echo "build.sh: no jars of Spark in what spark-submit says:" >&2
  echo "$said" >&2
  exit 1
fi

echo "compiles with Scala $scala against $jars"
# Without --quiet: a warning of the compiler is an error here, and must be seen.
exec mvn --batch-mode -Dorg.slf4j.simpleLogger.defaultLogLevel=warn --file spark-app/pom.xml package \
  -Dspark.jars="$jars" -Dscala.version="$scala" -Dscala.binary.version="${scala%.*}" "$@"

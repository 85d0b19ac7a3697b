#!/usr/bin/env bash
# Submits the Spark job and exits with Spark's own return code. All arguments go to the job.
#
#   SPARK_SUBMIT       the spark-submit to use [default: the first of $SPARK_HOME/bin, PATH, the Spark of `hippo up`]
#   SPARK_JARS         jars that the job needs, separated by commas [default: those of stack.jars that `hippo up` fetched]
#   SPARK_MASTER       where the job runs: yarn, k8s://…, spark://… [default: local[*]]
#   SPARK_DEPLOY_MODE  where the driver runs: client (on this machine) or cluster [default: client]
#   SPARK_APP          the program [default: [= spark_app =]]
#   SPARK_CLASS        the class of a jar that is run [default: the main class of its manifest]
#   SPARK_LOG_LEVEL    the level of Spark's own log: ERROR, WARN, INFO, DEBUG [default: ERROR]
#   DATABASE_URL       a database, for jobs that use one [default: the PostgreSQL of `hippo up`]
#   HIPPO_SPARK_TAGS   tags by which the client finds the job on YARN, to watch it and to end it
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"

# Prints a value of .hippo/stack.json, in which `hippo up` notes what it starts: of this folder, or of the nearest one above it.
of_hippo_up() {
  local folder=$PWD
  until [[ -f $folder/.hippo/stack.json ]]; do
    [[ $folder == / ]] && return
    folder=$(dirname "$folder")
  done
  sed -n 's/.*"'"$1"'": *"\([^"]*\)".*/\1/p' "$folder/.hippo/stack.json"
}

if [[ -n ${SPARK_SUBMIT:-} ]]; then
  submit=$SPARK_SUBMIT
elif [[ -n ${SPARK_HOME:-} ]]; then
  submit=$SPARK_HOME/bin/spark-submit
else
  submit=$(command -v spark-submit || of_hippo_up sparkSubmit)
fi
if [[ ! -x $submit ]]; then
  echo "start-spark.sh: no spark-submit${submit:+ at $submit}. Set SPARK_HOME or SPARK_SUBMIT, or run: hippo up" >&2
  exit 127
fi

# A Spark in a virtual environment needs that environment's Python.
python=$(dirname "$submit")/python3
if [[ -z ${PYSPARK_PYTHON:-} && -x $python ]]; then export PYSPARK_PYTHON=$python; fi

# Of Java and Python here. JDBC drivers shift timestamps by Java's zone, which must not depend on the machine.
export TZ=UTC

database=${DATABASE_URL:-$(of_hippo_up DATABASE_URL)}
if [[ -n $database ]]; then export DATABASE_URL=$database; fi

master=${SPARK_MASTER:-local[*]}
options=(
  --master "$master"
  --name "${HIPPO_NAME:-[= name =]}.${HIPPO_JOB:-${HIPPO_SERVICE:-[= spark_app | split: '/' | last | split: '.' | first =]}}"
  --conf "spark.log.level=${SPARK_LOG_LEVEL:-ERROR}"
  --conf spark.ui.showConsoleProgress=false
)
jars=${SPARK_JARS:-$(of_hippo_up sparkJars)}
if [[ -n $jars ]]; then options+=(--jars "$jars"); fi
if [[ -n ${SPARK_CLASS:-} ]]; then options+=(--class "$SPARK_CLASS"); fi
if [[ $master == local* ]]; then
  # On one machine Spark opens no port to the network and serves no web page.
  export SPARK_LOCAL_IP=${SPARK_LOCAL_IP:-127.0.0.1}
  options+=(--conf spark.ui.enabled=false)
else
  options+=(--conf "spark.executorEnv.TZ=$TZ")
fi
if [[ -n ${HIPPO_SPARK_TAGS:-} ]]; then
  options+=(--conf "spark.yarn.tags=$HIPPO_SPARK_TAGS")
fi
if [[ ${SPARK_DEPLOY_MODE:-client} == cluster ]]; then
  options+=(--deploy-mode cluster)
  # The driver runs on another machine and does not see this environment.
  for name in HIPPO_INPUT_DIR HIPPO_OUTPUT_DIR TZ; do
    if [[ -n ${!name:-} ]]; then options+=(--conf "spark.yarn.appMasterEnv.$name=${!name}"); fi
  done
fi

exec "$submit" "${options[@]}" "${SPARK_APP:-[= spark_app =]}" "$@"

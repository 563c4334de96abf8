#!/usr/bin/env bash
# Builds an example that uses Spark and runs it, its driver in a process of its own. MASTER is two cores of this machine
# unless given; local-cluster[N,1,MB] are N processes of one core, the nearest to a cluster that one machine has, and
# spark://HOST:PORT is a standalone cluster whose machines have this folder at the same path. Needs no Spark but Maven's.
#
# usage: examples/spark.sh [--master MASTER] CLASS [ARGUMENT...]
#   examples/spark.sh SimulateClients ../shared/data/natural-instructions /tmp/simulation 1613 3
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
master='local[2]'
if [ "${1:-}" = --master ]; then
  master=$2
  shift 2
fi
(cd "$root" && mvn -q -pl examples -am -DskipTests -Dspotless.check.skip package)

class_path=$root/examples/target/classes:$(<"$root/examples/target/classpath")
opens=$(sed -n 's:.*<spark.opens>\(.*\)</spark.opens>.*:\1:p' "$root/pom.xml")
# An executor's memory is Spark's to say.
options=$(grep -v -e '^#' -e '^-Xmx' "$root/jvm.options" | tr '\n' ' ')

case $master in
local*)
  # Workers on this machine look there for Spark's jars, which are on the executors' class path already.
  export SPARK_HOME=$root/examples/target/spark SPARK_SCALA_VERSION=2.13 SPARK_LOCAL_IP=127.0.0.1
  mkdir -p "$SPARK_HOME/jars"
  ;;
esac
# shellcheck disable=SC2086 # opens are several options
exec "${JAVA_HOME:+$JAVA_HOME/bin/}java" "@$root/jvm.options" $opens \
    "-Dspark.master=$master" -Dspark.ui.enabled=false -Dspark.executor.cores=1 "-Dspark.executor.extraClassPath=$class_path" \
    "-Dspark.executor.extraJavaOptions=$options-XX:ActiveProcessorCount=1 -Dlog4j2.configurationFile=$root/examples/log4j2.properties" \
    "-Dlog4j2.configurationFile=$root/examples/log4j2.properties" \
    -cp "$class_path" "org.fedlora4j.examples.$1" "${@:2}"

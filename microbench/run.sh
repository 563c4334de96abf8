#!/usr/bin/env bash
# Times the parts of a training step, our kernels beside ND4J's ops, by JMH. Some ten minutes for all.
#
# usage: microbench/run.sh [REGEX] [JMH OPTION...]
#   microbench/run.sh
#   microbench/run.sh Plan -p op=SOFTMAX
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
(cd "$root" && mvn -q -pl microbench -am -DskipTests -Dspotless.check.skip package)
exec java "@$root/jvm.options" -Dorg.slf4j.simpleLogger.defaultLogLevel=error \
    -cp "$root/microbench/target/classes:$(<"$root/microbench/target/classpath")" \
    org.fedlora4j.microbench.Main "$@"

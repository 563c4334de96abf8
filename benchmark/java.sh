#!/usr/bin/env bash
# Runs a main class of the benchmark module, named from org.fedlora4j.benchmark on, with fedlora4j's options for the JVM; builds first what is missing.
#
# usage: benchmark/java.sh CLASS [ARGUMENT...]
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
"$root/fedlora" --version >/dev/null # builds what is missing
exec "${JAVA_HOME:+$JAVA_HOME/bin/}java" "@$root/jvm.options" "-Dfedlora.root=$root" \
    -Dorg.slf4j.simpleLogger.defaultLogLevel=error -cp "$root/cli/target/fedlora.jar:$(<"$root/cli/target/classpath")" \
    "org.fedlora4j.benchmark.$1" "${@:2}"

#!/usr/bin/env bash
# Measures speed and memory on this machine. Without arguments it lists its commands; docs/performance.md explains them.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
"$root/fedlora" --version >/dev/null # builds what is missing
exec "${JAVA_HOME:+$JAVA_HOME/bin/}java" "@$root/jvm.options" "-Dfedlora.root=$root" \
    -Dorg.slf4j.simpleLogger.defaultLogLevel=error -cp "$root/cli/target/fedlora.jar:$(<"$root/cli/target/classpath")" \
    org.fedlora4j.benchmark.speed.report.Speed "$@"

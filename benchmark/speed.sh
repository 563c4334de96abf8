#!/usr/bin/env bash
# Measures speed and memory on this machine. Without arguments it lists its commands; docs/performance.md explains them.
exec "$(dirname "$0")/java.sh" speed.report.Speed "$@"

#!/usr/bin/env bash
# Writes a checkpoint of made-up weights in a real one's size and layout. Without arguments it says how; docs/performance.md too.
exec "$(dirname "$0")/java.sh" synthetic.SyntheticCheckpoint "$@"

#!/usr/bin/env bash
# Greedy generation of fedlora4j and of transformers in turn.
#
# usage: benchmark/peers/generate.sh PYTHON MODEL [OPTIONS]
#   PYTHON  an interpreter with benchmark/peers/requirements.txt installed
#   MODEL   a Hugging Face folder, such as SmolLM2-135M-Instruct
exec "$(dirname "$0")/../speed.sh" generation "$@"

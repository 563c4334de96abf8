#!/usr/bin/env bash
# Training steps of fedlora4j and of PyTorch + PEFT in turn, and the products that no step can do without.
#
# usage: benchmark/peers/steps.sh PYTHON MODEL [OPTIONS]
#   PYTHON  an interpreter with benchmark/peers/requirements.txt installed
#   MODEL   a Hugging Face folder, such as SmolLM2-135M-Instruct
exec "$(dirname "$0")/../speed.sh" steps "$@"

#!/usr/bin/env bash
# Compares a whole forward pass with transformers', which computes layer by layer in float32: so 7B fits 8 GB.
#
# usage: benchmark/peers/check_large.sh PYTHON MODEL PRECISION...
#   PYTHON     an interpreter with benchmark/peers/requirements.txt installed
#   MODEL      a converted checkpoint, or a Hugging Face folder with safetensors
#   PRECISION  f32 or bf16; one or more
set -euo pipefail
python=$1 model=$2
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$python" "$root/benchmark/peers/make_reference.py" "$model" "$work/reference.safetensors" --by-layer
for precision in "${@:3}"; do
  echo "$precision:"
  "$root/fedlora" verify "$model" --reference "$work/reference.safetensors" --precision "$precision" | tail -n 5
done

#!/usr/bin/env bash
# Loads what fedlora4j exports in transformers and PEFT, and compares what they compute with what fedlora4j does.
#
# usage: benchmark/peers/check_exports.sh PYTHON RUN [CLIENT]
#   PYTHON  an interpreter with benchmark/peers/requirements.txt installed
#   RUN     a run folder, such as runs/dolly-smollm2; CLIENT takes that client's own adapter, not the global one
set -euo pipefail
python=$1 run=$2 client=${3:+--client $3}
root=$(cd "$(dirname "$0")/../.." && pwd)
model=$(sed -n 's/^model: *"\{0,1\}\([^"]*\)"\{0,1\}$/\1/p' "$run/experiment.yaml")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# shellcheck disable=SC2086 # $client is an option and its value, or nothing
"$root/fedlora" export "$run" $client --to "$work/adapter"
echo "PEFT on the adapter:"
"$python" "$root/benchmark/peers/make_reference.py" "$model" "$work/adapted.safetensors" "$work/adapter"
"$root/fedlora" verify "$model" --adapter "$work/adapter" --reference "$work/adapted.safetensors" | tail -n 3

# shellcheck disable=SC2086
"$root/fedlora" export "$run" $client --merge --dtype f32 --to "$work/merged"
echo "transformers on the merged model:"
"$python" "$root/benchmark/peers/make_reference.py" "$work/merged" "$work/merged.safetensors"
"$root/fedlora" verify "$work/merged" --reference "$work/merged.safetensors" | tail -n 3

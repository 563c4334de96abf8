#!/usr/bin/env bash
# Training steps of fedlora4j and of PyTorch + PEFT in turn, float32, on one machine.
#
# usage: benchmark/peers/steps.sh PYTHON MODEL [PAIRS [BATCHxTOKENS...]]
#   PYTHON  an interpreter with benchmark/peers/requirements.txt installed
#   MODEL   a Hugging Face folder, such as SmolLM2-135M-Instruct
set -euo pipefail
python=$1 model=$2 pairs=${3:-3}
shift $(($# < 3 ? $# : 3))
[ $# -gt 0 ] || set -- 1x128 1x512 4x256
root=$(cd "$(dirname "$0")/../.." && pwd)
"$root/fedlora" --version >/dev/null # builds what is missing
echo "CPU: $(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2 | xargs), $(nproc) threads"
echo "batch    fedlora4j ms   PEFT ms   ratio   (pair)"
for shape in "$@"; do
    batch=${shape%x*} tokens=${shape#*x}
    for pair in $(seq "$pairs"); do
        ours=$(java @"$root/jvm.options" -Dorg.slf4j.simpleLogger.defaultLogLevel=error \
            -cp "$root/cli/target/fedlora.jar:$(<"$root/cli/target/classpath")" \
            org.fedlora4j.benchmark.speed.StepBenchmark "$model" "$batch" "$tokens" 12 | tail -n 1)
        theirs=$("$python" "$root/benchmark/peers/peft_step.py" "$model" "$batch" "$tokens" 12 2>/dev/null)
        awk -v s="${batch}x$tokens" -v a="$ours" -v b="$theirs" -v p="$pair" \
            'BEGIN { printf "%-8s %12.0f %9.0f %7.2f   %d\n", s, a, b, b / a, p }'
    done
done

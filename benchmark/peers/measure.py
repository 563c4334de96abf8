"""What the peers' programs share: the tokens, which fedlora4j's SyntheticTokens makes too, and the line they print."""

import argparse
import importlib.metadata
import json
import statistics
import time

import torch
from transformers import AutoModelForCausalLM


def arguments(description, *names):
    """MODEL, whole numbers called `names`, and the options that all programs have."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("MODEL")
    for name in names:
        parser.add_argument(name, type=int)
    parser.add_argument("--precision", choices=["f32", "bf16", "autocast"], default="f32")
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--warm-up", type=int, default=8)
    return parser.parse_args()


def load(options):
    """The model; autocast keeps its weights in float32."""
    dtype = torch.bfloat16 if options.precision == "bf16" else torch.float32
    return AutoModelForCausalLM.from_pretrained(options.MODEL, dtype=dtype)


def synthetic_ids(vocabulary_size, rows, tokens):
    state = 1
    ids = torch.empty(rows * tokens, dtype=torch.int64)
    for i in range(rows * tokens):
        state = (state * 1_103_515_245 + 12_345) & 0x7FFF_FFFF
        ids[i] = (state >> 8) % vocabulary_size
    return ids.reshape(rows, tokens)


def timed(options, step):
    """Milliseconds of each step after the warm-up, which takes so many seconds and one step at least."""
    began = time.perf_counter()
    step()
    while time.perf_counter() - began < options.warm_up:
        step()
    millis = []
    for _ in range(options.steps):
        began = time.perf_counter()
        step()
        millis.append(1000 * (time.perf_counter() - began))
    return millis


def peak_bytes():
    with open("/proc/self/status") as status:
        return next(1024 * int(line.split()[1]) for line in status if line.startswith("VmHWM:"))


def report(millis, tokens, values):
    """Prints a Measurement of org.fedlora4j.benchmark.speed: a step computes `tokens`."""
    median = statistics.median(millis)
    versions = {name: importlib.metadata.version(name) for name in ("torch", "transformers", "peft")}
    fields = {"millis": millis, "medianMillis": median, "tokens": tokens, "tokensPerSecond": 1000 * tokens / median}
    print(json.dumps(fields | {"peakBytes": peak_bytes(), "values": values, "versions": versions}))

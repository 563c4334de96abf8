"""What the peers' programs share: the tokens, which fedlora4j's SyntheticTokens makes too, and the line they print."""

import argparse
import importlib.metadata
import json
import statistics
import sys
import time

import torch
from transformers import AutoConfig, AutoModelForCausalLM

# Of an interpreter with these libraries; and what must be left to the system.
BASE_BYTES = 600_000_000
RESERVED_BYTES = 1_000_000_000


def arguments(description, *names, flags=()):
    """MODEL, whole numbers called `names`, the options that all programs have, and `flags`."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("MODEL")
    for name in names:
        parser.add_argument(name, type=int)
    parser.add_argument("--precision", choices=["f32", "bf16", "autocast"], default="f32")
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--warm-up", type=int, default=8)
    for flag in flags:
        parser.add_argument("--" + flag, action="store_true")
    return parser.parse_args()


def load(options):
    """The model; autocast keeps its weights in float32. Weights are read one by one, so that none is in memory twice."""
    dtype = torch.bfloat16 if options.precision == "bf16" else torch.float32
    return AutoModelForCausalLM.from_pretrained(options.MODEL, dtype=dtype)


def decline_if_too_large(options, tokens, training):
    """Ends the program, saying so, where its memory would not suffice: else the system would kill it, or another one."""
    needed = BASE_BYTES + RESERVED_BYTES + model_bytes(options, tokens, training)
    available = system_bytes("/proc/meminfo", "MemAvailable:")
    if needed > available:
        reason = f"needs some {needed / 1e9:.1f} GB; {available / 1e9:.1f} GB are available"
        print(json.dumps({"declined": reason}))
        sys.exit()


def model_bytes(options, tokens, training):
    """Weights; logits with their float32 copies; and what a step keeps, without checkpointing, for the backward pass.

    The latter is 24 hidden and 4 feed-forward widths for each token and layer, in the weights' type: that of LLaMA2-7B at
    512 tokens, whose steps in bf16 were measured with 19.1 GB. A forward pass keeps one layer's.
    """
    config = AutoConfig.from_pretrained(options.MODEL)
    with torch.device("meta"):
        parameters = sum(p.numel() for p in AutoModelForCausalLM.from_config(config).parameters())
    size = 2 if options.precision == "bf16" else 4
    layers = config.num_hidden_layers if training else 1
    kept = tokens * layers * (24 * config.hidden_size + 4 * config.intermediate_size)
    logits = tokens * config.vocab_size * (size + 3 * 4)
    return size * (parameters + kept) + logits


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


def system_bytes(file, field):
    """A field of a file under /proc, in bytes."""
    with open(file) as lines:
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith(field))


def report(millis, tokens, values):
    """Prints a Measurement of org.fedlora4j.benchmark.speed: a step computes `tokens`."""
    median = statistics.median(millis)
    versions = {name: importlib.metadata.version(name) for name in ("torch", "transformers", "peft")}
    fields = {"millis": millis, "medianMillis": median, "tokens": tokens, "tokensPerSecond": 1000 * tokens / median}
    peak = system_bytes("/proc/self/status", "VmHWM:")
    print(json.dumps(fields | {"peakBytes": peak, "values": values, "versions": versions}))

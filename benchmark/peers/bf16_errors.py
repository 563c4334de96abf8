"""Prints what bf16 costs PyTorch: the larger of its errors under autocast and with all in bf16, against float32 references.

usage: bf16_errors.py TOY...
TOY is a folder of tests/golden/toy, with a model, an adapter and a reference. Logits by the largest of them, all
gradients together in L2 norm.
"""

import sys
from pathlib import Path

import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM


def errors(folder, autocast):
    wanted = load_file(folder / "adapter-reference.safetensors")
    dtype = torch.float32 if autocast else torch.bfloat16
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, attn_implementation="eager")
    model = PeftModel.from_pretrained(model, folder / "adapter", is_trainable=True).to(dtype).eval()
    inputs = {name: wanted[name] for name in ("input_ids", "attention_mask", "labels")}
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        output = model(**inputs)
    output.loss.backward()
    found = {
        "grad." + name.replace(".default", ""): parameter.grad.float()
        for name, parameter in model.named_parameters()
        if parameter.grad is not None
    }
    difference = torch.cat([(found[name] - wanted[name]).flatten() for name in found])
    gradients = torch.cat([wanted[name].flatten() for name in found])
    return (
        (output.logits.float() - wanted["logits"]).abs().max() / wanted["logits"].abs().max(),
        difference.norm() / gradients.norm(),
    )


for toy in map(Path, sys.argv[1:]):
    larger = [max(pair) for pair in zip(errors(toy, True), errors(toy, False))]
    print(f"{toy.name:16} | " + " | ".join(f"{error:.1e}" for error in larger))

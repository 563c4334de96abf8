"""Writes what transformers, and PEFT where an adapter is given, compute for a few sentences: a reference for `fedlora verify`.

usage: make_reference.py MODEL OUT.safetensors [ADAPTER | --by-layer]
MODEL is a folder that transformers loads, ADAPTER one that PEFT loads. Everything is computed in float32. --by-layer reads
each layer's weights, from safetensors, when it runs, and forgets them: for a model that is too large for this machine.
"""

import json
import sys
from pathlib import Path

import torch
from peft import PeftModel
from safetensors import safe_open
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

SENTENCES = [
    "Which of the two rivers is longer, the Rhine or the Danube? The Danube.",
    "Translate to French: good morning. Bonjour.",
    "Name three primary colours. Red, yellow and blue.",
]



def read_by_layer(path):
    """The model without weights, which come when a part begins to compute, and go when it has."""
    config = AutoConfig.from_pretrained(path)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config, dtype=torch.float32, attn_implementation="eager")
    model.model.rotary_emb = type(model.model.rotary_emb)(config=config)  # buffers, which no file has
    index = Path(path) / "model.safetensors.index.json"
    files = set(json.loads(index.read_text())["weight_map"].values()) if index.exists() else ["model.safetensors"]
    opened = [safe_open(Path(path) / file, "pt") for file in sorted(files)]
    weights = {name: file for file in opened for name in file.keys()}

    def weight(name):
        tied = name == "lm_head.weight" and config.tie_word_embeddings
        return weights[name].get_tensor(name) if not tied else weight("model.embed_tokens.weight")

    def replace(module, prefix, value_of):
        for name, parameter in list(module.named_parameters()):
            owner, _, leaf = name.rpartition(".")
            value = torch.nn.Parameter(value_of(prefix + name, parameter), requires_grad=False)
            setattr(module.get_submodule(owner), leaf, value)

    def watch(module, prefix):
        def read(*_):
            replace(module, prefix, lambda name, _: weight(name).float())

        def forget(*_):
            replace(module, prefix, lambda _, parameter: torch.empty_like(parameter, device="meta"))

        module.register_forward_pre_hook(read)
        module.register_forward_hook(forget)

    parts = {"model.embed_tokens.": model.model.embed_tokens, "model.norm.": model.model.norm, "lm_head.": model.lm_head}
    parts |= {f"model.layers.{i}.": layer for i, layer in enumerate(model.model.layers)}
    for prefix, module in parts.items():
        watch(module, prefix)
    return model


model_path, out, *adapter = sys.argv[1:4]
tokenizer = AutoTokenizer.from_pretrained(model_path)
if adapter == ["--by-layer"]:
    adapter = []
    torch.set_grad_enabled(False)
    model = read_by_layer(model_path)
else:
    model = AutoModelForCausalLM.from_pretrained(model_path, dtype=torch.float32, attn_implementation="eager")
if adapter:
    model = PeftModel.from_pretrained(model, adapter[0], is_trainable=True)
model.eval()  # no dropout

rows = [tokenizer(sentence)["input_ids"] for sentence in SENTENCES]
tokens = max(map(len, rows))
ids = torch.zeros(len(rows), tokens, dtype=torch.int64)
mask = torch.zeros_like(ids)
labels = torch.full_like(ids, -100)
for i, row in enumerate(rows):
    ids[i, : len(row)] = torch.tensor(row)
    mask[i, : len(row)] = 1
    labels[i, len(row) // 2 : len(row)] = ids[i, len(row) // 2 : len(row)]

output = model(input_ids=ids, attention_mask=mask, labels=labels, output_hidden_states=True)
tensors = {"input_ids": ids, "attention_mask": mask, "labels": labels}
tensors["logits"] = output.logits
tensors["loss"] = output.loss.reshape(1)
*layers, final = output.hidden_states
tensors |= {f"hidden.{i}": hidden for i, hidden in enumerate(layers)} | {"hidden.final": final}
if adapter:
    output.loss.backward()
    for name, parameter in model.named_parameters():
        if parameter.grad is not None:
            tensors["grad." + name.replace(".default", "")] = parameter.grad
save_file({name: tensor.detach().contiguous() for name, tensor in tensors.items()}, out)
print(f"{out}: {len(tensors)} tensors, loss {output.loss.item():.5f}")

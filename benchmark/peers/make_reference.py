"""Writes what transformers, and PEFT where an adapter is given, compute for a few sentences: a reference for `fedlora verify`.

usage: make_reference.py MODEL OUT.safetensors [ADAPTER]
MODEL is a folder that transformers loads, ADAPTER one that PEFT loads. Everything is computed in float32.
"""

import sys

import torch
from peft import PeftModel
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

SENTENCES = [
    "Which of the two rivers is longer, the Rhine or the Danube? The Danube.",
    "Translate to French: good morning. Bonjour.",
    "Name three primary colours. Red, yellow and blue.",
]

model_path, out, *adapter = sys.argv[1:4]
tokenizer = AutoTokenizer.from_pretrained(model_path)
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

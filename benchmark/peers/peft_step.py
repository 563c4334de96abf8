"""Times training steps of PyTorch + PEFT: LoRA r=8, alpha=16 on q and v, AdamW, all positions as targets.

usage: peft_step.py MODEL BATCH TOKENS STEPS
Prints one line: the median of the steps' milliseconds, after five steps of warm-up.
"""

import statistics
import sys
import time

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

model_path, batch, tokens, steps = sys.argv[1], *map(int, sys.argv[2:5])
torch.manual_seed(1)
model = AutoModelForCausalLM.from_pretrained(model_path, dtype=torch.float32)
model = get_peft_model(model, LoraConfig(r=8, lora_alpha=16, target_modules=["q_proj", "v_proj"]))
model.train()
optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-3)
ids = torch.randint(0, model.config.vocab_size, (batch, tokens))

times = []
for step in range(5 + steps):
    start = time.perf_counter()
    loss = model(input_ids=ids, labels=ids).loss
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    times.append(1000 * (time.perf_counter() - start))
print(f"{statistics.median(times[5:]):.1f}")

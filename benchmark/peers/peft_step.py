"""Times training steps of PyTorch + PEFT: LoRA r=8, alpha=16 on q and v, AdamW, all positions as targets.

usage: peft_step.py MODEL BATCH TOKENS [--precision f32|bf16|autocast] [--steps N] [--warm-up SECONDS]
bf16: all of it, the adapter and its optimizer too; autocast: float32 weights, bf16 where PyTorch finds it safe.
Prints one line of JSON; firstLoss is that of the model without an adapter.
"""

import measure
import torch
from peft import LoraConfig, get_peft_model

options = measure.arguments(__doc__, "BATCH", "TOKENS")
torch.manual_seed(1)
lora = LoraConfig(r=8, lora_alpha=16, target_modules=["q_proj", "v_proj"])
base = measure.load(options)
model = get_peft_model(base, lora, autocast_adapter_dtype=False)
assert {parameter.dtype for parameter in model.parameters()} == {base.dtype}
model.train()
optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-3, weight_decay=1e-2)
ids = measure.synthetic_ids(model.config.vocab_size, options.BATCH, options.TOKENS)


def step():
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=options.precision == "autocast"):
        loss = model(input_ids=ids, labels=ids).loss
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return loss.item()


first_loss = step()
measure.report(measure.timed(options, step), ids.numel(), {"firstLoss": first_loss})

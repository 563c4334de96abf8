"""Times training steps of PyTorch + PEFT: LoRA r=8, alpha=16 on q and v, AdamW, all positions as targets.

usage: peft_step.py MODEL BATCH TOKENS [--precision f32|bf16|autocast] [--steps N] [--warm-up SECONDS] [--forward]
bf16: all of it, the adapter and its optimizer too; autocast: float32 weights, bf16 where PyTorch finds it safe.
--forward times forward passes without an adapter, up to the loss.
Prints one line of JSON; firstLoss is that of the model without an adapter. Where the memory that it needs is not available
the line says that instead.
"""

import measure
import torch
from peft import LoraConfig, get_peft_model

options = measure.arguments(__doc__, "BATCH", "TOKENS", flags=["forward"])
measure.decline_if_too_large(options, options.BATCH * options.TOKENS, training=not options.forward)
torch.manual_seed(1)
lora = LoraConfig(r=8, lora_alpha=16, target_modules=["q_proj", "v_proj"])
base = measure.load(options)
ids = measure.synthetic_ids(base.config.vocab_size, options.BATCH, options.TOKENS)


def loss_of(model):
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=options.precision == "autocast"):
        return model(input_ids=ids, labels=ids).loss


def forward():
    with torch.no_grad():
        return loss_of(base).item()


def training_step():
    model = get_peft_model(base, lora, autocast_adapter_dtype=False)
    assert {parameter.dtype for parameter in model.parameters()} == {base.dtype}
    model.train()
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-3, weight_decay=1e-2)

    def step():
        loss = loss_of(model)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return loss.item()

    return step


step = forward if options.forward else training_step()
first_loss = step()
measure.report(measure.timed(options, step), ids.numel(), {"firstLoss": first_loss})

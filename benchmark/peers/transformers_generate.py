"""Times greedy generation of transformers: prompts of equal length, which no token ends early.

usage: transformers_generate.py MODEL BATCH PROMPT NEW [--precision f32|bf16] [--steps N] [--warm-up SECONDS]
Prints one line of JSON; a step is a whole call, first[i] the first new token of row i.
"""

import measure
import torch

options = measure.arguments(__doc__, "BATCH", "PROMPT", "NEW")
model = measure.load(options).eval()
ids = measure.synthetic_ids(model.config.vocab_size, options.BATCH, options.PROMPT)


def step():
    return model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=options.NEW,
        min_new_tokens=options.NEW,
        do_sample=False,
    )


first = {f"first[{row}]": float(tokens[options.PROMPT]) for row, tokens in enumerate(step())}
measure.report(measure.timed(options, step), options.BATCH * options.NEW, first)

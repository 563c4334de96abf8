"""Loads GGUF files that fedlora4j wrote in the gguf library, transformers and llama.cpp, and compares them with their source.

usage: check_gguf.py MODEL FILE.gguf ...
MODEL is the Hugging Face folder that the files were converted from. Needs what requirements.txt beside this lists.
"""

import sys

import gguf
import llama_cpp
import numpy as np
import torch
from gguf.quants import dequantize, quantize
from transformers import AutoModelForCausalLM, AutoTokenizer

TEXTS = ["The capital of France is", "def add(a, b):\n    return", "Grüße, 12 345 ½!  \n\t<|im_end|> 你好 🙂"]


def llama_cpp_rows(weight, heads):
    """The rows of q and k as llama.cpp orders them."""
    return weight.reshape(heads, 2, weight.shape[0] // heads // 2, -1).swapaxes(1, 2).reshape(weight.shape)


def check_tensors(path, model):
    """Every tensor is the library's own rounding of the source's, bit for bit."""
    config = model.config
    state = {name: weight.float().numpy() for name, weight in model.state_dict().items()}
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
    wanted = {names.get_name(name, try_suffixes=(".weight",)): name for name in state}
    if config.tie_word_embeddings:
        del wanted["output.weight"]
    tensors = {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}
    tensors.pop("rope_freqs.weight", None)
    assert tensors.keys() == wanted.keys(), tensors.keys() ^ wanted.keys()
    largest = 0
    for name, tensor in tensors.items():
        weight = state[wanted[name]]
        heads = {"attn_q.weight": config.num_attention_heads, "attn_k.weight": config.num_key_value_heads}
        part = name.split(".", 2)[-1]
        if part in heads:
            weight = np.ascontiguousarray(llama_cpp_rows(weight, heads[part]))
        assert np.array_equal(tensor.data.view(np.uint8), quantize(weight, tensor.tensor_type).view(np.uint8)), name
        largest = max(largest, np.abs(dequantize(tensor.data, tensor.tensor_type) - weight).max())
    print(f"  gguf: {len(tensors)} tensors, the library's own bytes; weights move by {largest:.1e} at most")


def greedy(logits_of, ids, count):
    for _ in range(count):
        ids = ids + [int(np.argmax(logits_of(ids)))]
    return ids


def logits_of(model):
    return lambda ids: model(input_ids=torch.tensor([ids])).logits[0, -1].numpy()


def main():
    folder, *paths = sys.argv[1:]
    torch.set_grad_enabled(False)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    source = logits_of(model)
    prompts = [tokenizer(text)["input_ids"] for text in TEXTS]
    for path in paths:
        print(path)
        check_tensors(path, model)

        loaded = AutoModelForCausalLM.from_pretrained(".", gguf_file=path, dtype=torch.float32)
        difference = max(np.abs(logits_of(loaded)(ids) - source(ids)).max() for ids in prompts)
        from_gguf = AutoTokenizer.from_pretrained(".", gguf_file=path)
        same = sum(from_gguf(text)["input_ids"] == ids for text, ids in zip(TEXTS, prompts))
        print(f"  transformers: logits differ by {difference:.1e}; ids of {same} of {len(TEXTS)} texts equal")

        llama = llama_cpp.Llama(path, n_ctx=256, n_batch=256, n_threads=1, logits_all=True, verbose=False)

        def llama_logits(ids):
            llama.reset()
            llama.eval(ids)
            return llama.scores[len(ids) - 1].copy()

        same = sum(llama.tokenize(text.encode(), add_bos=False, special=True) == ids for text, ids in zip(TEXTS, prompts))
        difference = max(np.abs(llama_logits(ids) - logits_of(loaded)(ids)).max() for ids in prompts)
        print(f"  llama.cpp: ids of {same} of {len(TEXTS)} texts equal; logits differ from transformers' by {difference:.1e}")
        print("  llama.cpp: " + tokenizer.decode(greedy(llama_logits, prompts[0], 16)))
        print("  source:    " + tokenizer.decode(greedy(source, prompts[0], 16)))


main()

"""Loads a made-up checkpoint, as PyTorch's files and as safetensors, with their own libraries, and compares the two.

usage: check_checkpoint.py TORCH_FOLDER SAFETENSORS_FOLDER
Both are written by benchmark/checkpoint.sh with the same seed. Tensors are read one by one.
"""

import json
import sys
from pathlib import Path

import torch
from safetensors import safe_open


def files(folder, single):
    """The places of all tensors; an index must name each in its own file, and no other, with all their bytes."""
    index = folder / (single + ".index.json")
    if not index.exists():
        return [folder / single], None
    content = json.loads(index.read_text())
    return [folder / file for file in sorted(set(content["weight_map"].values()))], content


def torch_tensors(folder):
    paths, index = files(folder, "pytorch_model.bin")
    found, places = {}, {}
    for path in paths:
        tensors = torch.load(path, weights_only=True, mmap=True, map_location="cpu")
        found |= tensors
        places |= {name: path.name for name in tensors}
    check_index(index, places, found)
    return found


def check_index(index, places, tensors):
    if index:
        assert index["weight_map"] == places, "the index places tensors elsewhere"
        assert index["metadata"]["total_size"] == sum(t.numel() * t.element_size() for t in tensors.values())


folders = list(map(Path, sys.argv[1:3]))
from_torch = torch_tensors(folders[0])
paths, index = files(folders[1], "model.safetensors")
names, places = set(), {}
deviations = []
for path in paths:
    with safe_open(path, "pt") as file:
        for name in file.keys():
            tensor, other = file.get_tensor(name), from_torch[name]
            assert (tensor.dtype, tensor.shape) == (other.dtype, other.shape), name
            assert torch.equal(tensor, other), name
            names.add(name)
            places[name] = path.name
            if tensor.dim() == 2:
                deviations.append(tensor.float().std().item())
check_index(index, places, from_torch)
assert names == from_torch.keys(), names ^ from_torch.keys()
print(f"{len(names)} tensors, equal bit by bit; standard deviations {min(deviations):.5f} to {max(deviations):.5f}")

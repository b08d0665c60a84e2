"""Tensors of an adapter, read from a file that was checked, and a hash of them."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load
from torch import Tensor

from adaptkit.format.tensor_file import Shapes, check_tensors


def parse_tensors(content: bytes, expected: Shapes, path: Path) -> dict[str, Tensor]:
    """Read a safetensors file that must hold exactly the expected tensors.

    Raises:
        AdapterFileError: As `check_tensors`.
    """
    check_tensors(content, expected, path)
    tensors = load(content)
    return {name: tensors[name] for name in expected}


def sha256_of(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 of names, types, shapes and values."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()

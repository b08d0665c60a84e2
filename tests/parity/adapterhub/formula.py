"""A tiny BERT, adapters and inputs by formula: the same numbers in every environment, whatever its versions.

Imports torch alone, as it runs beside transformers 4.57 (in `record.py`) and beside adaptkit (in the test).
"""

import zlib
from typing import Any

import torch
from torch import Tensor, nn

BERT: dict[str, Any] = {
    "vocab_size": 400,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 40,
    "pad_token_id": 1,
}
INPUTS = [[0, 17, 203, 45, 2], [0, 350, 8, 2]]
RANK, ALPHA = 4, 6
REDUCTION_FACTOR = 4


def values(name: str, shape: torch.Size, *, size: float) -> Tensor:
    """Numbers between -size and size that look random, and depend on the name.

    The square keeps matrices at full rank: sines of evenly spaced numbers would make them rank 2.
    """
    index = torch.arange(shape.numel(), dtype=torch.float64)
    return (size * torch.sin(0.1 * index**2 + index + zlib.crc32(name.encode()) % 1000)).reshape(shape).float()


@torch.no_grad()
def fill_backbone(network: nn.Module) -> None:
    for name, parameter in network.named_parameters():
        around = 1.0 if name.endswith("LayerNorm.weight") else 0.0
        parameter.copy_(around + values(name, parameter.shape, size=0.2))


def adapter_values(adapter: str, name: str, shape: torch.Size) -> Tensor:
    """An adapter's tensor, by the name that it has in adaptkit: `<module path>.<weight name>`."""
    return values(f"{adapter} {name}", shape, size=0.3)

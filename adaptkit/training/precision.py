"""Run a frozen backbone in bfloat16 for a while, and leave it bit for bit as it was."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from adaptkit.backbones import blocks_of, embeddings_of


@contextmanager
def bfloat16_blocks(network: PreTrainedModel) -> Iterator[None]:
    """Let the transformer blocks compute in bfloat16 while the context is open.

    Autocast would convert every weight and every activation again at each layer, a fifth of a training step on CPU.
    The embedding table, most of a multilingual encoder, stays as it is; only its output is converted.
    """
    before = [(weight, weight.data) for block in blocks_of(network) for weight in block.parameters()]
    handle = embeddings_of(network).register_forward_hook(_to_bfloat16)
    try:
        for weight, data in before:
            if data.dtype == torch.float32:
                weight.data = data.to(torch.bfloat16)
        yield
    finally:
        handle.remove()
        for weight, data in before:
            weight.data = data


def _to_bfloat16(_module: nn.Module, _args: object, output: Tensor) -> Tensor:
    return output.to(torch.bfloat16)

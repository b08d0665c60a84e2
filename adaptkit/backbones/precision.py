"""Run a frozen backbone in bfloat16 for a while, and leave it bit for bit as it was."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from adaptkit.backbones.architectures import embeddings_of
from adaptkit.config import Precision


def uses_bfloat16(precision: Precision, device: torch.device) -> bool:
    """Whether a run of this precision computes in bf16 on this device."""
    return precision == "bf16" or (precision == "auto" and has_fast_bfloat16(device))


def has_fast_bfloat16(device: torch.device) -> bool:
    """Whether bf16 arithmetic is done by the hardware, not by conversion."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type != "cpu":
        return False
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16") or capabilities.get("bf16"))


@contextmanager
def bfloat16_blocks(network: PreTrainedModel) -> Iterator[None]:
    """Let everything above the embeddings compute in bfloat16 while the context is open.

    Autocast would convert every weight and every activation again at each layer, a fifth of a training step on CPU.
    The embedding table, most of a multilingual encoder, stays as it is; only its output is converted.
    """
    below = {id(weight) for weight in embeddings_of(network).parameters()}
    before = [(weight, weight.data) for weight in network.parameters() if id(weight) not in below]
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

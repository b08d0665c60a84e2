"""Run a frozen backbone in bfloat16 for a while, and leave it bit for bit as it was."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle
from transformers import PreTrainedModel

from adaptkit.backbones.networks import all_blocks_of, entrances_of, parts_of_embeddings
from adaptkit.config import Precision

_SCALE_FOR_FLOAT16 = 2.0**10


def uses_bfloat16(precision: Precision, device: torch.device) -> bool:
    """Whether a run of this precision computes in bf16 on this device."""
    return precision == "bf16" or (precision == "auto" and has_fast_bfloat16(device))


def run_type(precision: Precision, device: torch.device) -> torch.dtype:
    """The type in which a run of this precision computes on this device."""
    return torch.bfloat16 if uses_bfloat16(precision, device) else torch.float32


def half_type(device: torch.device) -> torch.dtype:
    """The type of a backbone that is held in 16 bits on this device."""
    return torch.bfloat16 if device.type != "cuda" or has_fast_bfloat16(device) else torch.float16


def has_fast_bfloat16(device: torch.device) -> bool:
    """Whether bf16 arithmetic is done by the hardware, not by conversion."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type != "cpu":
        return False
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16") or capabilities.get("bf16"))


def loss_scale(network: PreTrainedModel) -> float:
    """What a loss is multiplied by before backward, and its gradients divided by after it, as the blocks are now.

    Gradients of activations are about as small as the smallest numbers of float16, so that many would become 0
    (Micikevicius et al. 2018, arXiv:1710.03740). The other types reach as far down as they need.
    """
    weights = (weight for block in all_blocks_of(network) for weight in block.parameters())
    return _SCALE_FOR_FLOAT16 if any(weight.dtype == torch.float16 for weight in weights) else 1.0


@contextmanager
def types_as_said(device: torch.device) -> Iterator[None]:
    """Compute in the types of the tensors, also where the caller has opened an autocast."""
    with torch.autocast(device.type, enabled=False):
        yield


@contextmanager
def bfloat16_blocks(network: PreTrainedModel, *, on: bool = True) -> Iterator[None]:
    """Let everything above the embeddings compute in bfloat16 while the context is open, if it is `on`.

    Autocast would convert every weight and every activation again at each layer, a fifth of a training step on CPU.
    The embedding table, most of a multilingual encoder, stays as it is; only its output is converted.
    """
    if not on:
        yield
        return
    below = {id(weight) for module in parts_of_embeddings(network) for weight in module.parameters()}
    before = [(weight, weight.data) for weight in network.parameters() if id(weight) not in below]
    handles = enter_in_bfloat16(network)
    try:
        for weight, data in before:
            if data.dtype == torch.float32:
                weight.data = data.to(torch.bfloat16)
        yield
    finally:
        for handle in handles:
            handle.remove()
        for weight, data in before:
            weight.data = data


def enter_in_bfloat16(network: PreTrainedModel) -> list[RemovableHandle]:
    """Let what enters the first block be in bfloat16, until the handles are removed."""
    return [module.register_forward_hook(_to_bfloat16) for module in entrances_of(network)]


def is_in_bfloat16_blocks(network: PreTrainedModel) -> bool:
    """Whether `bfloat16_blocks` is open: what was made of the network before has other weights than it has now."""
    return any(_to_bfloat16 in module._forward_hooks.values() for module in entrances_of(network))


def _to_bfloat16(_module: nn.Module, _args: object, output: Tensor) -> Tensor:
    return output.to(torch.bfloat16)

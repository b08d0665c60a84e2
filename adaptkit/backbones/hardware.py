"""What the machine offers a training run, and what a run takes of it."""

import platform
import resource
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from transformers import PreTrainedModel


def peak_memory_bytes(device: torch.device) -> int:
    """The most memory that this process has held: of the GPU when it trains on one, else resident memory."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if platform.system() == "Darwin" else peak * 1024


@contextmanager
def fast_attention(network: PreTrainedModel) -> Iterator[None]:
    """Let attention run in the form that trains fastest here, and put it back as it was.

    On CPU the fused attention of torch 2.13 takes over half of a training step in backward; plain matrix products
    take a tenth of that.
    """
    before = network.config._attn_implementation
    change = network.device.type == "cpu" and before == "sdpa"
    if change:
        network.set_attn_implementation("eager")
    try:
        yield
    finally:
        if change:
            network.set_attn_implementation(before)

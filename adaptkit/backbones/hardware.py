"""What the machine offers a training run, and what a run takes of it."""

import os
import platform
import resource
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import torch
from transformers import PreTrainedModel

from adaptkit.backbones.masked_attention import ALWAYS_MASKED


def peak_memory_bytes(device: torch.device) -> int:
    """The most memory that this process has held: of the GPU when it trains on one, else resident memory."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if platform.system() == "Darwin" else peak * 1024


def resident_bytes() -> int:
    """The memory that this process holds now."""
    return int(psutil.Process().memory_info().rss)


def wait_for(device: torch.device) -> None:
    """Let a GPU finish what it was given, so that a time taken afterwards is that of the work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def works_beside(device: torch.device) -> bool:
    """Whether a device computes while this thread goes on, until it is asked for a number."""
    return device.type != "cpu"


_WATTS_OF_A_THREAD = 10.0


def hardware_name(device: torch.device) -> str:
    """What a run computes on, in a few words."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "mps":
        return f"Apple GPU ({platform.machine()})"
    name = torch.cpu.get_capabilities().get("cpu_name") or platform.processor() or platform.machine()
    return f"{torch.get_num_threads()} of {os.cpu_count()} threads of a CPU ({name})"


def assumed_watts(device: torch.device) -> float | None:
    """The electrical power that a run takes, roughly: 10 W for each CPU thread; None for what cannot be said."""
    return _WATTS_OF_A_THREAD * torch.get_num_threads() if device.type == "cpu" else None


_TRAINS_FASTEST = {"cpu": "eager"}


@contextmanager
def fast_attention(network: PreTrainedModel) -> Iterator[None]:
    """Let attention run in the form that trains fastest here, and put it back as it was.

    On CPU the fused attention of torch 2.13 takes over half of a training step in backward; plain matrix products
    take a tenth of that. On a GPU it is always given its mask, as it is waited for otherwise.
    """
    before = network.config._attn_implementation
    if before != "sdpa":
        yield
        return
    network.set_attn_implementation(_TRAINS_FASTEST.get(network.device.type, ALWAYS_MASKED))
    try:
        yield
    finally:
        network.set_attn_implementation(before)

"""Memory that is not enough: said as an error that names the options to turn."""

import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import torch

from adaptkit.errors import OutOfMemory

_TRIED = re.compile(r"(?<=Tried to allocate )[\d.]+ [KMG]iB")
_SIGNS = ("out of memory", "can't allocate memory", "not enough memory")


@contextmanager
def memory_errors_told(what: str, device: torch.device, ways: str) -> Iterator[None]:
    """While open, memory that runs out in `what` is an `OutOfMemory` that says which `ways` there are.

    Raises:
        OutOfMemory: An allocation failed on the device, or on the CPU.
    """
    try:
        yield
    except RuntimeError as error:
        short = memory_error_in(error)
        if short is None:
            raise
        # The frames would hold the memory as long as somebody holds the error.
        for each in (error, short):
            traceback.clear_frames(each.__traceback__)
        asked = f" ({tried[0]} more)" if (tried := _TRIED.search(str(short))) else ""
        raise OutOfMemory(f"the memory of {_named(device)} is not enough for {what}{asked}. {ways}") from None


def memory_error_in(error: BaseException) -> BaseException | None:
    """The error which says that memory ran out: it, or one that led to it; None where that is not why.

    A recording as a CUDA graph that breaks off for it ends in another error, of the recording.
    """
    found: BaseException | None = error
    # Of CUDA it is a class of its own; elsewhere torch says it in words only.
    while found is not None and not (
        isinstance(found, torch.OutOfMemoryError) or any(sign in str(found).lower() for sign in _SIGNS)
    ):
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)
    return found


def gpu_bytes(device: torch.device) -> int | None:
    """What this process may hold of a GPU's memory, with what it holds already; None where that is not known."""
    if device.type != "cuda":
        return None
    free, _ = torch.cuda.mem_get_info(device)
    return free + torch.cuda.memory_reserved(device)


def free_bytes(device: torch.device) -> int:
    """What a device's memory still holds, or this machine's where it has none of its own."""
    on_gpu = gpu_bytes(device)
    return psutil.virtual_memory().available if on_gpu is None else on_gpu


def _named(device: torch.device) -> str:
    if device.type != "cuda":
        return "this machine" if device.type == "cpu" else f"device {device}"
    total = torch.cuda.get_device_properties(device).total_memory
    return f"{device} ({torch.cuda.get_device_name(device)}, {total / 2**30:.1f} GiB)"

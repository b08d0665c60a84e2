"""Where a backbone computes: the best device of this machine, or the one that is asked for."""

import os

import torch

from adaptkit.errors import ConfigError
from adaptkit.holding import AUTO

_LOCAL_RANK = "LOCAL_RANK"


def device_for(asked: str | torch.device = AUTO) -> torch.device:
    """The device that is asked for, seen to be there; `auto` is CUDA, else Apple's (mps), else the CPU.

    Of several processes that train together on one machine, each has the GPU of its own number, unless one is named.

    Raises:
        ConfigError: There is no such device here.
    """
    found = torch.device(best_device()) if str(asked) == AUTO else _parsed(asked)
    if found.type == "cuda":
        return _cuda(found, asked)
    if found.type == "mps" and not torch.backends.mps.is_available():
        raise ConfigError(f"device 'mps' is the GPU of an Apple computer, and torch sees none here. {_others()}")
    if found.type not in ("cpu", "mps"):
        _require_usable(found)
    return found


def best_device() -> str:
    """The kind of device that `auto` stands for on this machine."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _parsed(asked: str | torch.device) -> torch.device:
    try:
        return torch.device(asked)
    except RuntimeError as error:
        raise ConfigError(f"there is no device {str(asked)!r}; give auto, cpu, cuda, cuda:N or mps.") from error


def _cuda(found: torch.device, asked: str | torch.device) -> torch.device:
    if not torch.cuda.is_available():
        why = (
            "torch finds no NVIDIA GPU or no driver for it; the command nvidia-smi shows whether the machine does"
            if torch.version.cuda is not None
            else f"this torch ({torch.__version__}) is built without CUDA; install one that is built with it"
        )
        raise ConfigError(f"device {str(asked)!r} cannot be used here: {why}. {_others()}")
    count = torch.cuda.device_count()
    index = int(os.environ.get(_LOCAL_RANK, 0)) if found.index is None else found.index
    if index >= count:
        processes = "" if found.index is not None else f", and this is process {index} of those that train together"
        raise ConfigError(
            f"device 'cuda:{index}' cannot be used here: torch sees {count} GPU{'s' if count > 1 else ''}, counted "
            f"from cuda:0{processes}. Start at most one process for each GPU, or name another device."
        )
    return torch.device("cuda", index)


def _require_usable(device: torch.device) -> None:
    """For kinds of devices that torch knows by a backend of its own."""
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError, ImportError) as error:
        reason = str(error).partition("\n")[0]
        raise ConfigError(f"device {str(device)!r} cannot be used here: {reason}. {_others()}") from error


def _others() -> str:
    return f"Leave device out, or give 'auto': that is {best_device()!r} here."

"""torch's random state on the devices of a run: forked, so that the caller's stays as it was, saved and restored."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch


@contextmanager
def forked(device: torch.device, seed: int | None = None) -> Iterator[None]:
    """Random draws that leave no trace outside, from `seed` on if there is one."""
    with torch.random.fork_rng(devices=_gpus(device)):
        if seed is not None:
            torch.manual_seed(seed)
        yield


def random_states(device: torch.device) -> dict[str, bytes]:
    """The state of the CPU's generator, and of the device's own if it has one."""
    states = {"cpu": torch.get_rng_state()}
    for gpu in _gpus(device):
        states["cuda"] = torch.cuda.get_rng_state(gpu)
    return {name: bytes(state.tolist()) for name, state in states.items()}


def restore_random_states(states: Mapping[str, bytes], device: torch.device) -> None:
    """Put saved states in force.

    Raises:
        ValueError: They are not those of such a device, or are damaged.
    """
    wanted = {"cpu", "cuda"} if _gpus(device) else {"cpu"}
    if states.keys() != wanted:
        raise ValueError(f"random states of {', '.join(states) or 'nothing'}, expected {', '.join(sorted(wanted))}")
    tensors = {name: torch.tensor(list(state), dtype=torch.uint8) for name, state in states.items()}
    try:
        torch.set_rng_state(tensors["cpu"])
        for gpu in _gpus(device):
            torch.cuda.set_rng_state(tensors["cuda"], gpu)
    except RuntimeError as error:
        raise ValueError(str(error)) from error


def _gpus(device: torch.device) -> list[int]:
    if device.type != "cuda":
        return []
    return [torch.cuda.current_device() if device.index is None else device.index]

"""The random state of a run: forked, so that the caller's stays as it was, saved and restored."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext

import torch

from adaptkit.layers.dropout import Share, share_of
from adaptkit.training.processes import Processes


@contextmanager
def forked(device: torch.device, seed: int | None = None) -> Iterator[None]:
    """Random draws that leave no trace outside, from `seed` on if there is one."""
    with torch.random.fork_rng(devices=_gpus(device)):
        if seed is not None:
            _start_at(seed, device)
        yield


def random_states(device: torch.device) -> dict[str, bytes]:
    """The state of the CPU's generator, and of the device's own if it has one."""
    states = {"cpu": torch.get_rng_state()}
    for gpu in _gpus(device):
        states["cuda"] = torch.cuda.get_rng_state(gpu)
    return {name: bytes(state.tolist()) for name, state in states.items()}


def restore_random_states(states: Mapping[str, bytes], device: torch.device) -> None:
    """Restore saved states.

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


class RandomStreams:
    """torch's random state, which is the same in all processes of a run: all is drawn for the whole batch.

    What a process draws while it computes its share begins with a seed that all have drawn, so that the state behind it
    is the same in all of them, whatever was drawn. `drops` says whether the adapter's layers draw there.
    """

    def __init__(self, device: torch.device, processes: Processes, *, drops: bool) -> None:
        self._device = device
        self._processes = processes
        self._drops = drops

    @contextmanager
    def in_share(self, n: int) -> Iterator[None]:
        """Draw for a batch of `n` rows while this process computes its share of them."""
        several = self._processes.count > 1
        if not (self._drops or several):
            yield
            return
        # Where no layer drops, nothing is taken from the shared state, as in one process.
        with nullcontext() if self._drops else forked(self._device):
            seed = int(torch.randint(2**62, ()))
        share = self._processes.share(n)
        with forked(self._device, seed), share_of(Share(share, n) if several else None):
            yield

    @contextmanager
    def forked(self, seed: int | None = None) -> Iterator[None]:
        """Draws that leave no trace outside, from `seed` on if there is one."""
        with forked(self._device, seed):
            yield

    def states(self) -> dict[str, bytes]:
        """The state, by device."""
        return random_states(self._device)

    def restore(self, states: Mapping[str, bytes]) -> None:
        """Restore a saved state.

        Raises:
            ValueError: It is not that of such devices, or is damaged.
        """
        restore_random_states(states, self._device)


def _start_at(seed: int, device: torch.device) -> None:
    if device.type == "cpu":
        # torch.manual_seed changes the draws of GPUs too, or notes for later, with the whole call stack, that it would.
        torch.default_generator.manual_seed(seed)
    else:
        torch.manual_seed(seed)


def _gpus(device: torch.device) -> list[int]:
    if device.type != "cuda":
        return []
    return [torch.cuda.current_device() if device.index is None else device.index]

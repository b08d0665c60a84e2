"""The random state of a run: forked, so that the caller's stays as it was, saved and restored, and of each process."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch

from adaptkit.training.processes import Processes


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
    """torch's random state, the same in all processes of a run, and a stream of each process's own.

    What is drawn for a whole batch (masks, a head's dropout) is drawn alike in all processes. What is drawn for a share
    of it (an adapter layer's dropout) comes from the process's own stream. With one process there is one stream.
    """

    def __init__(self, device: torch.device, seed: int, processes: Processes) -> None:
        self._device = device
        self._processes = processes
        self._own: Mapping[str, bytes] = {}
        if processes.count > 1:
            (drawn,) = np.random.SeedSequence((seed, processes.index)).generate_state(1)
            with forked(device, int(drawn)):
                self._own = random_states(device)

    @contextmanager
    def own(self) -> Iterator[None]:
        """Draw from this process's own stream."""
        if not self._own:
            yield
            return
        shared = random_states(self._device)
        restore_random_states(self._own, self._device)
        try:
            yield
        finally:
            self._own = random_states(self._device)
            restore_random_states(shared, self._device)

    @contextmanager
    def forked(self, seed: int | None = None) -> Iterator[None]:
        """Draws that leave no trace outside, from `seed` on if there is one."""
        own = self._own
        with forked(self._device, seed):
            yield
        self._own = own

    def states(self) -> dict[str, bytes]:
        """All streams; asked by all processes together."""
        states = random_states(self._device)
        for index, own in enumerate(self._processes.of_each(self._own)):
            states |= {_of_process(name, index): state for name, state in own.items()}
        return states

    def restore(self, states: Mapping[str, bytes]) -> None:
        """Restore saved streams; of the processes' own, this one's.

        Raises:
            ValueError: They are not those of such devices or so many processes, or are damaged.
        """
        own = {name: _of_process(name, self._processes.index) for name in self._own}
        others = {_of_process(name, index) for name in self._own for index in range(self._processes.count)}
        if missing := others - states.keys():
            raise ValueError(f"no random state of {', '.join(sorted(missing))}")
        restore_random_states({name: state for name, state in states.items() if name not in others}, self._device)
        self._own = {name: states[saved] for name, saved in own.items()}


def _of_process(name: str, index: int) -> str:
    return f"{name} of process {index}"


def _gpus(device: torch.device) -> list[int]:
    if device.type != "cuda":
        return []
    return [torch.cuda.current_device() if device.index is None else device.index]

"""What stands for CUDA graphs where there is no GPU: a recording that runs the function again when it is replayed."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor

from adaptkit.attaching import StepRecording
from adaptkit.attaching.gradients import SideBySide
from adaptkit.attaching.replayed import Replay


@dataclass
class RunAgain:
    """Records by running. As a graph, it reads and writes the same places; unlike one, it cannot be illegal."""

    n_recorded: int = 0
    n_replayed: int = 0
    shapes: list[tuple[int, ...]] = field(default_factory=list)

    def __call__(self, run: Callable[[], Tensor]) -> tuple[Replay, Tensor]:
        self.n_recorded += 1
        held = run()
        self.shapes.append(tuple(held.shape[:2]))

        def replay(fill: Callable[[], None]) -> None:
            self.n_replayed += 1
            fill()
            held.copy_(run())

        return replay, held


@dataclass
class StepsAgain:
    """The same for ways there and back. What a replay may write over is not a number as soon as it is used."""

    n_recorded: int = 0
    n_there: int = 0
    n_back: int = 0

    def __call__(self, run: Callable[[], Tensor], weights: Sequence[Tensor]) -> StepRecording:
        self.n_recorded += 1
        return _StepAgain(self, run, weights)


class _StepAgain:
    def __init__(self, counts: StepsAgain, run: Callable[[], Tensor], weights: Sequence[Tensor]) -> None:
        self._counts, self._run, self._weights = counts, run, weights
        self._live = run()
        self._states = self._live.detach().clone()
        self._gradient = torch.zeros_like(self._states)
        self._found = SideBySide.of(self._gradients())

    def forward(self, fill: Callable[[], None]) -> Tensor:
        self._counts.n_there += 1
        self._found.flat.fill_(math.nan)
        fill()
        self._live = self._run()
        return self._states.copy_(self._live.detach())

    def backward(self, fill: Callable[[Tensor], None]) -> Sequence[Tensor | None]:
        self._counts.n_back += 1
        self._states.fill_(math.nan)
        fill(self._gradient)
        self._found.flat.copy_(SideBySide.of(self._gradients()).flat)
        return self._found.copied()

    def _gradients(self) -> Sequence[Tensor | None]:
        return torch.autograd.grad(self._live, self._weights, self._gradient, allow_unused=True)


def no_memory_to_record(*_: object) -> Any:  # noqa: ANN401 - nothing comes of it
    """As on CUDA: what is short is told first, and then that the recording has been broken off."""
    try:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
    finally:
        raise RuntimeError("CUDA error: operation failed due to a previous error during capture")


@contextmanager
def trainings_recorded(device: torch.device) -> Iterator[None]:
    """While open, a training may record its steps on this device: elsewhere than on CUDA, by what stands for it."""
    if device.type == "cuda":
        yield
        return
    with patch("adaptkit.training.loop.recorders_for", lambda _: (StepsAgain(), RunAgain())):
        yield

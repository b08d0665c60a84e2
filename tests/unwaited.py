"""Steps of a training that ask the device for nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from adaptkit.backbones import hardware
from adaptkit.backbones.masked_attention import ALWAYS_MASKED
from adaptkit.heads.batch import Batch
from adaptkit.training.loop import TrainingRun

_ASKING = ("nonzero", "_local_scalar_dense", "masked_select", "is_nonzero", "equal", "_unique2", "unique_dim")
"""Operations whose result, or its shape, is known only when a GPU has done all that it was given."""


class Waited(AssertionError):
    """An operation for which a GPU would be waited for."""


class AskingNothing(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's own
    """Refuses, on the CPU, what would wait for a GPU if the tensors were there."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch's own
        self.on = True
        self.n_seen = 0

    @contextmanager
    def off(self) -> Iterator[None]:
        """What is done here is done on the CPU on any machine."""
        before, self.on = self.on, False
        try:
            yield
        finally:
            self.on = before

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # noqa: ANN401
        self.n_seen += 1
        name = func.overloadpacket.__name__
        by_truth = name in ("index", "index_put", "index_put_") and any(
            isinstance(each, Tensor) and each.dtype in (torch.bool, torch.uint8) for each in args[1]
        )
        if self.on and (name in _ASKING or by_truth):
            raise Waited(f"aten::{name}{' by truth values' if by_truth else ''}")
        return func(*args, **(kwargs or {}))


def steps_asking_nothing(monkeypatch: pytest.MonkeyPatch) -> AskingNothing:
    """Each step of a training, attended to as on a GPU and without the making of its batch, refuses to wait."""
    monkeypatch.setitem(hardware._TRAINS_FASTEST, "cpu", ALWAYS_MASKED)
    mode, one_step, batch = AskingNothing(), TrainingRun._one_step, TrainingRun._batch

    def step_under_mode(run: TrainingRun, rows: list[int], step: int) -> Tensor:
        with mode:
            return one_step(run, rows, step)

    def batch_beside(run: TrainingRun, rows: list[int]) -> Batch:
        with mode.off():
            return batch(run, rows)

    monkeypatch.setattr(TrainingRun, "_one_step", step_under_mode)
    monkeypatch.setattr(TrainingRun, "_batch", batch_beside)
    return mode

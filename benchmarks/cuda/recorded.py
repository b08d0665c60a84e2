"""Cases: trainings on recorded steps, beside the same on the model's hooks."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor

from adaptkit.attaching import CudaGraphs, CudaSteps, RecordStep, StepRecording
from benchmarks.cuda import limits
from benchmarks.cuda.case import Case, against_itself
from benchmarks.cuda.place import PAIRS, Place
from benchmarks.cuda.trainings import MASKED, TASKS, TEXT, trained
from tests.recorded import RunAgain, no_memory_to_record, trainings_recorded

_PAIRED: dict[str, Any] = {"parallel": PAIRS}
_TRIAL: dict[str, Any] = {"task": "trial", "lang": None, "method": "lora"}
_FORMS = ((32, "fp32"), (32, "bf16"), (16, "bf16"), (8, "bf16"), (4, "bf16"))
_DROPPED = 0.2
"""How far losses with other zeros may be apart: means over few sentences behind a few steps."""


def _both(place: Place, bits: int, precision: str, asked: Mapping[str, Any]) -> Mapping[str, tuple[Tensor, Tensor]]:
    load = {"bits": bits, "dtype": torch.bfloat16 if bits == 16 else torch.float32}
    whole = {"load": load, "precision": precision, "checkpointing": False, **asked}
    plain = trained(place, graphs="never", **whole)
    with trainings_recorded(place.device):
        found = trained(place, graphs="always", **whole)
    return {name: (found[name], expected) for name, expected in plain.items()}


def _dropping(place: Place) -> Mapping[str, tuple[Tensor, Tensor]]:
    """Twice the same run draws the same; beside the hooks, other zeros give losses that are alike."""
    asked = {**TEXT["lora with dropout"], **_PAIRED}
    both = _both(place, 32, "fp32", asked)
    again = _both(place, 32, "fp32", asked)
    alike = {name: pair for name, pair in both.items() if name.startswith("loss")}
    return {**alike, "again": (both["first gradient"][0], again["first gradient"][0])}


class _Stumbling:
    """Records as ever, but waits for the device while it records, which CUDA forbids."""

    def __init__(self, record: RecordStep) -> None:
        self.n_asked = 0
        self._record = record

    def __call__(self, run: Callable[[], Tensor], weights: Sequence[Tensor]) -> StepRecording:
        self.n_asked += 1

        def stumbles() -> Tensor:
            states = run()
            if torch.cuda.is_current_stream_capturing():
                torch.cuda.synchronize()
            return states

        return self._record(stumbles, weights)


def _broken_off(place: Place) -> Mapping[str, tuple[Tensor, Tensor]]:
    """A run whose first recording fails goes on as it is, and its dropout draws as if nothing had been recorded."""
    on_gpu = place.device.type == "cuda"
    stumbling = _Stumbling(CudaSteps(place.device) if on_gpu else no_memory_to_record)
    passes = CudaGraphs(place.device) if on_gpu else RunAgain()
    plain = {"load": {"dtype": torch.float32}, "precision": "fp32", "checkpointing": False}
    asked: dict[str, Any] = {**plain, **TEXT["lora with dropout"], **_PAIRED}
    expected = trained(place, graphs="never", **asked)
    with patch("adaptkit.training.loop.recorders_for", lambda _: (stumbling, passes)):
        found = trained(place, graphs="auto", **asked)
    asked_once = (torch.tensor(float(stumbling.n_asked)), torch.ones(()))
    return {**{name: (found[name], each) for name, each in expected.items()}, "recordings asked for": asked_once}


def cases() -> Iterator[Case]:
    """All of these."""
    for bits, precision in _FORMS:
        yield _case("lora by mlm", {**TEXT["lora"], **MASKED}, bits, precision)
        yield _case("lora by distillation", {**TEXT["lora"], **_PAIRED}, bits, precision)
    yield Case(
        "recorded: lora with dropout by distillation",
        against_itself(
            _dropping, {"loss before": limits.LOSS["fp32"], "loss after": _DROPPED, "again": limits.SAME_RUN}
        ),
    )
    yield Case("recorded: lora with dropout, broken off", against_itself(_broken_off, limits.TRAINED))
    yield _case("lora by distillation, shown", {**TEXT["lora"], **_PAIRED, "progress": True}, 32, "fp32")
    for method in ("lora + invertible", "bottleneck", "fusion"):
        yield _case(f"{method} by mlm", {**TEXT[method], **MASKED}, 32, "fp32")
    for task in ("classification", "tagging", "qa"):
        yield _case(f"lora for {task}", {**_TRIAL, "data": TASKS[task]}, 32, "bf16")


def _case(name: str, asked: Mapping[str, Any], bits: int, precision: str) -> Case:
    values = partial(_both, bits=bits, precision=precision, asked=asked)
    limit = limits.of_training(bits, precision, with_head="task" in asked)
    return Case(f"recorded: {name}, {bits} bits, {precision}", against_itself(values, limit))

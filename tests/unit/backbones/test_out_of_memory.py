"""Memory that runs out, by the words and classes in which torch says it."""

import weakref

import pytest
import torch
from torch import nn

from adaptkit.backbones.out_of_memory import memory_errors_told
from adaptkit.errors import OutOfMemory
from adaptkit.model import AdaptedModel
from adaptkit.recipes import estimate
from adaptkit.recipes.estimate import Estimate, machine_notes
from tests.adapters import random_adapter
from tests.calls import train_adapter
from tests.methods import METHODS
from tests.runs import PAIRS
from tests.tiny import tiny_model

CPU = torch.device("cpu")
OF_CUDA = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 8 GiB")
OF_CPU = RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory: you tried 8")
OF_MPS = RuntimeError("MPS backend out of memory (MPS allocated: 18.13 GB)")


@pytest.mark.parametrize("error", [OF_CUDA, OF_CPU, OF_MPS])
def test_it_says_what_to_turn(error: RuntimeError) -> None:
    with (
        pytest.raises(OutOfMemory, match=r"memory of this machine is not enough for this run.*Smaller\.") as told,
        memory_errors_told("this run", CPU, "Smaller."),
    ):
        raise error
    assert ("for this run (2.00 GiB more)." in str(told.value)) is (error is OF_CUDA)


def test_the_error_does_not_hold_the_memory() -> None:
    held: list[weakref.ref[torch.Tensor]] = []

    def fails() -> None:
        large = torch.zeros(8)
        held.append(weakref.ref(large))
        raise OF_CUDA

    with pytest.raises(OutOfMemory) as told, memory_errors_told("this run", CPU, "Smaller."):
        fails()
    assert told.value.__context__ is not None
    assert held[0]() is None


def test_other_errors_pass() -> None:
    with pytest.raises(RuntimeError, match="shapes"), memory_errors_told("this run", CPU, "Smaller."):
        raise RuntimeError("shapes do not match")


def _fails(_module: nn.Module, _inputs: object) -> None:
    raise OF_CUDA


def failing_model() -> AdaptedModel:
    model = tiny_model()
    model.network.register_forward_pre_hook(_fails)
    return model


def test_in_training_and_in_serving() -> None:
    ways = (
        r"smaller batch_size \(it is 8\), gradient_checkpointing=True, a smaller max_length, a backbone in fewer bits"
    )
    with pytest.raises(OutOfMemory, match=ways):
        train_adapter(
            lang="sw", text=[t for _, t in PAIRS], anchor=0.0, backbone=failing_model(), batch_size=8, progress=False
        )
    with pytest.raises(OutOfMemory, match=r"this batch.*smaller batch_size \(it is 16\)"):
        failing_model().encode(["Habari"], batch_size=16)
    with pytest.raises(OutOfMemory, match="smaller batch_size"):
        failing_model().attach(random_adapter(tiny_model(), METHODS["lora"]))


def test_the_plan_says_where_it_runs_and_when_memory_is_tight(monkeypatch: pytest.MonkeyPatch) -> None:
    cost = Estimate(
        triage=None,
        objective="mlm",
        n_sentences=1,
        n_steps=1,
        elapsed_s=1.0,
        peak_memory_bytes=7 * 2**30,
        adapter_bytes=1,
    )
    backbone = tiny_model().backbone
    (line,) = machine_notes(backbone, "fp32", cost)
    assert line.startswith("device: ")
    assert line.endswith(", in float32")
    monkeypatch.setattr(estimate, "gpu_bytes", lambda _: 7.5 * 2**30)
    assert "nearly all of the 7.5 GiB" in machine_notes(backbone, "fp32", cost)[1]
    monkeypatch.setattr(estimate, "gpu_bytes", lambda _: 16 * 2**30)
    assert len(machine_notes(backbone, "fp32", cost)) == 1

"""The device that is chosen or asked for, on machines that this one is not."""

import pytest
import torch

import adaptkit
from adaptkit.backbones.device import best_device, device_for
from adaptkit.errors import ConfigError


def machine(
    monkeypatch: pytest.MonkeyPatch, *, gpus: int = 0, apple: bool = False, built: str | None = "13.0", rank: str = ""
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: apple)
    monkeypatch.setattr(torch.version, "cuda", built)
    monkeypatch.setenv("LOCAL_RANK", rank) if rank else monkeypatch.delenv("LOCAL_RANK", raising=False)


@pytest.mark.parametrize(
    ("gpus", "apple", "best"), [(0, False, "cpu"), (0, True, "mps"), (1, False, "cuda:0"), (2, True, "cuda:0")]
)
def test_auto_is_the_best_there_is(gpus: int, apple: bool, best: str, monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, gpus=gpus, apple=apple)
    assert str(device_for()) == str(device_for("auto")) == best
    assert best.startswith(best_device())


def test_what_is_named_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, gpus=2, apple=True)
    named = ("cpu", "mps", "cuda", "cuda:1")
    assert [str(device_for(name)) for name in named] == ["cpu", "mps", "cuda:0", "cuda:1"]
    assert device_for(torch.device("cpu")) == torch.device("cpu")


def test_processes_that_train_together_have_a_gpu_each(monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, gpus=2, rank="1")
    assert [str(device_for(name)) for name in ("auto", "cuda", "cuda:0")] == ["cuda:1", "cuda:1", "cuda:0"]
    machine(monkeypatch, gpus=1, rank="1")
    with pytest.raises(ConfigError, match=r"sees 1 GPU, counted from cuda:0, and this is process 1 of those"):
        device_for("auto")


@pytest.mark.parametrize(
    ("asked", "built", "said"),
    [
        ("cuda", None, r"device 'cuda' cannot be used here: this torch \(.+\) is built without CUDA.*'auto'.*'cpu'"),
        ("cuda:0", "13.0", r"device 'cuda:0' cannot be used here: torch finds no NVIDIA GPU or no driver.*nvidia-smi"),
        ("mps", "13.0", r"'mps' is the GPU of an Apple computer.*'auto': that is 'cpu' here"),
        ("gpu", "13.0", r"there is no device 'gpu'; give auto, cpu, cuda, cuda:N or mps"),
        ("hpu", "13.0", r"device 'hpu' cannot be used here"),
    ],
)
def test_a_device_that_is_not_there(asked: str, built: str | None, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, built=built)
    with pytest.raises(ConfigError, match=said):
        device_for(asked)
    with pytest.raises(ConfigError, match=said):
        adaptkit.load_model(device=asked)


def test_a_gpu_beyond_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, gpus=2)
    with pytest.raises(ConfigError, match=r"'cuda:2' cannot be used here: torch sees 2 GPUs, counted from cuda:0\."):
        device_for("cuda:2")

"""A sound adapter folder for every attack to spoil."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import BottleneckConfig, InvertibleConfig, LoraConfig
from adaptkit.storage import Adapter
from tests.adapters import random_adapter
from tests.tiny import tiny_model
from tests.unit.cli.conftest import adaptkit, backbone_folder

__all__ = ["adaptkit", "backbone_folder"]


LORA, INVERTIBLE = LoraConfig(rank=4, alpha=8), InvertibleConfig()
SOUND = {
    "sw": ("bert", AdapterConfig(method=LORA)),
    "llm": ("llama", AdapterConfig(method=LORA)),
    "own": ("bert", AdapterConfig(method=BottleneckConfig(reduction_factor=4), invertible=INVERTIBLE)),
    "lora": ("bert", AdapterConfig(method=LORA, invertible=INVERTIBLE)),
}


@pytest.fixture(scope="session")
def sound() -> dict[str, Adapter]:
    """Made once; each attack has a copy."""
    return {name: random_adapter(tiny_model(model_type), config) for name, (model_type, config) in SOUND.items()}


@pytest.fixture(scope="session")
def saved(sound: dict[str, Adapter], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Their folders."""
    place = tmp_path_factory.mktemp("sound")
    for name, adapter in sound.items():
        adapter.save(place / name)
    return place


@pytest.fixture
def adapter(sound: dict[str, Adapter]) -> Adapter:
    tensors = {name: tensor.clone() for name, tensor in sound["sw"].tensors.items()}
    return replace(sound["sw"], tensors=tensors)


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    """An ordinary peft folder: a pure LoRA."""
    return shutil.copytree(saved / "sw", tmp_path / "sw")


@pytest.fixture
def decoder_folder(saved: Path, tmp_path: Path) -> Path:
    """A LoRA for a decoder."""
    return shutil.copytree(saved / "llm", tmp_path / "llm")


@pytest.fixture
def own_folder(saved: Path, tmp_path: Path) -> Path:
    """A folder with adaptkit's own config: a bottleneck and an invertible layer."""
    return shutil.copytree(saved / "own", tmp_path / "own")


@pytest.fixture
def lora_folder(saved: Path, tmp_path: Path) -> Path:
    """A folder with adaptkit's own config: a LoRA and an invertible layer."""
    return shutil.copytree(saved / "lora", tmp_path / "lora")

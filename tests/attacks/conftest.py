"""A sound adapter folder for every attack to spoil."""

from pathlib import Path

import pytest

from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import BottleneckConfig, InvertibleConfig, LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.storage import Adapter
from tests.adapters import random_adapter
from tests.tiny import tiny_model
from tests.unit.cli.conftest import adaptkit, backbone_folder

__all__ = ["adaptkit", "backbone_folder"]


@pytest.fixture
def adapter(model: AdaptedModel) -> Adapter:
    return random_adapter(model, AdapterConfig(method=LoraConfig(rank=4, alpha=8)))


@pytest.fixture
def folder(adapter: Adapter, tmp_path: Path) -> Path:
    """An ordinary peft folder: a pure LoRA."""
    return adapter.save(tmp_path / "sw")


@pytest.fixture
def decoder_folder(tmp_path: Path) -> Path:
    """A LoRA for a decoder."""
    return random_adapter(tiny_model("llama"), AdapterConfig(method=LoraConfig(rank=4, alpha=8))).save(tmp_path / "llm")


@pytest.fixture
def own_folder(model: AdaptedModel, tmp_path: Path) -> Path:
    """A folder with adaptkit's own config: a bottleneck and an invertible layer."""
    config = AdapterConfig(method=BottleneckConfig(reduction_factor=4), invertible=InvertibleConfig())
    return random_adapter(model, config).save(tmp_path / "own")


@pytest.fixture
def lora_folder(model: AdaptedModel, tmp_path: Path) -> Path:
    """A folder with adaptkit's own config: a LoRA and an invertible layer."""
    config = AdapterConfig(method=LoraConfig(rank=4, alpha=8), invertible=InvertibleConfig())
    return random_adapter(model, config).save(tmp_path / "lora")

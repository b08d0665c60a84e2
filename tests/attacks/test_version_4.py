"""Folders of format version 4 (`bottleneck_madx`) that lie."""

from pathlib import Path
from typing import Any

import pytest

from adaptkit.errors import AdapterFileError, LimitExceeded, MalformedConfig, TensorSetMismatch, TensorShapeMismatch
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.spec import CONFIG_FILE, RECORD_FILE
from adaptkit.methods import BottleneckMadxConfig, InvertibleConfig
from adaptkit.model import AdaptedModel
from adaptkit.storage import load_adapter
from tests.adapters import random_adapter
from tests.hostile import REMOVED, put


@pytest.fixture
def madx(model: AdaptedModel, tmp_path: Path) -> Path:
    config = AdapterConfig(method=BottleneckMadxConfig(width=4), invertible=InvertibleConfig())
    return random_adapter(model, config).save(tmp_path / "madx")


CONFIGS: dict[str, tuple[type[AdapterFileError], str, Any]] = {
    "a width of none": (MalformedConfig, "settings.width", 0),
    "a width above the bound": (LimitExceeded, "settings.width", 5000),
    "another width": (TensorShapeMismatch, "settings.width", 5),
    "a width with a point": (MalformedConfig, "settings.width", 4.0),
    "no width": (MalformedConfig, "settings.width", REMOVED),
    "a factor beside the width": (MalformedConfig, "settings.reduction_factor", 8),
    "an unknown activation": (MalformedConfig, "settings.activation", "tanh"),
    "a site without a norm": (MalformedConfig, "settings.sites", ["ffn.output"]),
    "another site": (TensorSetMismatch, "settings.sites", ["attention.residual"]),
    "a block that is not there": (MalformedConfig, "settings.blocks", [2]),
    "the other method": (MalformedConfig, "method", "bottleneck"),
}


@pytest.mark.parametrize(("error", "field", "value"), CONFIGS.values(), ids=CONFIGS)
def test_a_config_that_lies(madx: Path, error: type[AdapterFileError], field: str, value: object) -> None:
    put(madx, CONFIG_FILE, field, value)
    with pytest.raises(error) as caught:
        load_adapter(madx)
    assert type(caught.value) is error


@pytest.mark.parametrize("version", [1, 2, 3])
def test_an_older_version(madx: Path, version: int) -> None:
    put(madx, RECORD_FILE, "format_version", version)
    with pytest.raises(MalformedConfig):
        load_adapter(madx)


def test_a_decoder(madx: Path) -> None:
    for field, value in {"model_type": "llama", "n_key_heads": 1, "head_width": 16}.items():
        put(madx, RECORD_FILE, f"backbone.shape.{field}", value)
    with pytest.raises(MalformedConfig, match="residual sum"):
        load_adapter(madx)

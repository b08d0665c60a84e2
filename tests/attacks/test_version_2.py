"""Folders of format version 2 (heads, fusion, hidden top blocks) that lie."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from adaptkit.errors import AdapterFileError, LimitExceeded, MalformedConfig, TensorSetMismatch, TensorShapeMismatch
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.spec import CONFIG_FILE, RECORD_FILE
from adaptkit.methods import FusionConfig, LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.storage import load_adapter
from adaptkit.task_types import HeadConfig
from tests.adapters import attach_random, random_adapter
from tests.hostile import REMOVED, put, put_tensors, tensors_of

HEAD = HeadConfig(task_type="classification", labels=("goats", "rain"))
LORA = LoraConfig(rank=2, sites=("attention.query",))


@pytest.fixture
def with_head(model: AdaptedModel, tmp_path: Path) -> Path:
    adapter = random_adapter(model, AdapterConfig(method=LORA, head=HEAD), kind="task", name="topics")
    return adapter.save(tmp_path / "topics")


@pytest.fixture
def fusion(model: AdaptedModel, tmp_path: Path) -> Path:
    for name in ("language/en", "language/sw"):
        attach_random(model, name, AdapterConfig(method=LORA))
    config = FusionConfig(fuses=("language/en", "language/sw"), width=2, sites=("attention.query",))
    adapter = random_adapter(model, AdapterConfig(method=config), name="fused")
    return replace(adapter, language="sw").save(tmp_path / "fused")


def assert_refused(folder: Path, error: type[AdapterFileError]) -> None:
    with pytest.raises(error) as caught:
        load_adapter(folder)
    assert type(caught.value) is error


HEADS: dict[str, tuple[str, Any]] = {
    "no labels": ("head.labels", []),
    "one label": ("head.labels", ["goats"]),
    "a label twice": ("head.labels", ["goats", "goats"]),
    "a label that is no text": ("head.labels", ["goats", 1]),
    "too many labels": ("head.labels", [str(number) for number in range(2000)]),
    "an unknown type": ("head.task_type", "translation"),
    "a dropout of one": ("head.dropout", 1.0),
    "pairs that are no truth value": ("head.pairs", 1),
    "an unknown field": ("head.activation", "relu"),
    "a missing field": ("head.dropout", REMOVED),
    "no head where nothing else is of version 2": ("head", None),
    "no field for the head": ("head", REMOVED),
    "a number that hides the top block": ("hides_top_block", 1),
    "labels for question answering": ("head.task_type", "qa"),
}


@pytest.mark.parametrize("name", HEADS)
def test_a_head_that_cannot_be_right(name: str, with_head: Path) -> None:
    load_adapter(with_head)
    put(with_head, CONFIG_FILE, *HEADS[name])
    assert_refused(with_head, MalformedConfig)


def test_more_labels_than_the_tensors_have(with_head: Path) -> None:
    put(with_head, CONFIG_FILE, "head.labels", ["goats", "rain", "maize"])
    assert_refused(with_head, TensorShapeMismatch)


@pytest.mark.parametrize("name", ["adaptkit.head.out.weight", "adaptkit.head.dense.bias"])
def test_a_head_without_all_its_tensors(name: str, with_head: Path) -> None:
    tensors = tensors_of(with_head)
    del tensors[name]
    put_tensors(with_head, tensors)
    assert_refused(with_head, TensorSetMismatch)


def test_a_tensor_that_the_head_does_not_have(with_head: Path) -> None:
    put_tensors(with_head, {**tensors_of(with_head), "adaptkit.head.more.weight": torch.zeros(1)})
    assert_refused(with_head, TensorSetMismatch)


@pytest.mark.parametrize("version", [1, 3])
def test_a_head_under_another_version(version: int, with_head: Path) -> None:
    put(with_head, RECORD_FILE, "format_version", version)
    with pytest.raises(AdapterFileError):
        load_adapter(with_head)


def test_a_peft_config_with_a_head(folder: Path) -> None:
    put(
        folder,
        CONFIG_FILE,
        "head",
        {"task_type": "qa", "labels": [], "dropout": 0.0, "allows_no_answer": False, "pairs": False},
    )
    assert_refused(folder, MalformedConfig)


FUSIONS: dict[str, list[str]] = {
    "one adapter": ["language/en"],
    "an adapter twice": ["language/en", "language/en"],
    "a path": ["language/en", "../../language/sw"],
    "a bare name": ["language/en", "sw"],
    "itself": ["language/en", "language/fused"],
    "too many": [f"language/a{number}" for number in range(17)],
}


@pytest.mark.parametrize("name", FUSIONS)
def test_what_a_fusion_cannot_fuse(name: str, fusion: Path) -> None:
    load_adapter(fusion)
    put(fusion, CONFIG_FILE, "settings.fuses", FUSIONS[name])
    assert_refused(fusion, MalformedConfig)


def test_a_huge_fusion(fusion: Path) -> None:
    put(fusion, CONFIG_FILE, "settings.width", 10**9)
    assert_refused(fusion, LimitExceeded)

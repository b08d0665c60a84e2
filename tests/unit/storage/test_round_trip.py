import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_type_hints

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import adaptkit
from adaptkit.config import ENCODER_LINEAR_SITES, LINEAR_SITES, SiteName
from adaptkit.errors import ConfigError
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.card import Card, Evaluation, TrainingFacts
from adaptkit.format.config_file import from_json, to_json
from adaptkit.format.spec import CARD_FILE, CONFIG_FILE, RECORD_FILE, WEIGHTS_FILE
from adaptkit.methods import BottleneckConfig, InvertibleConfig, LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.storage import Adapter, load_adapter
from tests.adapters import random_adapter
from tests.tiny import ARCHITECTURES, tiny_backbone, tiny_model

CONFIGS: dict[str, AdapterConfig] = {
    "lora": AdapterConfig(method=LoraConfig(rank=4, alpha=8.0)),
    "rank stabilized, dropout": AdapterConfig(method=LoraConfig(rank=3, scaling="rank_stabilized", dropout=0.1)),
    "one block": AdapterConfig(method=LoraConfig(rank=2, blocks=(1,))),
    "two sites": AdapterConfig(method=LoraConfig(rank=2, sites=("attention.query", "ffn.output"))),
    "lora, invertible": AdapterConfig(method=LoraConfig(rank=2), invertible=InvertibleConfig(activation="gelu")),
    "bottleneck": AdapterConfig(method=BottleneckConfig(reduction_factor=4)),
    "bottleneck, both sites, invertible": AdapterConfig(
        method=BottleneckConfig(
            reduction_factor=8, activation="silu", sites=("block.output", "attention.residual"), blocks=(0, 1)
        ),
        invertible=InvertibleConfig(reduction_factor=4),
    ),
}
DECODER = tiny_backbone("llama").shape
APART = tuple(site for site in LINEAR_SITES if site in (*ENCODER_LINEAR_SITES, "ffn.gate"))
FACTS = TrainingFacts(
    objective="masked",
    steps=300,
    tokens=2**40,
    elapsed_s=12.5,
    tokens_per_s=1e5,
    peak_memory_bytes=2**33,
    heldout_loss_before=3.25,
    heldout_loss_after=2.125,
    pseudo_perplexity_before=None,
    pseudo_perplexity_after=17.0,
    stopped_because="no gain for 3 evaluations",
    settings={"rank": 4, "learning_rate": 1e-4, "seed": 2**64 - 1, "sample": False, "blocks": None, "scaling": "x"},
)
CARD = Card(
    source="ngano za kale — «Sungura»",
    n_lines=12_000,
    licence="CC-BY-4.0",
    adaptkit_version="0.1.0",
    training=FACTS,
    evaluations=(Evaluation(task="topics", metric="accuracy", n_examples=204, score_without=41.0, score_with=77.8),),
)


def assert_same(read: Adapter, written: Adapter) -> None:
    assert replace(read, tensors={}) == replace(written, tensors={})
    assert list(read.tensors) == list(written.tensors)
    for name, tensor in written.tensors.items():
        assert read.tensors[name].dtype == tensor.dtype
        assert torch.equal(read.tensors[name], tensor)


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_what_is_saved_is_what_is_loaded(model: AdaptedModel, config: AdapterConfig, tmp_path: Path) -> None:
    adapter = replace(random_adapter(model, config), card=CARD)
    assert_same(load_adapter(adapter.save(tmp_path / "sw")), adapter)


@pytest.mark.parametrize("model_type", ARCHITECTURES)
def test_every_architecture(model_type: str, tmp_path: Path) -> None:
    adapter = random_adapter(tiny_model(model_type), CONFIGS["lora"])
    assert_same(load_adapter(adapter.save(tmp_path / "sw")), adapter)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_every_precision(model: AdaptedModel, dtype: torch.dtype, tmp_path: Path) -> None:
    adapter = random_adapter(model, CONFIGS["lora, invertible"])
    adapter = replace(adapter, tensors={name: tensor.to(dtype) for name, tensor in adapter.tensors.items()})
    assert_same(load_adapter(adapter.save(tmp_path / "sw")), adapter)


def test_an_adapter_that_is_saved_again_gives_the_same_bytes(model: AdaptedModel, tmp_path: Path) -> None:
    first = replace(random_adapter(model, CONFIGS["lora"]), card=CARD).save(tmp_path / "first")
    second = load_adapter(first).save(tmp_path / "second")
    for name in (WEIGHTS_FILE, CONFIG_FILE, RECORD_FILE, CARD_FILE):
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_numbers_keep_their_types(model: AdaptedModel, tmp_path: Path) -> None:
    adapter = replace(random_adapter(model, CONFIGS["lora"]), card=CARD)
    facts = load_adapter(adapter.save(tmp_path / "sw")).card.training
    assert facts is not None
    assert {name: type(value) for name, value in facts.settings.items()} == {
        name: type(value) for name, value in FACTS.settings.items()
    }


def test_what_its_training_did_is_of_a_public_type(model: AdaptedModel) -> None:
    adapter = random_adapter(model, CONFIGS["lora"])
    assert adapter.training is None
    assert replace(adapter, card=CARD).training is FACTS
    assert get_type_hints(vars(Adapter)["training"].fget)["return"] == adaptkit.TrainingFacts | None


def test_the_card_is_in_the_folder(model: AdaptedModel, tmp_path: Path) -> None:
    folder = replace(random_adapter(model, CONFIGS["lora"]), card=CARD).save(tmp_path / "sw")
    assert "Sungura" in (folder / CARD_FILE).read_text(encoding="utf-8")


def test_only_a_pure_lora_is_a_peft_folder(model: AdaptedModel, tmp_path: Path) -> None:
    kinds = {}
    for number, (name, config) in enumerate(CONFIGS.items()):
        folder = random_adapter(model, config).save(tmp_path / str(number))
        kinds[name] = json.loads((folder / CONFIG_FILE).read_text())["peft_type"]
    assert {name for name, kind in kinds.items() if kind == "LORA"} == {
        "lora",
        "rank stabilized, dropout",
        "one block",
        "two sites",
    }
    assert set(kinds.values()) == {"LORA", "ADAPTKIT"}


@settings(deadline=None)
@given(
    sites=st.lists(st.sampled_from(APART), min_size=1, unique=True),
    blocks=st.none() | st.lists(st.integers(0, 1), min_size=1, max_size=1).map(tuple),
    rank=st.integers(1, 4096),
    alpha=st.floats(1e-3, 1e6),
    dropout=st.floats(0, 0.99),
)
def test_every_lora_config_is_told_in_peft_words(
    sites: Sequence[SiteName], blocks: tuple[int, ...] | None, rank: int, alpha: float, dropout: float
) -> None:
    ordered = tuple(site for site in APART if site in sites)
    config = AdapterConfig(method=LoraConfig(rank=rank, alpha=alpha, dropout=dropout, sites=ordered, blocks=blocks))
    assert from_json(to_json(config, DECODER, "tiny"), DECODER, Path("x")) == config


def test_an_adapter_in_the_way_is_kept(model: AdaptedModel, tmp_path: Path) -> None:
    first = random_adapter(model, CONFIGS["lora"])
    folder = first.save(tmp_path / "sw")
    with pytest.raises(ConfigError, match="overwrite"):
        random_adapter(model, CONFIGS["bottleneck"]).save(folder)
    assert_same(load_adapter(folder), first)


def test_an_adapter_is_overwritten_when_that_is_asked_for(model: AdaptedModel, tmp_path: Path) -> None:
    folder = random_adapter(model, CONFIGS["lora"]).save(tmp_path / "sw")
    second = random_adapter(model, CONFIGS["bottleneck"])
    assert_same(load_adapter(second.save(folder, overwrite=True)), second)
    assert [entry.name for entry in tmp_path.iterdir()] == ["sw"]


@pytest.mark.parametrize("overwrite", [True, False])
def test_a_folder_with_foreign_files_is_left_alone(model: AdaptedModel, tmp_path: Path, overwrite: bool) -> None:
    folder = random_adapter(model, CONFIGS["lora"]).save(tmp_path / "sw")
    (folder / "thesis.tex").write_text("years of work")
    before = {entry.name: entry.read_bytes() for entry in folder.iterdir()}
    with pytest.raises(ConfigError, match=r"thesis\.tex"):
        random_adapter(model, CONFIGS["lora"], seed=2).save(folder, overwrite=overwrite)
    assert {entry.name: entry.read_bytes() for entry in folder.iterdir()} == before


def test_a_file_in_the_way_is_left_alone(model: AdaptedModel, tmp_path: Path) -> None:
    (tmp_path / "sw").write_text("years of work")
    with pytest.raises(ConfigError):
        random_adapter(model, CONFIGS["lora"]).save(tmp_path / "sw", overwrite=True)
    assert (tmp_path / "sw").read_text() == "years of work"


def test_folders_on_the_way_are_made(model: AdaptedModel, tmp_path: Path) -> None:
    folder = random_adapter(model, CONFIGS["lora"]).save(tmp_path / "a" / "b" / "sw")
    assert load_adapter(folder).id == "language/sw"

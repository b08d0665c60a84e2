"""Backbones that are broken, or lie, are refused before anything is allocated for them."""

import json
import resource
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

import adaptkit
from adaptkit.backbones import vocabulary_of
from adaptkit.backbones.stored_tensors import require_finite
from adaptkit.errors import BackboneError, CorruptBackbone
from tests.saved import saved_backbone
from tests.tiny import VOCABULARY_SIZE, tiny_tokenizer

HOSTILE: dict[str, tuple[str, Mapping[str, object]]] = {
    "a million blocks": ("bert", {"num_hidden_layers": 1_000_000}),
    "two billion tokens": ("bert", {"vocab_size": 2_000_000_000}),
    "two billion positions": ("bert", {"max_position_embeddings": 2_000_000_000}),
    "two billion labels": ("bert", {"num_labels": 2_000_000_000}),
    "two billion kinds of tokens": ("bert", {"type_vocab_size": 2_000_000_000}),
    "two billion relative positions": ("deberta-v2", {"max_relative_positions": 2_000_000_000}),
    "a huge width": ("bert", {"hidden_size": 10**9}),
    "a huge width inside": ("bert", {"text_config": {"hidden_size": 10**9}}),
    "a huge feed-forward width": ("distilbert", {"hidden_dim": 10**9}),
    "huge heads": ("llama", {"head_dim": 10**9}),
    "huge heads together": ("llama", {"head_dim": 60_000}),
    "keys without heads": ("llama", {"num_key_value_heads": 0}),
    "more keys than heads": ("qwen2", {"num_key_value_heads": 3}),
    "no heads": ("bert", {"num_attention_heads": 0}),
    "heads that do not divide": ("bert", {"num_attention_heads": 7}),
    "a negative width": ("bert", {"hidden_size": -32}),
    "a word": ("bert", {"num_hidden_layers": "two"}),
    "a truth value": ("bert", {"num_hidden_layers": True}),
    "a broken number": ("bert", {"hidden_size": 32.5}),
    "a list": ("bert", {"hidden_size": [[32]]}),
    "nothing": ("bert", {"vocab_size": None}),
    "an activation that there is not": ("bert", {"hidden_act": "os.system"}),
    "wrong frequencies": ("llama", {"rope_parameters": {"rope_type": "yarn", "factor": "x"}}),
    "more blocks than weights": ("bert", {"num_hidden_layers": 500}),
    "fewer blocks than weights": ("bert", {"num_hidden_layers": 1}),
    "more rows than weights": ("bert", {"vocab_size": VOCABULARY_SIZE + 64}),
    "fewer rows than weights": ("bert", {"vocab_size": VOCABULARY_SIZE - 1}),
    "another width than the weights": ("bert", {"hidden_size": 64}),
    "another feed-forward width": ("llama", {"intermediate_size": 65_536}),
}


def put(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def change(folder: Path, name: str, value: float) -> None:
    path = folder / "model.safetensors"
    tensors = load_file(path)
    tensors[name].view(-1)[-1] = value
    save_file(tensors, path, metadata={"format": "pt"})


@pytest.mark.parametrize(("model_type", "changes"), HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("options", [{}, {"bits": 8}, {"embeddings": "paged"}], ids=str)
def test_a_config_that_lies_costs_nothing(
    model_type: str, changes: Mapping[str, object], options: dict[str, Any], tmp_path: Path
) -> None:
    folder = saved_backbone(tmp_path / "backbone", model_type)
    put(folder, **changes)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(BackboneError):
        adaptkit.load_model(folder, **options)
    # In KiB: what was allocated for it would be gigabytes; the first load of a test run imports things.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500 * 1024


def test_what_is_said_of_it(tmp_path: Path) -> None:
    folder = saved_backbone(tmp_path / "backbone")
    put(folder, num_hidden_layers=1_000_000)
    with pytest.raises(CorruptBackbone, match="num_hidden_layers is 1000000; right is an integer from 1 to 512"):
        adaptkit.load_model(folder)
    with pytest.raises(CorruptBackbone, match="num_hidden_layers"):
        vocabulary_of(["a"], backbone=folder)
    put(folder, num_hidden_layers=2, vocab_size=VOCABULARY_SIZE + 1)
    with pytest.raises(CorruptBackbone, match=r"word_embeddings.weight has shape \(400, 32\); its config says \(401"):
        adaptkit.load_model(folder)


@pytest.mark.parametrize(
    "content", ["[" * 100_000, '{"a":' * 30 + "1" + "}" * 30, "[]", "{", '{"a": "' + " " * 5_000_000 + '"}']
)
def test_a_config_that_is_none(content: str, tmp_path: Path) -> None:
    folder = saved_backbone(tmp_path / "backbone")
    (folder / "config.json").write_text(content)
    with pytest.raises(CorruptBackbone):
        adaptkit.load_model(folder)


@pytest.mark.parametrize("content", ["{}", "[1]", "{", '{"weight_map": {"a": "../model.safetensors"}}'])
def test_an_index_of_weights_that_is_none(content: str, tmp_path: Path) -> None:
    folder = saved_backbone(tmp_path / "backbone")
    (folder / "model.safetensors").rename(tmp_path / "model.safetensors")
    (folder / "model.safetensors.index.json").write_text(content)
    with pytest.raises(CorruptBackbone):
        adaptkit.load_model(folder)


FORMS: dict[str, dict[str, Any]] = {
    "whole": {},
    "16 bits": {"bits": 16},
    "paged": {"embeddings": "paged"},
    "int8 rows": {"embeddings": "int8"},
    "nf4 rows": {"embeddings": "nf4"},
    "8 bits": {"bits": 8},
    "4 bits": {"bits": 4},
}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize(
    "name",
    [
        "embeddings.word_embeddings.weight",
        "encoder.layer.1.output.dense.weight",
        "encoder.layer.0.output.LayerNorm.bias",
    ],
)
@pytest.mark.parametrize("options", FORMS.values(), ids=FORMS)
def test_a_weight_that_is_no_number(options: dict[str, Any], name: str, value: float, tmp_path: Path) -> None:
    folder = saved_backbone(tmp_path / "backbone")
    change(folder, name, value)
    with pytest.raises(CorruptBackbone, match=f"{name} holds NaN or Inf"):
        adaptkit.load_model(folder, **options)


def test_a_weight_that_is_no_number_beside_a_vocabulary(tmp_path: Path) -> None:
    folder = saved_backbone(tmp_path / "backbone")
    vocabulary = vocabulary_of(["Habari"], backbone=folder)
    change(folder, "embeddings.word_embeddings.weight", float("nan"))
    for form in ("resident", "paged", "int8", "nf4"):
        with pytest.raises(CorruptBackbone, match="word_embeddings"):
            adaptkit.load_model(folder, vocabulary=vocabulary, embeddings=form)


def test_large_numbers_are_numbers() -> None:
    # Their sum is none, and half of that type's range.
    values = torch.full((8,), 3e38)
    assert require_finite("w", values) is values
    halves = torch.full((70_000,), 60_000.0, dtype=torch.float16)
    assert require_finite("w", halves) is halves


def test_a_tokenizer_with_more_ids_than_rows(tmp_path: Path) -> None:
    folder = saved_backbone(tmp_path / "backbone")
    tokenizer = tiny_tokenizer()
    tokenizer.add_tokens(["[one]", "[two]"])
    tokenizer.save_pretrained(folder)
    for options in FORMS.values():
        with pytest.raises(CorruptBackbone, match=r"'\[two\]'.*400 rows"):
            adaptkit.load_model(folder, **options)


def test_names_of_labels_are_no_sizes(tmp_path: Path) -> None:
    folder = saved_backbone(tmp_path / "tiny", "bert")
    put(folder, label2id={"dim": 0, "hidden_size": 1}, id2label={"0": "dim", "1": "hidden_size"})
    adaptkit.load_model(folder)

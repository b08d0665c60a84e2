"""A table of embeddings that is filled up with rows is that of the same backbone."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoConfig

import adaptkit
from adaptkit.backbones import vocabulary_of
from adaptkit.errors import ArchitectureMismatch, BackboneMismatch, ProbeMismatch
from adaptkit.evaluation.conditions import LanguageAdapters
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.storage.identity import compared
from adaptkit.verification import verify
from tests.adapters import random_adapter
from tests.saved import saved_backbone
from tests.tiny import VOCABULARY_SIZE

TABLES = {"bert": "embeddings.word_embeddings.weight", "llama": "embed_tokens.weight"}
TEXTS = ["Habari ya asubuhi", "The goat sleeps.", "Akuya tana barci a gida."]
LORA = AdapterConfig(method=LoraConfig(rank=3, alpha=7))


def with_rows(folder: Path, n_rows: int, model_type: str = "bert") -> Path:
    """A tiny backbone whose table is filled up."""
    saved_backbone(folder, model_type)
    tensors = load_file(folder / "model.safetensors")
    table = tensors[TABLES[model_type]]
    filling = torch.randn(n_rows - len(table), table.shape[1], generator=torch.Generator().manual_seed(n_rows))
    save_file(
        {**tensors, TABLES[model_type]: torch.cat([table, filling])}, folder / "model.safetensors", {"format": "pt"}
    )
    config = AutoConfig.from_pretrained(folder)
    config.vocab_size = n_rows
    config.save_pretrained(folder)
    return folder


FORMS: dict[str, dict[str, Any]] = {
    "whole": {},
    "paged": {"embeddings": "paged"},
    "int8 rows": {"embeddings": "int8"},
    "nf4 rows": {"embeddings": "nf4"},
    "8 bits": {"bits": 8},
    "4 bits": {"bits": 4},
}


# 4 bits are too coarse for the small numbers of a tiny decoder's table, whatever its size.
CASES = [(kind, name) for kind in TABLES for name in FORMS if kind == "bert" or name not in ("nf4 rows", "4 bits")]


@pytest.mark.parametrize(("model_type", "form"), CASES)
@pytest.mark.parametrize(("there", "here"), [(400, 448), (448, 400), (448, 512), (401, 1000)])
def test_an_adapter_moves_between_them(there: int, here: int, model_type: str, form: str, tmp_path: Path) -> None:
    trained = random_adapter(adaptkit.load_model(with_rows(tmp_path / "there", there, model_type)), LORA)
    model = adaptkit.load_model(with_rows(tmp_path / "here", here, model_type), **FORMS[form])
    assert compared(trained.origin, model.backbone) != "different"
    model.attach(trained)
    model.detach(trained.id)
    assert any("probes give the recorded vectors" in said for said in verify(trained, backbone=model))


@pytest.mark.parametrize("form", ["resident", "paged", "int8", "nf4"])
def test_an_adapter_moves_to_a_trimmed_one(form: Any, tmp_path: Path) -> None:  # noqa: ANN401
    trained = random_adapter(adaptkit.load_model(with_rows(tmp_path / "there", 400)), LORA)
    folder = with_rows(tmp_path / "here", 448)
    vocabulary = vocabulary_of(TEXTS, languages=["sw", "en", "ha"], backbone=folder)
    trimmed = adaptkit.load_model(folder, vocabulary=vocabulary, embeddings=form)
    trimmed.attach(trained)
    if form in ("resident", "paged"):
        whole = adaptkit.load_model(folder)
        whole.attach(trained)
        torch.testing.assert_close(trimmed.encode(TEXTS, stack=trained), whole.encode(TEXTS, stack=trained))


def test_inputs_that_a_trimmed_table_has_no_rows_for_are_said(tmp_path: Path) -> None:
    # Of so odd a size that the trimmed table does not think of it.
    trained = random_adapter(adaptkit.load_model(with_rows(tmp_path / "there", 7_777)), LORA)
    folder = with_rows(tmp_path / "here", 400)
    trimmed = adaptkit.load_model(folder, vocabulary=vocabulary_of(["Habari"], backbone=folder))
    with pytest.raises(ProbeMismatch, match="without vocabulary"):
        trimmed.attach(trained)
    adaptkit.load_model(folder).attach(trained)


def test_other_first_rows_are_another_backbone(tmp_path: Path) -> None:
    trained = random_adapter(adaptkit.load_model(with_rows(tmp_path / "there", 448)), LORA)
    folder = with_rows(tmp_path / "here", 400)
    tensors = load_file(folder / "model.safetensors")
    tensors[TABLES["bert"]] += 0.01
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    for options in ({}, {"bits": 8}):
        with pytest.raises(BackboneMismatch):
            adaptkit.load_model(folder, **options).attach(trained)  # type: ignore[arg-type]


def test_a_table_without_rows_for_all_tokens_is_another_backbone(tmp_path: Path) -> None:
    model = adaptkit.load_model(with_rows(tmp_path / "here", 400))
    assert model.backbone.n_ids == VOCABULARY_SIZE
    trained = random_adapter(model, LORA)
    with pytest.raises(ArchitectureMismatch, match="vocabulary_size 399"):
        model.attach(_with_rows_said(trained, 399))


def _with_rows_said(adapter: adaptkit.Adapter, n_rows: int) -> adaptkit.Adapter:
    shape = replace(adapter.origin.shape, vocabulary_size=n_rows)
    return replace(adapter, origin=replace(adapter.origin, shape=shape))


def test_recorded_inputs_are_ids_of_the_tokenizer(tmp_path: Path) -> None:
    padded = adaptkit.load_model(with_rows(tmp_path / "there", 1_000)).backbone
    assert max(max(row) for row in padded.probe_inputs()) < VOCABULARY_SIZE


def test_a_zoo_is_searched_for_them_too(tmp_path: Path) -> None:
    here: AdaptedModel = adaptkit.load_model(with_rows(tmp_path / "here", 448))
    random_adapter(adaptkit.load_model(with_rows(tmp_path / "there", 400)), LORA).save(tmp_path / "zoo" / "sw")
    found = LanguageAdapters.of(tmp_path / "zoo", here.backbone)
    assert found.languages == {"sw"}

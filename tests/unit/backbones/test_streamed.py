"""Backbones that are read tensor by tensor."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from adaptkit import load_model
from adaptkit.backbones import vocabulary_of
from adaptkit.backbones.checkpoint import checkpoint_of
from adaptkit.backbones.linears import Int8Linear, Nf4Linear, QuantizedLinear
from adaptkit.backbones.word_embeddings import PagedRows
from adaptkit.errors import BackboneUnavailable, ConfigError, CorruptBackbone
from tests.saved import saved_backbone, with_tensors
from tests.tiny import ARCHITECTURES, tiny_model

TEXTS = ["Habari ya asubuhi", "The goat sleeps.", "Akuya tana barci a gida."]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return saved_backbone(tmp_path / "tiny")


@pytest.mark.parametrize("model_type", ARCHITECTURES)
@pytest.mark.parametrize("bits", [32, 16])
def test_paged_embeddings_change_no_bit(model_type: str, bits: int, tmp_path: Path) -> None:
    folder = saved_backbone(tmp_path / "tiny", model_type)
    whole, paged = load_model(folder, bits=bits), load_model(folder, bits=bits, embeddings="paged")  # type: ignore[arg-type]
    assert torch.equal(paged.encode(TEXTS), whole.encode(TEXTS))
    assert paged.backbone.fingerprint.samples == (
        load_model(folder).backbone.fingerprint.samples if bits == 16 else whole.backbone.fingerprint.samples
    )
    assert paged.backbone.embeddings == "paged"
    assert any(isinstance(module, PagedRows) for module in paged.modules())


@pytest.mark.parametrize("model_type", ARCHITECTURES)
@pytest.mark.parametrize(("bits", "kind", "precision"), [(8, Int8Linear, "int8"), (4, Nf4Linear, "nf4")])
def test_the_linear_layers_of_the_blocks_are_quantised(
    model_type: str, bits: int, kind: type[QuantizedLinear], precision: str, tmp_path: Path
) -> None:
    folder = saved_backbone(tmp_path / "tiny", model_type)
    model, plain = load_model(folder, bits=bits), load_model(folder)  # type: ignore[arg-type]
    blocks = plain.network.get_submodule("transformer" if model_type == "distilbert" else "encoder")
    linears = [path for path, module in blocks.named_modules() if isinstance(module, nn.Linear)]
    assert len([module for module in model.modules() if isinstance(module, kind)]) == len(linears)
    assert not [module for module in model.modules() if isinstance(module, nn.Linear)]
    assert not [weight for weight in model.parameters() if weight.is_meta]
    assert model.backbone.fingerprint.precision == precision
    assert model.backbone.fingerprint.compare(plain.backbone.fingerprint) == "same weights at another precision"
    ours, theirs = model.encode(TEXTS), plain.encode(TEXTS)
    assert 0 < float((ours - theirs).norm() / theirs.norm()) < 0.3


def test_memory_is_told_by_part(folder: Path) -> None:
    plain, small = load_model(folder), load_model(folder, bits=4, embeddings="int8")
    before, after = plain.memory(), small.memory()
    assert before["embeddings"] > 400 * 32 * 4
    assert after["embeddings"] < before["embeddings"] / 2
    assert after["attention"] < before["attention"] / 2
    assert before.total == sum(parameter.numel() * 4 for parameter in plain.network.parameters()) + sum(
        buffer.numel() * buffer.element_size() for buffer in plain.network.buffers()
    )
    assert "total" in str(after)


def test_a_table_in_use_is_counted_by_what_is_cached(folder: Path) -> None:
    model = load_model(folder, embeddings="paged")
    before = model.memory()["embeddings"]
    model.encode(TEXTS)
    assert before < model.memory()["embeddings"] < load_model(folder).memory()["embeddings"] + 20 * 400


def test_another_backbone_is_told_apart_at_four_bits(folder: Path, tmp_path: Path) -> None:
    other = saved_backbone(tmp_path / "other", seed=1)
    ours, theirs = load_model(folder, bits=4), load_model(other, bits=4)
    assert ours.backbone.fingerprint.compare(theirs.backbone.fingerprint) == "different"


def test_a_missing_weight_is_told_and_never_made_up(folder: Path) -> None:
    with_tensors(folder, dropped="encoder.layer.1.output.dense.weight")
    with pytest.raises(CorruptBackbone, match=r"encoder\.layer\.1\.output\.dense\.weight"):
        load_model(folder, bits=4)


def test_a_cut_file_is_told(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CorruptBackbone, match="contradicts itself"):
        load_model(folder, bits=4)


def test_other_formats_of_weights_are_not_read(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x02")
    with pytest.raises(BackboneUnavailable, match="safetensors"):
        load_model(folder, bits=4)


@pytest.mark.parametrize(
    "renamed",
    [
        {"encoder.": "bert.encoder.", "embeddings.p": "bert.embeddings.p"},
        {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"},
    ],
)
def test_names_of_published_checkpoints_are_known(renamed: dict[str, str], folder: Path) -> None:
    before = load_model(folder, bits=4).encode(TEXTS)
    with_tensors(folder, renamed=renamed)
    assert torch.equal(load_model(folder, bits=4).encode(TEXTS), before)


def test_a_checkpoint_in_several_files(folder: Path) -> None:
    before = load_model(folder, bits=4).encode(TEXTS)
    (folder / "model.safetensors").unlink()
    tiny_model().network.save_pretrained(folder, max_shard_size="30KB")
    files = set(
        json.loads((folder / "model.safetensors.index.json").read_text(encoding="utf-8"))["weight_map"].values()
    )
    assert len(files) > 1
    assert {tensor.path.name for tensor in checkpoint_of(str(folder), "bert").values()} == files
    assert torch.equal(load_model(folder, bits=4).encode(TEXTS), before)


@pytest.mark.parametrize("options", [{"bits": 3}, {"embeddings": "zipped"}, {"bits": "4"}])
def test_what_there_is_not_is_refused(options: dict[str, Any], folder: Path) -> None:
    with pytest.raises(ConfigError, match="found"):
        load_model(folder, **options)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"embeddings": "paged"},
        {"bits": 4, "embeddings": "int8"},
        {"bits": 8, "embeddings": "nf4"},
        {"bits": 8, "embeddings": "resident"},
    ],
)
def test_a_trimmed_table_gives_the_same_for_text_within_it(options: dict[str, Any], folder: Path) -> None:
    vocabulary = vocabulary_of(TEXTS, languages=["sw", "en"], backbone=folder)
    assert len(vocabulary) < 400
    trimmed, whole = load_model(folder, vocabulary=vocabulary, **options), load_model(folder, **options)
    assert torch.equal(trimmed.encode(TEXTS), whole.encode(TEXTS))
    assert trimmed.n_replaced_tokens == 0
    assert trimmed.backbone.fingerprint.samples == whole.backbone.fingerprint.samples
    assert torch.isfinite(trimmed.encode(["Yara suna wasa a bakin kogi."])).all()
    assert trimmed.n_replaced_tokens > 0


def test_a_trimmed_table_is_smaller(folder: Path) -> None:
    vocabulary = vocabulary_of(TEXTS[:1], backbone=folder)
    trimmed = load_model(folder, bits=4, vocabulary=vocabulary)
    assert trimmed.memory()["embeddings"] < load_model(folder, bits=4, embeddings="int8").memory()["embeddings"]


def test_a_vocabulary_of_another_tokenizer_is_refused(folder: Path) -> None:
    vocabulary = vocabulary_of(TEXTS, backbone=folder)
    config = folder / "tokenizer.json"
    config.write_text(config.read_text(encoding="utf-8").replace('"<mask>"', '"<blank>"'), encoding="utf-8")
    with pytest.raises(ConfigError, match="another tokenizer"):
        load_model(folder, vocabulary=vocabulary)


def test_loading_logs_nothing_to_the_user(
    folder: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    capfd.readouterr()
    caplog.set_level(logging.WARNING)
    load_model(folder, bits=8).encode(TEXTS)
    load_model(folder, bits=4).encode(TEXTS)
    assert not caplog.records
    assert capfd.readouterr().err == ""

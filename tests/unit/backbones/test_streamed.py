"""Backbones that are read tensor by tensor."""

import copy
import gc
import json
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from adaptkit import load_model
from adaptkit.backbones import blocks_of, vocabulary_of
from adaptkit.backbones.linears import Int4Linear, Int8Linear, Nf4Linear, QuantizedLinear
from adaptkit.backbones.stored_tensors import stored_tensors_of
from adaptkit.backbones.tables.paged import PagedRows
from adaptkit.errors import BackboneUnavailable, ConfigError, CorruptBackbone
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.holding import EMBEDDING_FORMS
from adaptkit.methods import LoraConfig
from tests.adapters import random_adapter
from tests.calls import train_adapter
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
    assert paged.backbone.fingerprint.samples == whole.backbone.fingerprint.samples
    assert paged.backbone.embeddings == "paged"
    assert any(isinstance(module, PagedRows) for module in paged.modules())


@pytest.mark.parametrize("model_type", ARCHITECTURES)
@pytest.mark.parametrize(
    ("bits", "kind", "precision"), [(8, (Int8Linear,), "int8"), (4, (Int4Linear, Nf4Linear), "nf4")]
)
def test_the_linear_layers_of_the_blocks_are_quantised(
    model_type: str, bits: int, kind: tuple[type[QuantizedLinear], ...], precision: str, tmp_path: Path
) -> None:
    folder = saved_backbone(tmp_path / "tiny", model_type)
    model, plain = load_model(folder, bits=bits), load_model(folder)  # type: ignore[arg-type]
    blocks = nn.ModuleList(blocks_of(plain.network))
    linears = [path for path, module in blocks.named_modules() if isinstance(module, nn.Linear)]
    assert len([module for module in model.modules() if isinstance(module, kind)]) == len(linears)
    # What widens narrow embeddings lies outside the blocks.
    outside = int(plain.backbone.shape.word_width != plain.backbone.shape.hidden_width)
    assert len([module for module in model.modules() if isinstance(module, nn.Linear)]) == outside
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


def test_ways_to_hold_a_backbone_are_told_apart(folder: Path) -> None:
    some, others = (vocabulary_of([text], backbone=folder) for text in TEXTS[:2])
    options: list[dict[str, Any]] = [
        {},
        {"bits": 16},
        {"bits": 8},
        {"bits": 4},
        {"embeddings": "paged"},
        {"embeddings": "nf4"},
        {"bits": 4, "embeddings": "int8"},
        {"vocabulary": some},
        {"vocabulary": others},
    ]
    held = [load_model(folder, **each).backbone.held_as for each in options]
    assert len(set(held)) == len(held)


def test_another_backbone_is_told_apart_at_four_bits(folder: Path, tmp_path: Path) -> None:
    other = saved_backbone(tmp_path / "other", seed=1)
    ours, theirs = load_model(folder, bits=4), load_model(other, bits=4)
    assert ours.backbone.fingerprint.compare(theirs.backbone.fingerprint) == "different"


@pytest.mark.parametrize("options", [{}, {"bits": 16}, {"embeddings": "paged"}, {"bits": 4}])
def test_a_missing_weight_is_told_and_never_made_up(options: dict[str, Any], folder: Path) -> None:
    with_tensors(folder, dropped="encoder.layer.1.output.dense.weight")
    with pytest.raises(CorruptBackbone, match=r"encoder\.layer\.1\.output\.dense\.weight"):
        load_model(folder, **options)


@pytest.mark.parametrize("options", [{"bits": 16}, {"dtype": torch.float16}, {"bits": 32}])
def test_a_streamed_backbone_is_identical_to_the_whole_one(options: dict[str, Any], folder: Path) -> None:
    whole, streamed = load_model(folder, **options), load_model(folder, **options, embeddings="paged")
    assert streamed.backbone.fingerprint.compare(whole.backbone.fingerprint) == "identical"
    assert torch.equal(streamed.encode(TEXTS), whole.encode(TEXTS))


def test_a_copy_is_refused_and_leaves_the_file_open(folder: Path) -> None:
    model = load_model(folder, embeddings="paged")
    before = model.encode(TEXTS)
    with pytest.raises(TypeError):
        copy.deepcopy(model)
    gc.collect()
    assert torch.equal(model.encode(TEXTS), before)


def test_threads_load_and_make_modules_at_once(folder: Path) -> None:
    expected = load_model(folder, bits=4).encode(TEXTS)
    with ThreadPoolExecutor(max_workers=4) as pool:
        models = list(pool.map(lambda _: load_model(folder, bits=4), range(8)))
        layers = list(pool.map(lambda _: nn.Linear(3, 3), range(8)))
    assert all(torch.equal(model.encode(TEXTS), expected) for model in models)
    assert not any(layer.weight.is_meta for layer in layers)


def test_the_full_vocabulary_of_a_part_is_refused(folder: Path) -> None:
    model = load_model(folder, vocabulary=vocabulary_of(TEXTS, backbone=folder))
    with pytest.raises(ConfigError, match="full_vocabulary needs every row"):
        train_adapter(lang="sw", text=TEXTS * 10, full_vocabulary=True, backbone=model, progress=False, force=True)


@pytest.mark.parametrize("embeddings", EMBEDDING_FORMS)
def test_the_vectors_are_as_near_as_the_form_of_embeddings_says(embeddings: str, folder: Path) -> None:
    ours, theirs = load_model(folder, embeddings=embeddings).encode(TEXTS), load_model(folder).encode(TEXTS)
    worst = {"yes": 0.0, "nearly": 0.02, "no": 0.2}[EMBEDDING_FORMS[embeddings].exact]
    assert float((ours - theirs).norm() / theirs.norm()) <= worst


def test_an_adapter_of_a_plain_backbone_is_proven_on_rows_in_float16(folder: Path) -> None:
    plain, half = load_model(folder), load_model(folder, embeddings="fp16")
    half.attach(random_adapter(plain, AdapterConfig(method=LoraConfig(rank=2))))
    assert half.backbone.fingerprint.compare(plain.backbone.fingerprint) == "identical"
    assert half.memory()["embeddings"] < 0.7 * plain.memory()["embeddings"]


def test_a_table_beyond_float16_is_refused(folder: Path) -> None:
    path = folder / "model.safetensors"
    tensors = load_file(path)
    tensors["embeddings.word_embeddings.weight"][7, 3] = 70_000
    save_file(tensors, path, metadata={"format": "pt"})
    with pytest.raises(ConfigError, match="hold 70000, and float16 ends at 65,504"):
        load_model(folder, embeddings="fp16")


@pytest.mark.parametrize("embeddings", EMBEDDING_FORMS)
def test_the_full_vocabulary_trains_on_any_whole_table(embeddings: str, folder: Path) -> None:
    model = load_model(folder, embeddings=embeddings)
    adapter = train_adapter(
        lang="sw", text=TEXTS * 10, full_vocabulary=True, backbone=model, progress=False, force=True, max_steps=3
    )
    assert adapter.card.training is not None


def test_a_cut_file_is_told(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CorruptBackbone, match="contradicts itself"):
        load_model(folder, bits=4)
    path.write_bytes((100).to_bytes(8, "little") + b"{" * 100)
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
    assert {tensor.path.name for tensor in stored_tensors_of(str(folder), "bert").values()} == files
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
    for file in (folder / "tokenizer.json", folder / "tokenizer_config.json"):
        file.write_text(file.read_text(encoding="utf-8").replace('"<mask>"', '"<blank>"'), encoding="utf-8")
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

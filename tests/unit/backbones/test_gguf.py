"""A GGUF file as a backbone."""

import json
import random
import socket
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch
from transformers import AutoModel
from typer.testing import CliRunner

import adaptkit
from adaptkit import load_model
from adaptkit.backbones import vocabulary_of
from adaptkit.backbones.checkpoint import GgufCheckpoint
from adaptkit.backbones.gguf_file import GgufFile
from adaptkit.backbones.gguf_tokenizer import tokenizer_of
from adaptkit.cli.backbone import backbone_app
from adaptkit.data.sample import sample_pairs
from adaptkit.errors import (
    AdaptkitError,
    BackboneMismatch,
    BackboneUnavailable,
    CorruptBackbone,
    UnsupportedArchitecture,
)
from adaptkit.model.generation.generator import ends_of
from tests.calls import train_adapter
from tests.gguf_files import ARCHITECTURES, byte_level_tokenizer, written_gguf
from tests.tiny import tiny_config, tiny_network

TEXTS = ["Habari ya asubuhi, 2026", "The goat sleeps.", "Akuya tana barci a gida."]
QUICK: dict[str, Any] = {"lang": "sw", "max_steps": 12, "batch_size": 8, "progress": False, "learning_rate": 2e-3}


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("model_type", ARCHITECTURES)
def test_a_file_gives_the_network_that_it_was_made_of(model_type: str, tmp_path: Path) -> None:
    model, network = load_model(written_gguf(tmp_path / "tiny.gguf", model_type)), tiny_network(model_type)
    if model_type == "gemma3_text":
        # Of its files, llama.cpp knows that one block in six sees everything.
        config = tiny_config(model_type)
        config.layer_types = ["sliding_attention", "sliding_attention"]
        blind = AutoModel.from_config(config).eval()  # type: ignore[no-untyped-call]
        blind.load_state_dict(network.state_dict())
        network = blind
    theirs = network.state_dict()
    for name, weight in model.network.state_dict().items():
        # Gemma's norms were written with 1 added.
        torch.testing.assert_close(weight, theirs[name], rtol=0, atol=2e-7 if model_type == "gemma3_text" else 0)
    ids, mask = model.backbone.pad(model.backbone.tokenize(TEXTS))
    with torch.no_grad():
        expected = network(input_ids=ids, attention_mask=mask).last_hidden_state
        torch.testing.assert_close(model(ids, mask)[mask.bool()], expected[mask.bool()], rtol=1e-4, atol=1e-5)
    assert (model.backbone.name, model.backbone.release) == ("tiny", "F32 (GGUF)")


@pytest.mark.parametrize("kind", ["Q8_0", "Q4_0", "Q4_1", "F16", "BF16"])
@pytest.mark.parametrize("model_type", ["llama", "qwen2"])
def test_values_are_those_of_the_reader_of_transformers(model_type: str, kind: str, tmp_path: Path) -> None:
    path = written_gguf(tmp_path / "tiny.gguf", model_type, kind=kind)
    ours = load_model(path).network.state_dict()
    theirs = AutoModel.from_pretrained(tmp_path, gguf_file=path.name, dtype=torch.float32).state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], weight) for name, weight in theirs.items())


@pytest.mark.parametrize("options", [{"bits": 16}, {"bits": 8}, {"bits": 4}, {"embeddings": "paged"}])
@pytest.mark.parametrize("model_type", ["llama", "gemma3_text"])
def test_it_is_held_in_every_form(model_type: str, options: dict[str, Any], tmp_path: Path) -> None:
    path = written_gguf(tmp_path / "tiny.gguf", model_type, kind="Q8_0")
    whole, small = load_model(path), load_model(path, **options)
    assert small.backbone.fingerprint.compare(whole.backbone.fingerprint) != "different"
    assert small.backbone.tokenizer_hash == whole.backbone.tokenizer_hash
    ours, theirs = small.encode(TEXTS), whole.encode(TEXTS)
    assert float((ours - theirs).norm() / theirs.norm()) < (0.0 if "embeddings" in options else 0.3) + 1e-6


def test_the_end_of_a_turn_ends_a_text_too(tmp_path: Path) -> None:
    assert load_model(written_gguf(tmp_path / "plain.gguf")).backbone.text_ends == ()
    found = load_model(written_gguf(tmp_path / "tiny.gguf", fields={"tokenizer.ggml.eot_token_id": 7})).backbone
    assert ends_of(found) == {2, 7}


def test_a_vocabulary_is_taken_with_its_tokenizer(tmp_path: Path) -> None:
    path = written_gguf(tmp_path / "tiny.gguf")
    vocabulary = vocabulary_of(TEXTS, backbone=path)
    trimmed = load_model(path, vocabulary=vocabulary)
    assert torch.equal(trimmed.encode(TEXTS), load_model(path).encode(TEXTS))


def test_a_saved_folder_is_the_same_backbone(tmp_path: Path) -> None:
    model = load_model(written_gguf(tmp_path / "tiny.gguf", kind="Q8_0"))
    model.backbone.save(tmp_path / "folder")
    again = load_model(tmp_path / "folder").backbone
    assert again.fingerprint.compare(model.backbone.fingerprint) == "identical"
    assert (again.name, again.release, again.tokenizer_hash) == ("tiny", "Q8_0 (GGUF)", model.backbone.tokenizer_hash)


def test_an_adapter_records_the_file_and_is_refused_on_another(tmp_path: Path) -> None:
    text = [text for _, text in sample_pairs("sw")[:120]]
    path = written_gguf(tmp_path / "tiny.gguf", kind="Q8_0")
    adapter = train_adapter(**QUICK, text=text, backbone=str(path), output=tmp_path / "sw")
    assert (adapter.origin.name, adapter.origin.release) == ("tiny", "Q8_0 (GGUF)")
    again = adaptkit.load_adapter(tmp_path / "sw")
    load_model(path).attach(again)
    with pytest.raises(BackboneMismatch):
        load_model(written_gguf(tmp_path / "other.gguf", seed=1, kind="Q8_0")).attach(again)


def test_an_output_projection_of_its_own_is_used(tmp_path: Path) -> None:
    rows = np.random.default_rng(3).normal(size=(400, 32)).astype(np.float32)
    backbone = load_model(written_gguf(tmp_path / "tiny.gguf", output=rows)).backbone
    assert not backbone.network.config.tie_word_embeddings
    assert torch.equal(backbone.output_rows(), torch.from_numpy(rows))
    assert torch.equal(backbone.output_rows(torch.tensor([2, 9])), torch.from_numpy(rows[[2, 9]]))


@pytest.mark.parametrize("pre", ["gpt-2", "smollm", "llama-bpe", "qwen2"])
def test_pieces_give_texts_back(pre: str, tmp_path: Path) -> None:
    path = written_gguf(
        tmp_path / "tiny.gguf", fields={"tokenizer.ggml.pre": pre, "tokenizer.ggml.add_bos_token": True}
    )
    tokenizer = load_model(path).backbone.tokenizer
    for text in ["Habari ya 2026?", "E\u0323\u0300ko\u0323\u0301  wa\n\n12345 don't"]:
        ids = tokenizer(text).input_ids
        assert ids[0] == 0
        assert tokenizer.decode(ids[1:]) in (text, "\u1eb8\u0300k\u1ecd\u0301  wa\n\n12345 don't")
    assert tokenizer.convert_ids_to_tokens(tokenizer("<s></s>", add_special_tokens=False).input_ids) == ["<s>", "</s>"]


@pytest.mark.parametrize(
    ("pre", "whole"), [("llama-bpe", True), ("llama3", True), ("llama-v3", True), ("gpt-2", False)]
)
def test_llama_3_keeps_words_that_are_pieces_and_opens_texts(pre: str, whole: bool, tmp_path: Path) -> None:
    pieces = json.loads(byte_level_tokenizer())["model"]
    word = max((piece for piece in pieces["vocab"] if piece.isascii() and piece.isalpha()), key=len)
    merges = [" ".join(pair) for pair in pieces["merges"] if "".join(pair) != word]
    fields: dict[str, Any] = {"tokenizer.ggml.pre": pre, "tokenizer.ggml.merges": merges}
    tokenizer = tokenizer_of(GgufFile.of(written_gguf(tmp_path / "tiny.gguf", fields=fields)), 128)
    ids = tokenizer(word).input_ids
    assert (ids == [0, pieces["vocab"][word]]) is whole
    assert (ids[0] == 0) is whole
    fields = {**fields, "tokenizer.ggml.add_bos_token": False}
    told = tokenizer_of(GgufFile.of(written_gguf(tmp_path / "told.gguf", fields=fields)), 128)
    assert told(word).input_ids[0] != 0


def test_llama_3_opens_texts_though_the_file_does_not_say_by_which_token(tmp_path: Path) -> None:
    pieces = json.loads(byte_level_tokenizer())["model"]["vocab"]
    tokens = sorted(pieces, key=pieces.__getitem__)
    named = ["<|begin_of_text|>" if piece == "<s>" else piece for piece in tokens]
    unsaid: dict[str, Any] = {"tokenizer.ggml.pre": "llama-bpe", "tokenizer.ggml.bos_token_id": None}
    path = written_gguf(tmp_path / "unsaid.gguf", fields={**unsaid, "tokenizer.ggml.tokens": named})
    assert tokenizer_of(GgufFile.of(path), 128)("Habari").input_ids[0] == tokens.index("<s>")
    with pytest.raises(CorruptBackbone, match=r"not with which: it lacks tokenizer.ggml.bos_token_id"):
        tokenizer_of(GgufFile.of(written_gguf(tmp_path / "lacking.gguf", fields=unsaid)), 128)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"fields": {"general.architecture": "rwkv7"}}, "rwkv7"),
        ({"fields": {"{arch}.rope.scaling.type": "yarn"}}, "yarn positions"),
        ({"fields": {"tokenizer.ggml.pre": "hunyuan"}}, "hunyuan"),
    ],
)
def test_what_is_not_known_is_refused_by_name(options: Any, said: str, tmp_path: Path) -> None:  # noqa: ANN401
    path = written_gguf(tmp_path / "tiny.gguf")
    changed = _with_fields(path, options["fields"])
    with pytest.raises(UnsupportedArchitecture, match=said):
        load_model(changed)


def _with_fields(path: Path, fields: dict[str, str]) -> Path:
    if "general.architecture" in fields:
        path.write_bytes(path.read_bytes().replace(b"\x05\0\0\0\0\0\0\0llama", b"\x05\0\0\0\0\0\0\0rwkv7", 1))
        return path
    return written_gguf(path, fields=fields)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"extra": {"rope_freqs.weight": np.ones(10, np.float32)}}, "does not read"),
        ({"extra": {"blk.0.ffn_gate_inp.weight": np.ones((4, 32), np.float32)}}, "does not read"),
        ({"fields": {"{arch}.block_count": 3}}, "lacks"),
        ({"fields": {"{arch}.block_count": 1}}, "does not read"),
        ({"fields": {"{arch}.embedding_length": 64}}, "shape"),
        ({"fields": {"{arch}.embedding_length": 2**31}}, "embedding|hidden_size"),
        ({"fields": {"{arch}.attention.head_count_kv": 3}}, "keys"),
        ({"fields": {"{arch}.context_length": None}}, "context_length"),
        ({"fields": {"{arch}.attention.layer_norm_rms_epsilon": "small"}}, "tiny.gguf"),
        ({"fields": {"tokenizer.ggml.merges": ["qqqq zzzz"]}}, "no tokenizer"),
        ({"fields": {"general.alignment": 0}}, "alignment"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused(options: Any, said: str, tmp_path: Path) -> None:  # noqa: ANN401
    with pytest.raises(CorruptBackbone, match=said):
        load_model(written_gguf(tmp_path / "tiny.gguf", **options))


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"\x93NUMPY and so on")
    with pytest.raises(CorruptBackbone, match="begins with"):
        load_model(path)
    path.write_bytes(b"")
    with pytest.raises(CorruptBackbone, match=r"model\.gguf"):
        load_model(path)
    with pytest.raises(BackboneUnavailable, match="there is no file"):
        load_model(tmp_path / "absent.gguf")


def test_a_file_that_is_cut_off_is_refused_wherever(tmp_path: Path) -> None:
    whole = written_gguf(tmp_path / "tiny.gguf").read_bytes()
    cut = tmp_path / "cut.gguf"
    for length in sorted({*range(1, 200, 7), *range(0, len(whole), len(whole) // 60), len(whole) - 1}):
        cut.write_bytes(whole[:length])
        with pytest.raises(CorruptBackbone):
            load_model(cut)


def test_no_change_of_a_byte_does_more_than_be_refused(tmp_path: Path) -> None:
    whole = written_gguf(tmp_path / "tiny.gguf").read_bytes()
    head = len(whole) - sum(entry.block[1] for entry in GgufFile.of(tmp_path / "tiny.gguf").entries.values())
    chosen, path = random.Random(1), tmp_path / "changed.gguf"
    for _ in range(300):
        changed = bytearray(whole)
        changed[chosen.randrange(min(head, 9000))] = chosen.choice([0, 1, 9, 127, 255])
        path.write_bytes(bytes(changed))
        try:
            found = GgufCheckpoint(str(path))
            assert found.config.vocab_size <= 400
        except (AdaptkitError, ValueError):
            continue


def test_a_type_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = written_gguf(tmp_path / "tiny.gguf", kind="Q4_1")
    from adaptkit.backbones import gguf_checkpoint

    monkeypatch.setattr(gguf_checkpoint, "_can_be_read", lambda kind: kind != gguf.GGMLQuantizationType.Q4_1)
    with pytest.raises(CorruptBackbone, match="as Q4_1"):
        load_model(path)


def test_the_command_writes_a_folder_of_it(tmp_path: Path) -> None:
    path = written_gguf(tmp_path / "tiny.gguf", kind="Q8_0")
    assert CliRunner().invoke(backbone_app, ["export", str(tmp_path / "out"), "--backbone", str(path)]).exit_code == 0
    assert torch.equal(load_model(tmp_path / "out").encode(TEXTS), load_model(path).encode(TEXTS))

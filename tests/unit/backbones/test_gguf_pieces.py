"""Pieces of sentencepiece in a GGUF file, against sentencepiece itself."""

import io
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import sentencepiece

from adaptkit.backbones.gguf_file import GgufFile
from adaptkit.backbones.gguf_tokenizer import tokenizer_of
from adaptkit.data.sample import sample_sentences
from tests.gguf_files import byte_level_tokenizer, written_gguf

NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6


def texts() -> list[str]:
    return [text for row in sample_sentences() for text in row.texts.values()]


@cache
def learned(dummy_prefix: bool) -> Any:  # noqa: ANN401 - it has no types
    """A tokenizer of 400 pieces that spells unknown letters in bytes; Gemma's puts no space before a text."""
    content = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts()),
        model_writer=content,
        vocab_size=400,
        model_type="bpe",
        byte_fallback=True,
        character_coverage=0.999,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        add_dummy_prefix=dummy_prefix,
        minloglevel=2,
    )
    return sentencepiece.SentencePieceProcessor(model_proto=content.getvalue())


def kind(pieces: Any, number: int) -> int:  # noqa: ANN401
    if pieces.is_byte(number):
        return BYTE
    return UNKNOWN if pieces.is_unknown(number) else CONTROL if pieces.is_control(number) else NORMAL


@pytest.mark.parametrize(("model_type", "dummy_prefix"), [("llama", True), ("phi3", True), ("gemma3_text", False)])
def test_ids_are_those_of_sentencepiece_whatever_lies_beside_the_file(
    model_type: str, dummy_prefix: bool, tmp_path: Path
) -> None:
    pieces = learned(dummy_prefix)
    every = range(pieces.get_piece_size())
    fields = {
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.pre": "default",
        "tokenizer.ggml.tokens": [pieces.id_to_piece(number) for number in every],
        "tokenizer.ggml.scores": [float(pieces.get_score(number)) for number in every],
        "tokenizer.ggml.token_type": [kind(pieces, number) for number in every],
        "tokenizer.ggml.merges": None,
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.unknown_token_id": 0,
        "tokenizer.ggml.padding_token_id": None,
    }
    path = written_gguf(tmp_path / "tiny.gguf", model_type, fields=fields)
    (tmp_path / "tokenizer.json").write_text(byte_level_tokenizer())
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer"}))
    tokenizer = tokenizer_of(GgufFile.of(path), 128)
    for text in [*texts()[:100], "Ẹ̀kọ́ 2026"]:
        assert tokenizer(text).input_ids == [1, *pieces.encode(text)]

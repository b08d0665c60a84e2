"""A trimmed backbone as a transformers folder that anything can load."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoModel, AutoTokenizer, PreTrainedTokenizerFast

import adaptkit
from adaptkit.data.sample import sample_sentences
from adaptkit.errors import ConfigError, TokenizerMismatch
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import LoraConfig
from tests.adapters import random_adapter
from tests.calls import train_adapter
from tests.saved import saved_backbone
from tests.tiny import SPECIAL, VOCABULARY_SIZE, tiny_network

TEXTS = [sentence.texts["sw"] for sentence in sample_sentences()[:40]]


def trained(kind: str) -> Tokenizer:
    texts = [text for sentence in sample_sentences() for text in sentence.texts.values()]
    size: dict[str, Any] = {"special_tokens": SPECIAL, "show_progress": False, "vocab_size": VOCABULARY_SIZE}
    if kind == "unigram":
        tokenizer = Tokenizer(models.Unigram())
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        tokenizer.train_from_iterator(texts, trainers.UnigramTrainer(unk_token="<unk>", **size))
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
        )
    else:
        tokenizer = Tokenizer(models.WordPiece(unk_token="<unk>"))
        tokenizer.normalizer = normalizers.Lowercase()
        tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
        tokenizer.train_from_iterator(texts, trainers.WordPieceTrainer(**size))
        tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return tokenizer


def folder_of(kind: str, model_type: str, folder: Path) -> Path:
    tiny_network(model_type).save_pretrained(folder)
    roles = {"bos": "<s>", "cls": "<s>", "eos": "</s>", "sep": "</s>", "pad": "<pad>", "unk": "<unk>", "mask": "<mask>"}
    tokens = {f"{role}_token": token for role, token in roles.items()}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=trained(kind), model_max_length=128, **tokens)  # type: ignore[no-untyped-call]
    tokenizer.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("bits", [32, 16])
@pytest.mark.parametrize("model_type", ["bert", "xlm-roberta", "deberta-v2"])
@pytest.mark.parametrize("kind", ["unigram", "wordpiece"])
def test_any_program_gets_the_same_vectors(kind: str, model_type: str, bits: Any, tmp_path: Path) -> None:  # noqa: ANN401
    whole = folder_of(kind, model_type, tmp_path / "whole")
    vocabulary = adaptkit.vocabulary_of(TEXTS[:5], languages=["sw"], backbone=whole)
    trimmed = adaptkit.load_model(whole, bits=bits, embeddings="resident", vocabulary=vocabulary)
    trimmed.backbone.save(tmp_path / "small")

    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "small")
    network = AutoModel.from_pretrained(tmp_path / "small")
    assert network.config.vocab_size == len(trimmed.backbone.vocabulary or []) < VOCABULARY_SIZE
    inputs = tokenizer(TEXTS[:5], padding=True, return_tensors="pt")
    assert int(inputs["input_ids"].max()) < network.config.vocab_size
    full = AutoTokenizer.from_pretrained(whole)
    for text, row in zip(TEXTS[:5], inputs["input_ids"].tolist(), strict=True):
        pieces = tokenizer.convert_ids_to_tokens([token for token in row if token != tokenizer.pad_token_id])
        assert pieces == full.convert_ids_to_tokens(full(text)["input_ids"])
    small = adaptkit.load_model(tmp_path / "small", bits=bits)
    torch.testing.assert_close(small.encode(TEXTS[:5]), trimmed.encode(TEXTS[:5]), rtol=1e-4, atol=1e-5)
    assert tokenizer("a", "b")["input_ids"][0] == tokenizer.bos_token_id


def test_the_saved_backbone_is_another_one(tmp_path: Path) -> None:
    whole = folder_of("unigram", "bert", tmp_path / "whole")
    vocabulary = adaptkit.vocabulary_of(TEXTS[:5], languages=["sw"], backbone=whole)
    trimmed = adaptkit.load_model(whole, vocabulary=vocabulary)
    adapter = random_adapter(trimmed, AdapterConfig(method=LoraConfig(rank=2)))
    trimmed.backbone.save(tmp_path / "small")
    small = adaptkit.load_model(tmp_path / "small")
    with pytest.raises((TokenizerMismatch, adaptkit.errors.ArchitectureMismatch)):
        small.attach(adapter)
    assert train_adapter(lang="sw", text=TEXTS, backbone=small, max_steps=2, batch_size=8, progress=False).tensors


def test_text_outside_the_vocabulary_is_cut_into_letters(tmp_path: Path) -> None:
    whole = folder_of("unigram", "bert", tmp_path / "whole")
    vocabulary = adaptkit.vocabulary_of(TEXTS[:2], languages=["sw"], backbone=whole)
    adaptkit.load_model(whole, vocabulary=vocabulary).backbone.save(tmp_path / "small")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "small")
    found = tokenizer(TEXTS)["input_ids"]
    assert sum(row.count(tokenizer.unk_token_id) for row in found) < 0.02 * sum(map(len, found))


def test_a_byte_pair_tokenizer_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    whole = saved_backbone(tmp_path / "whole")
    assert json.loads((whole / "tokenizer.json").read_text())["model"]["type"] == "BPE"
    vocabulary = adaptkit.vocabulary_of(TEXTS[:5], backbone=whole)
    with pytest.raises(ConfigError, match="BPE"):
        adaptkit.load_model(whole, vocabulary=vocabulary).backbone.save(tmp_path / "small")
    assert not (tmp_path / "small").exists()

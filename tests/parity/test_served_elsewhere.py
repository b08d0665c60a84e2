"""On real weights: what other libraries give of a stack is what the stack gives.

ONNX on real weights, of some blocks, is compared in docs/how-to/serve-elsewhere.md, as writing a file takes long.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from sentence_transformers import SentenceTransformer
from transformers import pipeline

import adaptkit
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import BottleneckConfig, LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.task_types import HeadConfig
from tests.adapters import attach_random

pytestmark = pytest.mark.embedded

TEXTS = ["Watoto wanakwenda shule asubuhi.", "Rain", "The goat eats grass under the old tree. " * 20]
SENTENCES = [["Amina", "anaishi", "Kumasi", ",", "Ghana", "."], ["Mbuzi", "amelala"]]
LABELS = ("farming", "health", "weather")
TAGS = ("O", "B-PER", "B-LOC")


@pytest.fixture
def model(embedded_model: AdaptedModel) -> Iterator[AdaptedModel]:
    heads = {
        "task/topics": HeadConfig(task_type="classification", labels=LABELS),
        "task/ner": HeadConfig(task_type="tagging", labels=TAGS),
    }
    try:
        attach_random(embedded_model, "language/sw", AdapterConfig(method=LoraConfig(rank=4, alpha=1))).eval()
        attach_random(embedded_model, "language/ha", AdapterConfig(method=BottleneckConfig())).eval()
        for name, head in heads.items():
            attach_random(embedded_model, name, AdapterConfig(method=LoraConfig(rank=2, alpha=1), head=head)).eval()
        yield embedded_model
    finally:
        embedded_model.detach(*embedded_model.attached)


def close(found: object, wanted: torch.Tensor) -> None:
    torch.testing.assert_close(torch.as_tensor(found), wanted, rtol=0, atol=1e-5)


def test_sentence_transformers_with_the_stack_and_with_the_merged_folder(model: AdaptedModel, tmp_path: Path) -> None:
    wanted = model.encode(TEXTS, stack="sw")
    assert float((wanted - model.encode(TEXTS)).abs().max()) > 0.01
    close(adaptkit.as_sentence_transformer(model, "sw").encode(TEXTS), wanted)
    adaptkit.merge(model, "sw").save(tmp_path / "merged")
    plain = SentenceTransformer(str(tmp_path / "merged"), device="cpu")
    close(plain.encode(TEXTS, prompt=model.backbone.text_prefix), wanted)


def test_pipelines(model: AdaptedModel, tmp_path: Path) -> None:
    classify: Any = adaptkit.as_pipeline(model, "ha > topics", top_k=None, batch_size=2)
    for theirs, ours in zip(classify(TEXTS), model.predict(TEXTS, stack="ha > topics"), strict=True):
        assert {each["label"]: each["score"] for each in theirs} == pytest.approx(dict(ours.probabilities), abs=1e-5)
    adaptkit.merge(model, "sw > ner").save(tmp_path / "merged")
    merged: Any = pipeline("token-classification", model=str(tmp_path / "merged"), device="cpu", ignore_labels=[])
    stacked: Any = adaptkit.as_pipeline(model, "sw > ner", ignore_labels=[])
    for words, ours in zip(SENTENCES, model.predict(SENTENCES, stack="sw > ner"), strict=True):
        (tokens,) = stacked(words, is_split_into_words=True)
        starts = [len(" ".join([*words[:number], ""])) for number in range(len(words))]
        found = {token["start"]: token["entity"] for token in reversed(tokens)}
        assert [found[start] for start in starts] == list(ours.tags)
        prefix = model.backbone.text_prefix.split()
        (others,) = merged([*prefix, *words], is_split_into_words=True)
        assert [token["entity"] for token in others][-len(tokens) :] == [token["entity"] for token in tokens]

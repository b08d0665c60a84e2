import numpy as np
import pytest
import torch

from adaptkit.data.sample import TOPICS, sample_topics
from adaptkit.evaluation import TopicHead
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import LoraConfig
from adaptkit.model import AdaptedModel
from tests.adapters import attach_random


def test_a_head_separates_what_can_be_separated(model: AdaptedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = torch.eye(3).repeat(5, 1)
    head = TopicHead(vectors, ["a", "b", "c"] * 5)

    monkeypatch.setattr(model, "encode", lambda *_, **__: vectors[:3])
    assert head.correct(model, ["x", "y", "z"], ["a", "b", "a"]).tolist() == [1.0, 1.0, 0.0]


def test_a_head_learns_its_training_sentences(model: AdaptedModel) -> None:
    texts, topics = sample_topics("en", "train")
    found = TopicHead.trained_on(model, texts, topics).correct(model, texts, topics)
    assert found.shape == (len(texts),)
    assert set(np.unique(found)) <= {0.0, 1.0}
    assert found.mean() > 1.5 / len(TOPICS)


def test_the_stack_acts_on_what_is_tested_and_not_on_what_is_trained(model: AdaptedModel) -> None:
    texts, topics = sample_topics("sw", "test")
    head = TopicHead.trained_on(model, *sample_topics("en", "train"))
    bare = head.correct(model, texts, topics)
    attach_random(model, "language/sw", AdapterConfig(method=LoraConfig(rank=8, alpha=800.0)))
    assert np.array_equal(head.correct(model, texts, topics), bare)
    assert not np.array_equal(head.correct(model, texts, topics, stack="language/sw"), bare)

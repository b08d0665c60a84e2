"""Finding translations, by which the zoo's adapters for languages without a labelled task are measured."""

import pytest
import torch
import torch.nn.functional as F

from adaptkit.errors import ConfigError
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import LoraConfig
from adaptkit.model import AdaptedModel
from benchmarks.retrieval import translations_found
from tests.adapters import random_adapter

TEXTS = ["the goat eats grass", "it rains on the hill", "she sells maize at the market"]


def test_a_text_finds_itself_and_not_another(model: AdaptedModel) -> None:
    assert translations_found(model, TEXTS, TEXTS).tolist() == [1, 1, 1]
    assert translations_found(model, TEXTS, TEXTS[::-1]).tolist() == [0, 1, 0]


def test_of_equal_translations_any_counts(model: AdaptedModel) -> None:
    assert translations_found(model, TEXTS[:2], [TEXTS[0], TEXTS[0]]).tolist() == [1, 1]


def test_texts_and_translations_are_encoded_under_their_own_stacks(model: AdaptedModel) -> None:
    adapter = random_adapter(model, AdapterConfig(method=LoraConfig(rank=2, alpha=200.0)))
    model.attach(adapter)
    cosines = F.cosine_similarity(model.encode(TEXTS, stack=adapter.id)[:, None], model.encode(TEXTS)[None], dim=-1)
    expected = (cosines.argmax(dim=-1) == torch.arange(len(TEXTS))).tolist()
    assert translations_found(model, TEXTS, TEXTS, stack=adapter.id).tolist() == expected
    assert translations_found(model, TEXTS, TEXTS, stack=adapter.id, translations_stack=adapter.id).all()
    assert not all(expected)


@pytest.mark.parametrize(("n_texts", "n_translations"), [(1, 2), (0, 0)])
def test_each_text_needs_its_translation(n_texts: int, n_translations: int, model: AdaptedModel) -> None:
    with pytest.raises(ConfigError, match=f"found {n_texts} and {n_translations}"):
        translations_found(model, TEXTS[:n_texts], TEXTS[:n_translations])

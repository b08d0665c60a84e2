"""Two adapters side by side."""

from dataclasses import replace

import pytest
import torch

from adaptkit.attaching import AdapterLayers
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.card import Card, Evaluation
from adaptkit.methods import BottleneckConfig, FusionConfig, InvertibleConfig, LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.storage import Adapter
from adaptkit.task_types import HeadConfig
from adaptkit.weights.compare import LayerChange, compare
from tests.adapters import random_adapter, randomise
from tests.glossaries import GLOSSARY, GLOSSES
from tests.methods import METHODS
from tests.pieces import OWN_PIECES
from tests.tiny import tiny_model, unigram_model
from tests.tolerance import rounded

LORA = AdapterConfig(method=LoraConfig(rank=2, alpha=4.0))


@pytest.fixture
def lora(model: AdaptedModel) -> Adapter:
    return random_adapter(model, LORA)


def with_tensors(adapter: Adapter, change: float) -> Adapter:
    tensors = {name: change * tensor if ".lora_B." in name else tensor for name, tensor in adapter.tensors.items()}
    return replace(adapter, tensors=tensors)


def with_layers(model: AdaptedModel, config: AdapterConfig) -> Adapter:
    """An adapter that needs others to act, so that nothing is recorded of what it gives."""
    layers = randomise(AdapterLayers(config, model.backbone.shape.sites()))
    tensors = {name: tensor.detach() for name, tensor in layers.named_tensors().items()}
    return replace(random_adapter(model, LORA, kind="task"), config=config, tensors=tensors, probes=())


def test_the_same_adapter_differs_in_nothing(lora: Adapter) -> None:
    found = compare(lora, lora)
    assert (found.same_weights, found.facts, found.scores) == (True, (), ())
    assert all(layer.cosine == rounded(1) for layer in found.layers)
    assert len(found.layers) == 12


def test_norms_are_those_of_what_is_added(lora: Adapter) -> None:
    (first, *_) = compare(lora, with_tensors(lora, -3.0)).layers
    down, up = (lora.tensors[f"{first.module}.lora_{part}.weight"] for part in "AB")
    assert first.norm_before == rounded(float((2.0 * up @ down).norm()))
    assert first.norm_after == rounded(3 * float((2.0 * up @ down).norm()))
    assert first.cosine == rounded(-1)


def test_another_factorisation_of_the_same_matrix_is_equal(lora: Adapter) -> None:
    turned = {name: tensor.flip(0) if ".lora_A." in name else tensor.flip(1) for name, tensor in lora.tensors.items()}
    found = compare(lora, replace(lora, tensors=turned))
    assert not found.same_weights
    assert all(layer.cosine == rounded(1) for layer in found.layers)


def test_facts_and_scores_that_differ(lora: Adapter) -> None:
    score = Evaluation(task="topics", metric="accuracy", n_examples=9, score_without=50.0, score_with=60.0)
    better = replace(score, score_with=70.0)
    one = replace(lora, card=Card(licence="MIT", evaluations=(score,)))
    other = replace(lora, card=Card(licence="CC0-1.0", evaluations=(better, replace(score, task="names"))))
    found = compare(one, replace(other, config=AdapterConfig(method=LoraConfig(rank=2, alpha=8.0))))
    facts = {fact.name: (fact.before, fact.after) for fact in found.facts}
    assert facts == {"card.licence": ("MIT", "CC0-1.0"), "config.method.alpha": (4.0, 8.0)}
    assert [(it.task, it.before, it.after) for it in found.scores] == [("topics", 60.0, 70.0), ("names", None, 60.0)]


def test_other_methods_have_no_cosine(model: AdaptedModel, lora: Adapter) -> None:
    head = HeadConfig(task_type="classification", labels=("goats", "rain"))
    config = AdapterConfig(method=BottleneckConfig(reduction_factor=4), invertible=InvertibleConfig(), head=head)
    other = random_adapter(model, config, kind="task", name="topics")
    found = {layer.module: layer for layer in compare(lora, other).layers}
    assert {"head", "embeddings", "encoder.layer.0.output.LayerNorm"} < found.keys()
    assert found["head"].norm_before is None
    assert all(layer.cosine is None for layer in found.values())
    same = {layer.module: layer for layer in compare(other, other).layers}
    assert same["embeddings"].cosine == rounded(1)


@pytest.mark.parametrize("name", METHODS)
def test_every_tensor_of_every_method_belongs_to_one_module(name: str, model: AdaptedModel) -> None:
    adapter = random_adapter(model, METHODS[name])
    layers = compare(adapter, adapter).layers
    owners = [[layer.module for layer in layers if tensor.startswith(f"{layer.module}.")] for tensor in adapter.tensors]
    assert all(len(found) == 1 for found in owners)
    assert {found[0] for found in owners} == {layer.module for layer in layers}
    assert all(layer.cosine == rounded(1) for layer in layers)


def test_the_weights_of_a_fusion_are_compared_and_a_similarity_has_none(model: AdaptedModel) -> None:
    fusion = AdapterConfig(method=FusionConfig(fuses=("language/sw", "language/ha"), width=2, blocks=(0,)))
    adapter = with_layers(model, replace(fusion, head=HeadConfig(task_type="similarity")))
    (first, *others) = compare(adapter, adapter).layers
    own = [tensor for name, tensor in adapter.tensors.items() if name.startswith(f"{first.module}.")]
    assert len(own) == 2
    assert first.norm_before == rounded(float(torch.cat([tensor.flatten() for tensor in own]).norm()))
    assert "head" not in {layer.module for layer in others}


def test_a_layer_of_zeros_has_no_direction(lora: Adapter) -> None:
    zero = replace(lora, tensors={name: torch.zeros_like(tensor) for name, tensor in lora.tensors.items()})
    (first, *_) = compare(lora, zero).layers
    assert isinstance(first, LayerChange)
    assert (first.norm_after, first.cosine) == (0.0, None)


def test_pieces_are_told_by_their_number_and_hash() -> None:
    model = unigram_model()
    plain, reading = (random_adapter(model, replace(OWN_PIECES, pieces=own)) for own in (None, OWN_PIECES.pieces))
    (change,) = (fact for fact in compare(plain, reading).facts if fact.name.startswith("config.pieces"))
    assert change.before is None
    assert str(change.after).startswith("<16 pieces, ")


def test_glossaries_are_told_by_their_number_and_hash() -> None:
    model = tiny_model()
    other = AdapterConfig(method=replace(GLOSSES, translations=("school", "goat", "rain")))
    ours, theirs = (random_adapter(model, config, name="sw") for config in (GLOSSARY, other))
    (change,) = compare(ours, theirs).facts
    assert change.name == "config.glossary"
    assert str(change.before).startswith("<3 words with translations, ")

import dataclasses
import threading
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import constants
from torch import Tensor

from adaptkit import load_model, network
from adaptkit.backbones import blocks_of
from adaptkit.composition import Stack
from adaptkit.errors import (
    AdapterExists,
    AmbiguousAdapter,
    ArchitectureMismatch,
    BackboneMismatch,
    BackboneUnavailable,
    ConfigError,
    ProbeMismatch,
    TokenizerMismatch,
    UnknownAdapter,
)
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import BottleneckConfig, InvertibleConfig, LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.storage import Adapter
from tests.adapters import attach_random, random_adapter
from tests.facts import FACTS
from tests.tiny import tiny_model
from tests.tolerance import assert_equal_but_for_rounding

LORA = AdapterConfig(method=LoraConfig(rank=4))
TEXTS = ["Habari ya asubuhi", "Akuya", "The goat sleeps in the house of the teacher.", "", "Two eggs."]


def test_vectors_come_in_the_order_of_the_texts(model: AdaptedModel) -> None:
    together = model.encode(TEXTS, batch_size=2)
    alone = torch.cat([model.encode([text]) for text in TEXTS])
    assert_equal_but_for_rounding(together, alone)
    assert len({tuple(row) for row in together.round(decimals=3).tolist()}) == len(TEXTS)


@pytest.mark.parametrize("config", [LORA, AdapterConfig(method=BottleneckConfig(), invertible=InvertibleConfig())])
def test_the_batch_size_does_not_matter(model: AdaptedModel, config: AdapterConfig) -> None:
    attach_random(model, "language/sw", config)
    one, all_at_once = (model.encode(TEXTS, stack="sw", batch_size=size) for size in (1, 100))
    assert_equal_but_for_rounding(one, all_at_once)


def test_one_string_has_one_vector(model: AdaptedModel) -> None:
    vector = model.encode(TEXTS[0])
    assert vector.shape == (model.backbone.shape.hidden_width,)
    assert torch.equal(vector, model.encode([TEXTS[0]])[0])


def test_vectors_of_length_one_point_the_same_way(model: AdaptedModel) -> None:
    plain, normalized = model.encode(TEXTS), model.encode(TEXTS, normalize_embeddings=True)
    torch.testing.assert_close(normalized.norm(dim=-1), torch.ones(len(TEXTS)))
    torch.testing.assert_close(normalized, plain / plain.norm(dim=-1, keepdim=True))


def test_another_prefix_stands_before_the_texts(model: AdaptedModel) -> None:
    behind = model.encode(["goat"], prefix="the house ")
    assert torch.equal(behind, model.encode(["the house goat"], prefix=""))
    assert not torch.equal(behind, model.encode(["goat"]))
    assert torch.equal(model.encode(["goat"], prefix=model.backbone.text_prefix), model.encode(["goat"]))


def test_a_model_says_what_it_is_in_three_lines(model: AdaptedModel) -> None:
    attach_random(model, "language/sw", LORA)
    first, second, third = repr(model).splitlines()
    assert model.backbone.name in first
    assert str(model.device) in second
    assert third == "  attached: language/sw"
    assert model.tokenizer is model.backbone.tokenizer


def test_a_vector_is_the_mean_over_real_tokens(model: AdaptedModel) -> None:
    ids, mask = model.backbone.pad(model.backbone.tokenize(["Habari ya asubuhi"]))
    with torch.no_grad():
        plain = model.network(input_ids=ids, attention_mask=mask).last_hidden_state.mean(dim=1)
    torch.testing.assert_close(model.encode(["Habari ya asubuhi"]), plain)


def test_texts_are_cut_at_the_given_length(model: AdaptedModel) -> None:
    long = "goat " * 300
    assert torch.equal(model.encode([long], max_length=8), model.encode(["goat " * 50], max_length=8))
    assert torch.equal(model.encode([long]), model.encode([long], max_length=10_000))


@pytest.mark.parametrize("texts", [[], ()])
def test_no_texts_give_no_vectors(model: AdaptedModel, texts: list[str]) -> None:
    assert model.encode(texts).shape == (0, 32)


def test_vectors_of_a_half_precision_backbone_are_float32(model: AdaptedModel) -> None:
    attach_random(model, "language/sw", LORA)
    exact = model.encode(TEXTS, stack="sw")
    torch.nn.Module.to(model.network, torch.bfloat16)
    vectors = model.encode(TEXTS, stack="sw")
    assert vectors.dtype == torch.float32
    assert torch.cosine_similarity(vectors, exact).min() > 0.99


def test_a_batch_size_below_one_is_refused(model: AdaptedModel) -> None:
    with pytest.raises(ConfigError, match="batch_size"):
        model.encode(TEXTS, batch_size=0)


def test_an_unknown_adapter_is_refused_with_a_suggestion(model: AdaptedModel) -> None:
    model.attach_layers("language/sw", LORA)
    with pytest.raises(UnknownAdapter, match="Did you mean language/sw") as caught:
        model.encode(TEXTS, stack="language/swh")
    assert (caught.value.asked, caught.value.attached) == ("language/swh", ("language/sw",))
    assert caught.value.suggestions == ("language/sw",)
    with pytest.raises(UnknownAdapter, match=r"Did you mean sw\?"):
        model.plan("sww")


def test_a_bare_name_must_be_unique(model: AdaptedModel) -> None:
    model.attach_layers("task/nli", LORA)
    assert len(model.plan("nli")) == len(model.plan("task/nli")) > 0
    model.attach_layers("language/nli", LORA)
    with pytest.raises(AmbiguousAdapter) as caught:
        model.plan("nli")
    assert caught.value.candidates == ("task/nli", "language/nli")


def test_two_names_of_one_adapter_are_refused(model: AdaptedModel) -> None:
    model.attach_layers("language/sw", LORA)
    with pytest.raises(ConfigError, match="twice"):
        model.plan(Stack("language/sw", "sw"))


def test_an_id_may_hold_a_dot(model: AdaptedModel) -> None:
    adapter = random_adapter(model, LORA, kind="domain", name="pubmed-1.0")
    model.attach(adapter)
    assert model.attached == ("domain/pubmed-1.0",)
    assert not torch.equal(model.encode(TEXTS, stack="pubmed-1.0"), model.encode(TEXTS))


def test_adapters_are_part_of_the_module(model: AdaptedModel) -> None:
    layers = model.attach_layers("language/sw", LORA)
    model.double()
    assert {weight.dtype for weight in layers.parameters()} == {torch.float64}
    model.detach("sw")
    assert not list(model.adapters.parameters())


@pytest.mark.parametrize("stack", ["language/sw", "sw", Stack("language/sw"), Stack("sw")])
def test_a_stack_may_be_given_in_several_ways(model: AdaptedModel, stack: Stack | str) -> None:
    adapter = random_adapter(model, LORA)
    model.attach(adapter)
    assert torch.equal(model.encode(TEXTS, stack=stack), model.encode(TEXTS, stack=adapter))


def test_attaching_an_id_twice_is_refused_and_keeps_the_first(model: AdaptedModel) -> None:
    model.attach(random_adapter(model, LORA))
    before = model.encode(TEXTS, stack="sw")
    with pytest.raises(AdapterExists, match=r"model\.detach"):
        model.attach(random_adapter(model, LORA, seed=2))
    assert torch.equal(model.encode(TEXTS, stack="sw"), before)


def test_an_adapter_as_the_stack_is_the_one_that_acts(model: AdaptedModel) -> None:
    first, second = random_adapter(model, LORA), random_adapter(model, LORA, seed=2)
    model.attach(first)
    with pytest.raises(AdapterExists, match=r"another language/sw is attached.*model\.swap"):
        model.encode(TEXTS, stack=second)
    model.swap(second)
    assert torch.equal(model.encode(TEXTS, stack=second), model.encode(TEXTS, stack="language/sw"))


def test_detaching_what_is_not_attached_is_refused(model: AdaptedModel) -> None:
    with pytest.raises(UnknownAdapter, match="Attached: none"):
        model.detach("language/sw")


def test_an_adapter_is_detached_as_it_was_attached(model: AdaptedModel) -> None:
    sw, ha = random_adapter(model, LORA), random_adapter(model, LORA, name="ha", seed=2)
    model.attach(sw, ha)
    model.detach(sw)
    assert model.attached == ("language/ha",)
    with pytest.raises(UnknownAdapter, match="no adapter language/sw is attached"):
        model.detach(ha, sw)
    other = random_adapter(model, LORA, name="ha", seed=3)
    with pytest.raises(AdapterExists, match=r"another language/ha is attached .* model\.detach\('language/ha'\)"):
        model.detach(other)
    assert model.attached == ("language/ha",)


@pytest.mark.parametrize("given", [None, ["language/sw"], 3])
def test_what_is_neither_an_adapter_nor_a_name_is_not_detached(model: AdaptedModel, given: Any) -> None:  # noqa: ANN401
    sw = random_adapter(model, LORA)
    model.attach(sw)
    with pytest.raises(
        ConfigError, match=r"detach takes adapters, or names .* Attached: language/sw\. To take all off"
    ):
        model.detach("language/sw", given)
    assert model.attached == ("language/sw",)
    with pytest.raises(ConfigError, match="swap takes adapters"):
        model.swap(given)


def test_one_adapter_is_detached_and_the_others_stay(model: AdaptedModel) -> None:
    attach_random(model, "language/sw", AdapterConfig(method=BottleneckConfig()))
    attach_random(model, "task/nli", LORA)
    before = model.encode(TEXTS, stack="nli")
    model.detach("language/sw")
    assert model.attached == ("task/nli",)
    assert torch.equal(model.encode(TEXTS, stack="nli"), before)


def test_an_attached_adapter_is_frozen_and_in_evaluation_mode(model: AdaptedModel) -> None:
    config = AdapterConfig(method=LoraConfig(rank=4, dropout=0.5))
    adapter = random_adapter(model, LORA)
    model.attach(dataclasses.replace(adapter, config=config))
    assert not any(weight.requires_grad for weight in model.adapters.parameters())
    assert torch.equal(model.encode(TEXTS, stack="sw"), model.encode(TEXTS, stack="sw"))


@pytest.mark.parametrize(
    ("other", "error"),
    [
        (tiny_model(n_blocks=3), ArchitectureMismatch),
        (tiny_model("roberta"), ArchitectureMismatch),
        (tiny_model(seed=1), BackboneMismatch),
    ],
)
def test_another_backbone_is_refused(model: AdaptedModel, other: AdaptedModel, error: type[Exception]) -> None:
    adapter = random_adapter(model, LORA)
    with pytest.raises(error, match="language/sw was trained on tiny-bert"):
        other.attach(adapter)
    assert other.attached == ()


def test_another_tokenizer_is_refused(model: AdaptedModel) -> None:
    adapter = random_adapter(model, LORA)
    other = tiny_model()
    other.backbone.tokenizer.add_tokens(["asubuhi"])
    with pytest.raises(TokenizerMismatch):
        other.attach(adapter)


@pytest.mark.parametrize("seen_before", [False, True])
def test_outputs_that_are_not_the_recorded_ones_are_refused(model: AdaptedModel, seen_before: bool) -> None:
    adapter = random_adapter(model, LORA)
    if seen_before:
        model.attach(adapter)
        model.detach(adapter.id)
    louder = dataclasses.replace(adapter, config=AdapterConfig(method=LoraConfig(rank=4, alpha=64)))
    with pytest.raises(ProbeMismatch, match="off the recorded ones"):
        model.attach(louder)
    assert model.attached == ()


def test_a_hub_that_does_not_answer_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(network, "hub_answers", lambda: asked.append(True))
    monkeypatch.setattr("adaptkit.backbones.stored_tensors.cached_file", lambda *_, **__: pytest.fail("asked again"))
    with pytest.raises(BackboneUnavailable, match="no model hub gave it"):
        load_model("nowhere/at-all")
    assert asked == [True]
    with pytest.raises(BackboneUnavailable, match="there is no such folder"):
        load_model("no/id/of/a/hub")
    assert asked == [True]


def test_asking_a_hub_takes_a_bounded_time_whatever_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    hangs = threading.Event()

    def hanging(*_: object, **__: object) -> None:
        hangs.wait(60)
        raise OSError

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(network, "_TIMEOUT_S", 0.05)
    monkeypatch.setattr("urllib.request.urlopen", hanging)
    assert not network.hub_answers()
    hangs.set()
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: nullcontext())
    monkeypatch.setattr(network, "_TIMEOUT_S", 60.0)
    assert network.hub_answers()


def test_a_backbone_that_is_nowhere_is_refused() -> None:
    with pytest.raises(BackboneUnavailable, match="nowhere/at-all"):
        load_model("nowhere/at-all")


@pytest.mark.parametrize("config", [LORA, AdapterConfig(method=BottleneckConfig(), invertible=InvertibleConfig())])
def test_states_of_several_blocks_stand_side_by_side(model: AdaptedModel, config: AdapterConfig) -> None:
    attach_random(model, "language/sw", config)
    rows = model.backbone.tokenize(TEXTS)
    ids, mask = model.backbone.pad(rows)
    seen: list[Tensor] = []
    for block in blocks_of(model.network):
        block.register_forward_hook(lambda _module, _args, output: seen.append(output))
    with torch.no_grad(), model.active("sw"):
        both = model(ids, mask, blocks=(0, 1))
        assert torch.equal(both, torch.cat(seen, dim=-1))
        assert torch.equal(model(ids, mask), both.chunk(2, dim=-1)[1])
    vectors = model.encode_ids(rows, stack="sw", blocks=(0, 1))
    assert_equal_but_for_rounding(vectors.chunk(2, dim=1)[1], model.encode_ids(rows, stack="sw"))


def test_states_of_several_blocks_have_the_same_gradients_under_checkpointing(model: AdaptedModel) -> None:
    layers = attach_random(model, "language/sw", LORA).requires_grad_(requires_grad=True)
    ids, mask = model.backbone.pad(model.backbone.tokenize(TEXTS))
    found = []
    for checkpointing in (False, True):
        model.gradient_checkpointing(on=checkpointing)
        layers.zero_grad()
        with model.active("sw"):
            states = model(ids, mask, blocks=(0, 1))
        torch.autograd.backward((states * torch.linspace(-1, 1, states.shape[-1])).sum())
        found.append([weight.grad.clone() for weight in layers.parameters() if weight.grad is not None])
    assert len(found[0]) == len(list(layers.parameters()))
    for plain, recomputed in zip(*found, strict=True):
        assert_equal_but_for_rounding(recomputed, plain)


def trained_to(adapter: Adapter, loss: float) -> Adapter:
    facts = dataclasses.replace(FACTS, heldout_loss_after=loss)
    return dataclasses.replace(adapter, card=dataclasses.replace(adapter.card, training=facts))


@pytest.mark.parametrize("from_zoo", [False, True])
def test_an_adapter_that_changes_nothing_is_told_once(
    model: AdaptedModel, caplog: pytest.LogCaptureFixture, tmp_path: Path, *, from_zoo: bool
) -> None:
    good, none = (random_adapter(model, LORA, name=name) for name in ("sw", "yo"))
    adapters = [trained_to(good, 1.9), trained_to(none, 2.0)]
    if from_zoo:
        for adapter in adapters:
            adapter.save(tmp_path / adapter.name)
        model.attach_zoo(tmp_path)
    else:
        model.attach(*adapters)
    for _ in range(2):
        model.encode(["Maji", "Omi"], stacks=["language/sw", "language/yo"])
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == ["language/yo changes nothing"]

"""What compositions compute, against plain formulas."""

import pytest
import torch
from torch import Tensor

from adaptkit.composition import Average, Composition, Fuse, Stack
from adaptkit.errors import AdapterExists, AmbiguousAdapter, ConfigError, NoHead, UnknownAdapter
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.layers import FusionLayer
from adaptkit.methods import BottleneckConfig, FusionConfig, LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.task_types import HeadConfig
from tests.adapters import attach_random, random_adapter

QUERY = AdapterConfig(method=LoraConfig(rank=3, alpha=6, sites=("attention.query",), blocks=(0,)))
OUTPUT = AdapterConfig(method=BottleneckConfig(reduction_factor=4, blocks=(0,)))
FUSION = AdapterConfig(
    method=FusionConfig(
        fuses=("language/sw", "language/ha"), width=3, sites=("attention.query", "block.output"), blocks=(0,)
    )
)
QUERY_PATH, OUTPUT_PATH = "encoder.layer.0.attention.self.query", "encoder.layer.0.output.LayerNorm"
TEXTS = ["Habari ya asubuhi", "Akuya tana barci a gida."]
SW, HA = "language/sw", "language/ha"


@pytest.fixture(params=[(QUERY, QUERY_PATH), (OUTPUT, OUTPUT_PATH)], ids=["lora", "bottleneck"])
def two(request: pytest.FixtureRequest, model: AdaptedModel) -> tuple[AdaptedModel, str]:
    """A model with two adapters of one method, and where they act."""
    config, path = request.param
    attach_random(model, SW, config)
    attach_random(model, HA, config, seed=2)
    return model, path


def at(model: AdaptedModel, path: str, stack: Composition | str | None) -> Tensor:
    """What comes out of a module under a stack."""
    seen: list[Tensor] = []
    hook = model.network.get_submodule(path).register_forward_hook(lambda _, __, output: seen.append(output))
    with torch.no_grad(), model.active(stack):
        model(*model.backbone.pad(model.backbone.tokenize(TEXTS)))
    hook.remove()
    return seen[0]


def test_an_average_adds_the_weighted_contributions(two: tuple[AdaptedModel, str]) -> None:
    model, path = two
    bare, sw, ha = (at(model, path, stack) for stack in (None, SW, HA))
    expected = bare + 0.75 * (sw - bare) + 0.5 * (ha - bare)
    torch.testing.assert_close(at(model, path, Average({SW: 0.75, HA: 0.5})), expected)


def test_an_average_of_one_at_weight_one_is_that_adapter(two: tuple[AdaptedModel, str]) -> None:
    model, _ = two
    assert torch.equal(model.encode(TEXTS, stack=Average(SW)), model.encode(TEXTS, stack=SW))


def test_an_average_of_two_equal_adapters_is_that_adapter(model: AdaptedModel) -> None:
    attach_random(model, SW, QUERY)
    attach_random(model, HA, QUERY)
    torch.testing.assert_close(model.encode(TEXTS, stack=Average(SW, HA)), model.encode(TEXTS, stack=SW))


def test_an_average_of_adapters_at_different_sites_keeps_each_share(model: AdaptedModel) -> None:
    attach_random(model, SW, QUERY)
    attach_random(model, HA, OUTPUT, seed=2)
    bare, sw = at(model, QUERY_PATH, None), at(model, QUERY_PATH, SW)
    torch.testing.assert_close(at(model, QUERY_PATH, Average(SW, HA)), bare + 0.5 * (sw - bare))


def test_an_average_below_a_task_adapter(two: tuple[AdaptedModel, str]) -> None:
    model, _ = two
    attach_random(model, "task/nli", QUERY, seed=3)
    below = Average(SW, HA)
    bare, averaged, task = (at(model, QUERY_PATH, stack) for stack in (None, below, "task/nli"))
    both = at(model, QUERY_PATH, Stack(below, "task/nli"))
    torch.testing.assert_close(both, averaged + (task - bare))


def test_a_fresh_fusion_is_the_equal_average(two: tuple[AdaptedModel, str]) -> None:
    model, _ = two
    model.attach_layers("language/fused", FUSION)
    fused, averaged = (model.encode(TEXTS, stack=stack) for stack in (Fuse(SW, HA), Average(SW, HA)))
    torch.testing.assert_close(fused, averaged)


def test_a_fusion_mixes_contributions_by_attention(two: tuple[AdaptedModel, str]) -> None:
    model, path = two
    layers = attach_random(model, "language/fused", FUSION, seed=5)
    bare, sw, ha = (at(model, path, stack) for stack in (None, SW, HA))
    layer = dict(layers.items())[path]
    assert isinstance(layer, FusionLayer)
    contributions = torch.stack([sw - bare, ha - bare])
    scores = ((contributions @ layer.key.weight.T) * (bare @ layer.query.weight.T)).sum(-1) / 3**0.5
    expected = bare + (torch.softmax(scores, dim=0).unsqueeze(-1) * contributions).sum(0)
    for stack in (Fuse(SW, HA), Fuse(HA, SW), "language/fused", "fuse(sw, ha)"):
        torch.testing.assert_close(at(model, path, stack), expected)
    assert not torch.allclose(expected, at(model, path, Average(SW, HA)), atol=1e-3)


def test_a_fusion_that_nobody_trained_is_refused(two: tuple[AdaptedModel, str]) -> None:
    with pytest.raises(UnknownAdapter, match="fuse"):
        two[0].plan(Fuse(SW, HA))


def test_what_a_fusion_fuses_must_be_attached(model: AdaptedModel) -> None:
    attach_random(model, SW, QUERY)
    model.attach_layers("language/fused", FUSION)
    with pytest.raises(UnknownAdapter, match="language/ha"):
        model.plan("language/fused")


def test_an_adapter_may_hide_the_top_block_from_those_below(model: AdaptedModel) -> None:
    everywhere = AdapterConfig(method=LoraConfig(rank=3, sites=("attention.query",)))
    hiding = AdapterConfig(method=LoraConfig(rank=3, sites=("ffn.output",)), hides_top_block=True)
    attach_random(model, SW, everywhere)
    attach_random(model, "task/nli", hiding, seed=2)
    top = "encoder.layer.1.attention.self.query"
    assert top in model.plan(SW)
    assert top not in model.plan(Stack(SW, "task/nli"))
    assert QUERY_PATH in model.plan(Stack(SW, "task/nli"))
    assert "encoder.layer.1.output.dense" in model.plan(Stack(SW, "task/nli"))


def test_bare_names_are_checked_for_their_order(model: AdaptedModel) -> None:
    attach_random(model, SW, QUERY)
    attach_random(model, "task/nli", QUERY, seed=2)
    assert model.pinned("sw > nli").stack == Stack(SW, "task/nli")
    for _ in range(2):
        with pytest.raises(ConfigError, match="out of order"):
            model.plan(Stack("nli", "sw"))
        model.plan(Stack("nli", "sw", any_order=True))


def test_a_plan_is_forgotten_with_its_adapter(model: AdaptedModel) -> None:
    attach_random(model, SW, QUERY)
    first = model.encode(TEXTS, stack=SW)
    model.detach(SW)
    with pytest.raises(UnknownAdapter):
        model.plan(SW)
    attach_random(model, SW, QUERY, seed=9)
    assert not torch.equal(model.encode(TEXTS, stack=SW), first)


def test_activating_attached_adapters_makes_nothing_trainable(model: AdaptedModel) -> None:
    adapter = random_adapter(model, QUERY)
    model.attach(adapter)
    with model.active(Average(adapter.id)):
        assert not any(weight.requires_grad for weight in model.parameters())
    assert model.attached_adapter("sw") is adapter
    assert model.attached_adapter("ha") is None


def test_nested_parts_hide_the_top_block_too(model: AdaptedModel) -> None:
    everywhere = AdapterConfig(method=LoraConfig(rank=3, sites=("attention.query",)))
    hiding = AdapterConfig(method=LoraConfig(rank=3, sites=("ffn.output",)), hides_top_block=True)
    attach_random(model, SW, everywhere)
    attach_random(model, "task/nli", hiding, seed=2)
    attach_random(model, "task/other", hiding, seed=3)
    for top in (Stack("task/nli"), Average("task/nli", "task/other")):
        assert "encoder.layer.1.attention.self.query" not in model.plan(Stack(Stack(SW), top))


def test_two_fusions_of_the_same_adapters_are_told_apart(two: tuple[AdaptedModel, str]) -> None:
    model, _ = two
    for name in ("language/one", "language/other"):
        model.attach_layers(name, FUSION)
    with pytest.raises(AmbiguousAdapter, match=r"one.*other"):
        model.plan(Fuse(SW, HA))
    assert model.plan("language/one")


def test_attaching_is_all_or_none(model: AdaptedModel) -> None:
    first = random_adapter(model, QUERY)
    with pytest.raises(AdapterExists):
        model.attach(first, first)
    assert model.attached == ()


def test_an_average_of_task_adapters_has_no_head(model: AdaptedModel) -> None:
    head = HeadConfig(task_type="classification", labels=("yes", "no"))
    for seed, name in enumerate(("task/a", "task/b")):
        attach_random(model, name, AdapterConfig(method=LoraConfig(rank=2), head=head), seed=seed)
    with pytest.raises(NoHead):
        model.predict(TEXTS, stack=Average("task/a", "task/b"))
    assert len(model.predict(TEXTS, stack=Stack(Stack("task/a")))) == 2

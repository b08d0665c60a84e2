"""LoRAs made into one: identity, order, plain formulas, and what is refused."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import adaptkit
from adaptkit.errors import CompatibilityError, ConfigError, NotConvertible
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import BottleneckConfig, InvertibleConfig, LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.objectives.projection import ProjectionConfig
from adaptkit.storage import Adapter
from adaptkit.task_types import HeadConfig
from tests.adapters import random_adapter
from tests.tiny import tiny_model

TEXTS = ["Habari ya asubuhi", "The goat sleeps.", "Maji"]
METHODS: dict[str, LoraConfig] = {
    "rank 1": LoraConfig(rank=1, alpha=0.3),
    "rank 5": LoraConfig(rank=5, alpha=2),
    "rank stabilized": LoraConfig(rank=3, alpha=0.4, scaling="rank_stabilized"),
    "some sites and blocks": LoraConfig(rank=4, alpha=1, sites=("attention.key", "ffn.output"), blocks=(1,)),
}
HOW: dict[str, dict[str, Any]] = {"sum": {}, "ties": {"how": "ties"}, "dare": {"how": "dare"}}
HEAD = HeadConfig(task_type="classification", labels=("a", "b"))


@pytest.fixture
def model() -> AdaptedModel:
    return tiny_model()


def lora(model: AdaptedModel, method: LoraConfig, name: str = "sw", seed: int = 1) -> Adapter:
    return random_adapter(model, AdapterConfig(method=method), name=name, seed=seed)


def deltas(adapter: Adapter) -> dict[str, torch.Tensor]:
    """The change of each weight, by the plain formula."""
    method = adapter.config.method
    assert isinstance(method, LoraConfig)
    modules = {name.removesuffix(".lora_A.weight") for name in adapter.tensors if name.endswith("lora_A.weight")}
    return {
        module: method.scale * adapter.tensors[f"{module}.lora_B.weight"] @ adapter.tensors[f"{module}.lora_A.weight"]
        for module in modules
    }


@pytest.mark.parametrize("options", HOW.values(), ids=HOW)
@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_one_adapter_at_weight_one_is_itself(method: LoraConfig, options: dict[str, Any], model: AdaptedModel) -> None:
    adapter = lora(model, method)
    again = adaptkit.combine([adapter], "sw-again", weights=[1.0], backbone=model, **options)
    if not options:
        assert again.config == adapter.config
        assert all(torch.equal(again.tensors[name], tensor) for name, tensor in adapter.tensors.items())
    model.attach(adapter, again)
    torch.testing.assert_close(
        model.encode(TEXTS, stack=again), model.encode(TEXTS, stack=adapter), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("options", [*HOW.values(), {"how": "ties", "density": 0.3}, {"how": "dare", "density": 0.3}])
def test_order_makes_no_difference(options: dict[str, Any], model: AdaptedModel) -> None:
    adapters = [lora(model, method, f"x{n}", seed=n) for n, method in enumerate(METHODS.values())]
    weights = [0.5, -0.3, 1.0, 0.2]
    one = adaptkit.combine(adapters, "all", weights=weights, backbone=model, **options)
    other = adaptkit.combine(adapters[::-1], "all", weights=weights[::-1], backbone=model, **options)
    assert all(torch.equal(one.tensors[name], tensor) for name, tensor in other.tensors.items())
    assert (one.card, one.language) == (other.card, other.language)


def test_a_sum_is_the_sum_of_the_changes(model: AdaptedModel) -> None:
    adapters = [lora(model, method, f"x{n}", seed=n) for n, method in enumerate(METHODS.values())]
    weights = [0.5, -0.3, 1.0, 0.2]
    found = deltas(adaptkit.combine(adapters, "all", weights=weights, backbone=model))
    parts = [deltas(adapter) for adapter in adapters]
    assert found.keys() == set().union(*parts)
    for module, delta in found.items():
        expected = sum(weight * part[module] for weight, part in zip(weights, parts, strict=True) if module in part)
        torch.testing.assert_close(delta, expected)


def test_the_default_is_the_mean(model: AdaptedModel) -> None:
    adapters = [lora(model, LoraConfig(rank=3, alpha=2), name, seed=n) for n, name in enumerate(["sw", "ha"])]
    found, parts = deltas(adaptkit.combine(adapters, "both", backbone=model)), [deltas(each) for each in adapters]
    for module, delta in found.items():
        torch.testing.assert_close(delta, (parts[0][module] + parts[1][module]) / 2)


def test_what_is_added_and_taken_away_again_is_gone(model: AdaptedModel) -> None:
    sw, ha = (lora(model, LoraConfig(rank=3, alpha=2), name, seed=n) for n, name in enumerate(["sw", "ha"]))
    both = adaptkit.combine([sw, ha], "both", weights=[1, 1], backbone=model)
    alone = adaptkit.combine([both, ha], "alone", weights=[1, -1], rank=3, backbone=model)
    for module, delta in deltas(alone).items():
        torch.testing.assert_close(delta, deltas(sw)[module], rtol=1e-3, atol=1e-4)


def test_ties_by_the_formula(model: AdaptedModel) -> None:
    adapters = [lora(model, LoraConfig(rank=4, alpha=2), name, seed=n) for n, name in enumerate(["a", "b", "c"])]
    found = deltas(
        adaptkit.combine(adapters, "all", weights=[1, 1, 1], how="ties", density=0.4, rank=32, backbone=model)
    )
    for module, delta in found.items():
        every = [deltas(adapter)[module] for adapter in adapters]
        for place in [(0, 0), (1, 5), (7, 3), (20, 11)]:
            kept = []
            for each in every:
                ordered = sorted(each.abs().flatten().tolist(), reverse=True)
                least = ordered[round(0.4 * each.numel()) - 1]
                kept.append(float(each[place]) if abs(float(each[place])) >= least else 0.0)
            sign = 1 if sum(kept) > 0 else -1
            agreeing = [value for value in kept if value * sign > 0]
            expected = sum(agreeing) / len(agreeing) if agreeing else 0.0
            assert float(delta[place]) == pytest.approx(expected, abs=2e-4)


def test_ties_of_one_and_the_same_is_that_one(model: AdaptedModel) -> None:
    sw = lora(model, LoraConfig(rank=3, alpha=2))
    both = adaptkit.combine([sw, sw.renamed("language/again")], "both", how="ties", backbone=model)
    for module, delta in deltas(both).items():
        torch.testing.assert_close(delta, deltas(sw)[module], rtol=1e-3, atol=1e-4)


def test_scales_that_are_too_large_for_one_alpha_are_folded(model: AdaptedModel) -> None:
    both = [lora(model, LoraConfig(rank=1, alpha=9e5), name, seed=n) for n, name in enumerate(["sw", "ha"])]
    small = [replace(each, tensors={name: t * 1e-3 for name, t in each.tensors.items()}) for each in both]
    found = deltas(adaptkit.combine(small, "both", weights=[1, 1], backbone=model))
    for module, delta in found.items():
        torch.testing.assert_close(delta, deltas(small[0])[module] + deltas(small[1])[module])


def test_dare_keeps_a_share_and_the_mean(model: AdaptedModel) -> None:
    (before,) = [deltas(lora(model, LoraConfig(rank=4, alpha=2)))]
    options: dict[str, Any] = {"weights": [1], "how": "dare", "density": 0.25, "rank": 32, "backbone": model}
    adapter = lora(model, LoraConfig(rank=4, alpha=2))
    one, same, other = (deltas(adaptkit.combine([adapter], "x", seed=seed, **options)) for seed in (0, 0, 1))
    for module, delta in before.items():
        kept = one[module].abs() > 1e-3
        assert 0.15 < float(kept.float().mean()) < 0.35
        torch.testing.assert_close(one[module][kept], (delta / 0.25)[kept], rtol=1e-3, atol=1e-3)
        assert torch.equal(one[module], same[module])
        assert not torch.allclose(one[module], other[module])


def test_a_smaller_rank_keeps_what_weighs_most(model: AdaptedModel) -> None:
    sw, ha = (lora(model, LoraConfig(rank=4, alpha=2), name, seed=n) for n, name in enumerate(["sw", "ha"]))
    whole = deltas(adaptkit.combine([sw, ha], "both", weights=[1, 0.5], backbone=model))
    small = adaptkit.combine([sw, ha], "both", weights=[1, 0.5], rank=3, backbone=model)
    assert isinstance(small.config.method, LoraConfig)
    assert small.config.method.rank == 3
    for module, delta in deltas(small).items():
        u, s, v = torch.linalg.svd(whole[module])
        torch.testing.assert_close(delta, (u[:, :3] * s[:3]) @ v[:3], rtol=1e-3, atol=1e-4)


def test_a_language_and_a_task_become_a_task_adapter(model: AdaptedModel) -> None:
    sw = lora(model, LoraConfig(rank=3, alpha=2))
    task = random_adapter(
        model, AdapterConfig(method=LoraConfig(rank=2, alpha=1), head=HEAD), kind="task", name="topics", seed=5
    )
    both = adaptkit.combine([sw, task], "topics-sw", weights=[1, 1], backbone=model)
    assert (both.id, both.config.head) == ("task/topics-sw", HEAD)
    model.attach(sw, task, both)
    stacked = model.predict(TEXTS, stack="language/sw > task/topics")
    for one, other in zip(model.predict(TEXTS, stack=both), stacked, strict=True):
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-4)


def test_parents_are_named_by_their_hashes(model: AdaptedModel, tmp_path: Path) -> None:
    sw, ha = (lora(model, LoraConfig(rank=4, alpha=2), name, seed=n) for n, name in enumerate(["sw", "ha"]))
    sw = replace(sw, card=replace(sw.card, licence="CC0-1.0"))
    both = adaptkit.combine([sw, ha], "both", how="dare", density=0.5, seed=3, backbone=model)
    adaptkit.load_adapter(both.save(tmp_path / "both"))
    for text in (sw.weights_sha256[:16], ha.weights_sha256[:16], "0.5 * language/ha", "dare, density 0.5, seed 3"):
        assert text in both.card.source
    assert both.card.licence == "not stated; CC0-1.0"


WRONG: dict[str, dict[str, Any]] = {
    "one for each": {"weights": [1.0]},
    "not all 0": {"weights": [0.0, 0.0]},
    "finite": {"weights": [float("nan"), 1.0]},
    "how is sum, ties, dare": {"how": "slerp"},
    "above 0 and at most 1": {"how": "ties", "density": 0.0},
    "a sum keeps all": {"density": 0.5},
    "at least 1": {"rank": 0},
}


@pytest.mark.parametrize("message", WRONG)
def test_options_that_cannot_be_right(message: str, model: AdaptedModel) -> None:
    adapters = [lora(model, LoraConfig(rank=2), name, seed=n) for n, name in enumerate(["sw", "ha"])]
    with pytest.raises(ConfigError, match=message):
        adaptkit.combine(adapters, "both", backbone=model, **WRONG[message])


def test_what_does_not_add_up(model: AdaptedModel) -> None:
    sw = lora(model, LoraConfig(rank=2))
    for config in (
        AdapterConfig(method=BottleneckConfig()),
        AdapterConfig(method=LoraConfig(rank=2), invertible=InvertibleConfig()),
        AdapterConfig(method=LoraConfig(rank=2), hides_top_block=True),
    ):
        with pytest.raises(NotConvertible):
            adaptkit.combine([sw, random_adapter(model, config, name="ha")], "both", backbone=model)
    with pytest.raises(CompatibilityError):
        adaptkit.combine([sw, lora(tiny_model(seed=9), LoraConfig(rank=2), "ha")], "both", backbone=model)
    heads = [
        random_adapter(model, AdapterConfig(method=LoraConfig(rank=2), head=HEAD), kind="task", name=name)
        for name in ("a", "b")
    ]
    with pytest.raises(ConfigError, match="several of the adapters have a head"):
        adaptkit.combine(heads, "both", backbone=model)
    with pytest.raises(ConfigError, match="0 adapters"):
        adaptkit.combine([], "none", backbone=model, weights=[1])
    with pytest.raises(ConfigError, match="list of adapters"):
        adaptkit.combine(sw, "one", backbone=model)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="load the folder first"):
        adaptkit.combine(["adapters/sw"], "one", backbone=model)  # type: ignore[list-item]
    with pytest.raises(NotConvertible, match="NaN or Inf"):
        adaptkit.combine([sw], "huge", weights=[1e39], backbone=model)
    assert model.attached == ()


def test_a_kept_projection_is_left_out_and_it_is_said(model: AdaptedModel, caplog: pytest.LogCaptureFixture) -> None:
    kept = AdapterConfig(method=METHODS["rank 1"], projection=ProjectionConfig(tokens=(7, 8, 9)))
    plain = lora(model, METHODS["rank 1"], name="ha")
    combined = adaptkit.combine([random_adapter(model, kept, seed=3), plain], "both", backbone=model)
    assert combined.config.projection is None
    assert "the projection that language/sw has kept" in caplog.text
    caplog.clear()
    adaptkit.combine([plain], "one", backbone=model)
    assert not caplog.text

"""Compositions with bottlenecks that act before the backbone's layer norm, against plain formulas."""

import pytest
import torch
from torch import Tensor

from adaptkit.composition import Average, Composition, Fuse, Stack
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.layers import BottleneckLayer, BottleneckMadxLayer
from adaptkit.methods import BottleneckConfig, BottleneckMadxConfig, FusionConfig
from adaptkit.model import AdaptedModel
from tests.adapters import attach_random

MADX = AdapterConfig(method=BottleneckMadxConfig(width=8, blocks=(0,)))
OURS = AdapterConfig(method=BottleneckConfig(reduction_factor=4, blocks=(0,)))
PATH = "encoder.layer.0.output.LayerNorm"
SW, HA, YO, NLI = "language/sw", "language/ha", "language/yo", "task/nli"
TEXTS = ["Habari ya asubuhi", "Akuya tana barci a gida."]


@pytest.fixture
def several(model: AdaptedModel) -> AdaptedModel:
    for seed, (name, config) in enumerate({SW: MADX, HA: MADX, NLI: MADX, YO: OURS, "task/moods": OURS}.items()):
        attach_random(model, name, config, seed=seed)
    return model


def seen(model: AdaptedModel, stack: Composition | str | None) -> tuple[Tensor, Tensor]:
    """What the norm reads, and what comes out of it under a stack."""
    found: list[tuple[Tensor, Tensor]] = []
    module = model.network.get_submodule(PATH)
    hook = module.register_forward_hook(lambda _, args, output: found.append((args[0], output)))
    with torch.no_grad(), model.active(stack):
        model(*model.backbone.pad(model.backbone.tokenize(TEXTS)))
    hook.remove()
    (both,) = found
    return both


def change(model: AdaptedModel, name: str, y: Tensor) -> Tensor:
    (layer,) = model.plan(name)[PATH]
    assert isinstance(layer, BottleneckLayer | BottleneckMadxLayer)
    changed: Tensor = layer.up(layer.activation(layer.down(y)))
    return changed


def norm(model: AdaptedModel, x: Tensor) -> Tensor:
    normed: Tensor = model.network.get_submodule(PATH).forward(x)
    return normed


@torch.no_grad()
def test_a_stack_adds_before_the_norm(several: AdaptedModel) -> None:
    before, found = seen(several, f"{SW} > {NLI}")
    once = before + change(several, SW, norm(several, before))
    torch.testing.assert_close(found, norm(several, once + change(several, NLI, norm(several, once))))


@torch.no_grad()
def test_above_one_of_ours(several: AdaptedModel) -> None:
    before, found = seen(several, f"{YO} > {NLI}")
    added = change(several, YO, norm(several, before))
    expected = added + norm(several, before + change(several, NLI, norm(several, before) + added))
    torch.testing.assert_close(found, expected)


@torch.no_grad()
def test_below_one_of_ours(several: AdaptedModel) -> None:
    before, found = seen(several, f"{SW} > task/moods")
    y = norm(several, before + change(several, SW, norm(several, before)))
    torch.testing.assert_close(found, y + change(several, "task/moods", y))


@torch.no_grad()
def test_an_average_adds_the_weighted_contributions(several: AdaptedModel) -> None:
    bare, sw, ha, yo = (seen(several, stack)[1] for stack in (None, SW, HA, YO))
    found = seen(several, Average({SW: 0.75, HA: 0.5, YO: 0.25}))[1]
    torch.testing.assert_close(found, bare + 0.75 * (sw - bare) + 0.5 * (ha - bare) + 0.25 * (yo - bare))


@torch.no_grad()
def test_an_average_hands_on_the_average_sum(several: AdaptedModel) -> None:
    before, found = seen(several, Stack(Average({SW: 0.75, HA: 0.5}), NLI))
    bare = norm(several, before)
    sums = [before + change(several, name, bare) for name in (SW, HA)]
    once = before + 0.75 * (sums[0] - before) + 0.5 * (sums[1] - before)
    y = bare + 0.75 * (norm(several, sums[0]) - bare) + 0.5 * (norm(several, sums[1]) - bare)
    torch.testing.assert_close(found, y + norm(several, once + change(several, NLI, y)) - norm(several, once))


def test_averages_that_are_one_adapter(several: AdaptedModel) -> None:
    alone = seen(several, f"{SW} > {NLI}")[1]
    assert torch.equal(seen(several, Stack(Average(SW), NLI))[1], alone)
    torch.testing.assert_close(seen(several, Stack(Average({SW: 1.0, HA: 0.0}), NLI))[1], alone)


def test_a_fresh_fusion_is_the_equal_average(several: AdaptedModel) -> None:
    fusion = FusionConfig(fuses=(SW, YO), width=3, sites=("block.output",), blocks=(0,))
    several.attach_layers("language/fused", AdapterConfig(method=fusion))
    torch.testing.assert_close(seen(several, Fuse(SW, YO))[1], seen(several, Average(SW, YO))[1])

"""What a stack computes at one site, against plain formulas."""

import pytest
import torch
from torch import Tensor, nn

from adaptkit.attaching.adapter_layers import AdapterLayers
from adaptkit.composition import Stack
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.layers import BottleneckLayer, LoraLayer
from adaptkit.methods import BottleneckConfig, InvertibleConfig, LoraConfig
from adaptkit.model import AdaptedModel
from tests.adapters import attach_random
from tests.tolerance import assert_equal_but_for_rounding

QUERY = AdapterConfig(method=LoraConfig(rank=3, alpha=6, sites=("attention.query",), blocks=(0,)))
OUTPUT = AdapterConfig(method=BottleneckConfig(reduction_factor=4, blocks=(0,)))
A, B = "language/sw", "task/topics"


def seen(model: AdaptedModel, path: str, stack: str | None) -> tuple[Tensor, Tensor]:
    """What goes into a module, and what comes out of it after the stack's layers."""
    captured: list[tuple[Tensor, Tensor]] = []
    module: nn.Module = model.network.get_submodule(path)
    hook = module.register_forward_hook(lambda _, args, output: captured.append((args[0], output)))
    with torch.no_grad(), model.active(stack):
        model(*model.backbone.pad(model.backbone.tokenize(["Habari ya asubuhi", "Akuya"])))
    hook.remove()
    return captured[0]


def lora_change(layers: AdapterLayers, x: Tensor) -> Tensor:
    ((_, layer),) = layers.items()
    assert isinstance(layer, LoraLayer)
    return 2.0 * (x @ layer.lora_A.weight.T) @ layer.lora_B.weight.T


def bottleneck_change(layers: AdapterLayers, y: Tensor) -> Tensor:
    ((_, layer),) = layers.items()
    assert isinstance(layer, BottleneckLayer)
    return torch.relu(y @ layer.down.weight.T + layer.down.bias) @ layer.up.weight.T + layer.up.bias


def test_two_loras_are_additive(model: AdaptedModel) -> None:
    path = "encoder.layer.0.attention.self.query"
    first, second = attach_random(model, A, QUERY), attach_random(model, B, QUERY, seed=2)
    x, bare = seen(model, path, None)
    stacked = seen(model, path, f"{A} > {B}")[1]
    torch.testing.assert_close(stacked, bare + lora_change(first, x) + lora_change(second, x))
    assert not torch.allclose(stacked, bare + lora_change(second, lora_change(first, x)), atol=1e-2)


def test_two_bottlenecks_are_sequential(model: AdaptedModel) -> None:
    path = "encoder.layer.0.output.LayerNorm"
    first, second = attach_random(model, A, OUTPUT), attach_random(model, B, OUTPUT, seed=2)
    _, bare = seen(model, path, None)
    below = bare + bottleneck_change(first, bare)
    stacked = seen(model, path, f"{A} > {B}")[1]
    torch.testing.assert_close(stacked, below + bottleneck_change(second, below))


def test_a_fresh_top_keeps_the_contribution_below(model: AdaptedModel) -> None:
    attach_random(model, A, QUERY)
    model.attach_layers(B, QUERY)
    bare, alone, stacked = (model.encode(["Habari ya asubuhi"], stack=stack) for stack in (None, A, f"{A} > {B}"))
    assert_equal_but_for_rounding(stacked, alone)
    assert not torch.allclose(alone, bare, atol=1e-4)


@pytest.mark.parametrize(("config", "commutes"), [(QUERY, True), (OUTPUT, False)])
def test_order_matters_to_bottlenecks_only(model: AdaptedModel, config: AdapterConfig, commutes: bool) -> None:
    attach_random(model, A, config)
    attach_random(model, B, config, seed=2)
    stacks = (Stack(A, B), Stack(B, A, any_order=True))
    one, other = (model.encode(["Habari ya asubuhi"], stack=stack) for stack in stacks)
    assert torch.allclose(one, other, atol=1e-5) is commutes


def test_methods_mix_in_one_stack(model: AdaptedModel) -> None:
    both = AdapterConfig(method=QUERY.method, invertible=InvertibleConfig())
    attach_random(model, A, both)
    attach_random(model, B, OUTPUT)
    plan = model.plan(f"{A} > {B}")
    sites = {"embeddings", "encoder.layer.0.attention.self.query", "encoder.layer.0.output.LayerNorm"}
    assert {path: len(layers) for path, layers in plan.items()} == dict.fromkeys(sites, 1)

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adaptkit.attaching.adapter_layers import AdapterLayers
from adaptkit.config import Activation
from adaptkit.errors import ArchitectureMismatch, ConfigError
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.layers import BottleneckMadxLayer, Normed
from adaptkit.methods import BottleneckMadxConfig
from tests.tiny import ARCHITECTURES, POST_NORM, tiny_model

PLAIN: dict[Activation, Callable[[Tensor], Tensor]] = {"relu": F.relu, "gelu": F.gelu, "silu": F.silu}


def bottleneck(activation: Activation = "relu") -> BottleneckMadxLayer:
    layer = BottleneckMadxLayer(hidden_width=8, bottleneck_width=3, activation=activation)
    for parameter in layer.parameters():
        nn.init.normal_(parameter)
    return layer


@pytest.fixture
def norm() -> nn.LayerNorm:
    made = nn.LayerNorm(8)
    for parameter in made.parameters():
        nn.init.normal_(parameter)
    return made.requires_grad_(requires_grad=False)


def at(norm: nn.LayerNorm, dtype: torch.dtype = torch.float32) -> Normed:
    before = torch.randn(2, 5, 8).to(dtype)
    return Normed(before, norm(before), norm)


def changed(layer: BottleneckMadxLayer, y: Tensor, activation: Activation = "relu") -> Tensor:
    narrow = PLAIN[activation](y @ layer.down.weight.T + layer.down.bias)
    return narrow @ layer.up.weight.T + layer.up.bias


@pytest.mark.parametrize("activation", PLAIN)
def test_alone_it_acts_before_the_norm(activation: Activation, norm: nn.LayerNorm) -> None:
    layer, site = bottleneck(activation), at(norm)
    expected = norm(site.before + changed(layer, site.after, activation))
    torch.testing.assert_close(layer(site, site.after), expected)


def test_a_fresh_layer_changes_nothing(norm: nn.LayerNorm) -> None:
    layer, site = BottleneckMadxLayer(hidden_width=8, bottleneck_width=3, activation="gelu"), at(norm)
    y = torch.randn(2, 5, 8)
    assert torch.equal(layer(site, site.after), site.after)
    assert torch.equal(layer(site, y), y)


def test_what_others_added_behind_the_norm_is_read_and_kept(norm: nn.LayerNorm) -> None:
    layer, site, added = bottleneck(), at(norm), torch.randn(2, 5, 8)
    expected = added + norm(site.before + changed(layer, site.after + added))
    torch.testing.assert_close(layer(site, site.after + added), expected)


def test_two_add_to_the_same_sum(norm: nn.LayerNorm) -> None:
    one, other, site = bottleneck(), bottleneck(), at(norm)
    once = site.before + changed(one, site.after)
    between, output = one.handed_on(site, site.after)
    torch.testing.assert_close(other(between, output), norm(once + changed(other, norm(once))))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_the_site_keeps_its_type(dtype: torch.dtype, norm: nn.LayerNorm) -> None:
    layer, site = bottleneck(), at(norm.to(dtype), dtype)
    assert layer(site, site.after).dtype == dtype
    assert layer(site, site.after + 1).dtype == dtype


@pytest.mark.parametrize("model_type", ARCHITECTURES)
def test_blocks_that_normalise_what_they_read_have_no_place_for_it(model_type: str) -> None:
    sites, config = tiny_model(model_type).backbone.shape.sites(), AdapterConfig(method=BottleneckMadxConfig(width=2))
    if model_type in POST_NORM:
        assert len(AdapterLayers(config, sites).named_tensors()) == 8
    else:
        with pytest.raises(ArchitectureMismatch, match="residual sum"):
            AdapterLayers(config, sites)


@pytest.mark.parametrize("width", [0, -1, 4097])
def test_a_width_that_cannot_be_right(width: int) -> None:
    with pytest.raises(ConfigError, match="width"):
        BottleneckMadxConfig(width=width)


def test_a_site_without_a_norm_is_refused() -> None:
    with pytest.raises(ConfigError, match="bottleneck_madx cannot act at ffn"):
        BottleneckMadxConfig(width=2, sites=("ffn.output",))

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from adaptkit.config import Activation
from adaptkit.layers import BottleneckLayer

PLAIN: dict[Activation, Callable[[Tensor], Tensor]] = {"relu": F.relu, "gelu": F.gelu, "silu": F.silu}


def bottleneck(activation: Activation = "relu") -> BottleneckLayer:
    layer = BottleneckLayer(hidden_width=8, bottleneck_width=3, activation=activation)
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter)
    return layer


@pytest.mark.parametrize("activation", PLAIN)
def test_plain_formula(activation: Activation) -> None:
    layer, y = bottleneck(activation), torch.randn(2, 5, 8)
    narrow = PLAIN[activation](y @ layer.down.weight.T + layer.down.bias)
    torch.testing.assert_close(layer(torch.randn(2, 5, 8), y), y + narrow @ layer.up.weight.T + layer.up.bias)


def test_a_fresh_layer_changes_nothing() -> None:
    y = torch.randn(2, 5, 8)
    layer = BottleneckLayer(hidden_width=8, bottleneck_width=3, activation="gelu")
    assert torch.equal(layer(y, y), y)
    assert bool(layer.down.weight.ne(0).all())


def test_the_site_input_is_not_used() -> None:
    layer, y = bottleneck(), torch.randn(2, 5, 8)
    assert torch.equal(layer(torch.randn(2, 5, 8), y), layer(torch.randn(2, 5, 8), y))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_the_site_keeps_its_type(dtype: torch.dtype) -> None:
    layer, y = bottleneck(), torch.randn(2, 5, 8).to(dtype)
    assert layer(y, y).dtype == dtype
    torch.testing.assert_close(layer(y, y).float(), layer(y, y.float()), atol=0.05, rtol=0.02)

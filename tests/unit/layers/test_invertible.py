import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adaptkit.layers import InvertibleLayer

WIDTHS = (8, 9)
IDS = torch.zeros(2, 5, dtype=torch.long)


def invertible(width: int) -> InvertibleLayer:
    layer = InvertibleLayer(hidden_width=width, coupling_width=3, activation="gelu")
    for parameter in layer.parameters():
        nn.init.normal_(parameter)
    return layer


def coupling(network: nn.Sequential, half: Tensor) -> Tensor:
    first, last = network[0], network[2]
    assert isinstance(first, nn.Linear)
    assert isinstance(last, nn.Linear)
    return F.gelu(half @ first.weight.T + first.bias) @ last.weight.T + last.bias


@pytest.mark.parametrize("width", WIDTHS)
def test_plain_formula(width: int) -> None:
    layer, y = invertible(width), torch.randn(2, 5, width)
    first, second = y[..., :4], y[..., 4:]
    first = first + coupling(layer.f, second)
    second = second + coupling(layer.g, first)
    torch.testing.assert_close(layer(IDS, y), torch.cat([first, second], dim=-1))


@pytest.mark.parametrize("width", WIDTHS)
def test_inverse_undoes_forward_and_forward_undoes_inverse(width: int) -> None:
    layer, y = invertible(width), torch.randn(2, 5, width)
    assert not torch.allclose(layer(IDS, y), y, atol=0.1)
    torch.testing.assert_close(layer.inverse(layer(IDS, y)), y, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(layer(IDS, layer.inverse(y)), y, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_fresh_layer_changes_nothing(width: int) -> None:
    layer, y = InvertibleLayer(hidden_width=width, coupling_width=3, activation="relu"), torch.randn(2, 5, width)
    assert torch.equal(layer(IDS, y), y)
    assert torch.equal(layer.inverse(y), y)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_the_site_keeps_its_type(dtype: torch.dtype) -> None:
    layer, y = invertible(8), torch.randn(2, 5, 8).to(dtype)
    assert layer(IDS, y).dtype == layer.inverse(y).dtype == dtype
    torch.testing.assert_close(layer(IDS, y).float(), layer(IDS, y.float()), atol=0.2, rtol=0.05)

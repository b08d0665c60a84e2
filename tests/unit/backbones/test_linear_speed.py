"""Linear layers of few bits are timed beside the same in 16 bits."""

import time

import pytest
import torch
from torch import Tensor, nn

from adaptkit.backbones.linear_speed import speed_beside_16_bits
from adaptkit.backbones.linears import Int4Linear, Int8Linear, Nf4Linear, QuantizedLinear


class Slow(Int8Linear):
    """A layer that takes 20 ms."""

    def forward(self, x: Tensor) -> Tensor:
        time.sleep(0.02)
        return super().forward(x)


def block(*layers: nn.Module) -> nn.Module:
    return nn.ModuleDict({str(number): layer for number, layer in enumerate(layers)})


def test_a_block_without_quantised_layers_is_not_measured() -> None:
    assert speed_beside_16_bits(block(nn.Linear(64, 32), nn.LayerNorm(32)), torch.float32) is None


@pytest.mark.parametrize("form", [Int8Linear, Int4Linear, Nf4Linear])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_every_form_is_measured(form: type[QuantizedLinear], dtype: torch.dtype) -> None:
    quantised = block(form(torch.randn(32, 64), torch.randn(32)), form(torch.randn(64, 32), None))
    before = torch.random.get_rng_state()
    found = speed_beside_16_bits(quantised, dtype)
    assert found is not None
    assert found > 0
    assert torch.equal(torch.random.get_rng_state(), before)


def test_the_slow_layer_is_what_counts() -> None:
    fast, slow = Int8Linear(torch.randn(32, 64), None), Slow(torch.randn(32, 64), None)
    found = speed_beside_16_bits(block(fast, slow), torch.float32)
    assert found is not None
    assert found < 0.5

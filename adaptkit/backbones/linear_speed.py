"""How fast linear layers of few bits are on this machine, beside the same ones in 16 bits."""

import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adaptkit.backbones.hardware import wait_for
from adaptkit.backbones.linears import QuantizedLinear
from adaptkit.backbones.precision import half_type

_ROWS = 512
"""Tokens of a small batch, such as 16 sentences of 32."""
_ROUNDS = 3


def speed_beside_16_bits(block: nn.Module, dtype: torch.dtype) -> float | None:
    """The speed of a block's quantised linear layers as a share of what plain ones in 16 bits have, measured now.

    Each multiplies a small batch, which has this type where the weights are quantised. None where none is quantised.
    """
    layers = [layer for layer in block.modules() if isinstance(layer, QuantizedLinear)]
    if not layers:
        return None
    with torch.inference_mode():
        times = torch.tensor([_seconds(layer, dtype) for layer in layers]).sum(dim=0)
    return float(times[1] / times[0])


def _seconds(layer: QuantizedLinear, dtype: torch.dtype) -> tuple[float, float]:
    """What one product takes as the layer is held, and in 16 bits."""
    weight = layer.weight_as(torch.float32)
    half = half_type(weight.device)
    plain, bias = weight.to(half), None if layer.bias is None else layer.bias.to(half)
    x = torch.ones(_ROWS, layer.in_features, dtype=dtype, device=weight.device)
    x_half = x.to(half)
    return _median(lambda: layer(x), weight.device), _median(lambda: F.linear(x_half, plain, bias), weight.device)


def _median(product: Callable[[], Tensor], device: torch.device) -> float:
    product()  # The first one also makes ready what the others use.
    seconds = []
    for _ in range(_ROUNDS):
        wait_for(device)
        started = time.perf_counter()
        product()
        wait_for(device)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)

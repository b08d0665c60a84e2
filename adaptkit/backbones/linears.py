"""Linear layers whose weights are held in 8 or 4 bits, by bitsandbytes' arithmetic.

bitsandbytes' own modules cast biases in place, pack weights anew at the first prediction, and keep inputs for backward;
a frozen backbone that many adapters train and serve on must stay as it is, so the modules here are ours.
"""

import logging
import sys
import threading
from types import ModuleType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from adaptkit.errors import ConfigError
from adaptkit.layers.types import compute_type
from adaptkit.version import install_command

_importing = threading.Lock()
_NF4_BLOCK = 64
_NESTED_BLOCK = 256
_INT4_BLOCK = 32


class QuantizedLinear(nn.Module):
    """A frozen linear layer with a quantised weight. It computes in the input's type.

    Subclasses say what the weight is in a floating type; it is widened for each product and not kept for backward.
    """

    weight: None = None
    """Blocks of T5 look at the type of a weight before they call the layer."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        self.out_features, self.in_features = weight.shape
        self.bias = None if bias is None else nn.Parameter(bias, requires_grad=False)

    def weight_as(self, dtype: torch.dtype) -> Tensor:
        """The weight as it acts. Shape: (out_features, in_features)."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """Shape: x (..., in_features), result (..., out_features)."""
        x = x.to(compute_type(x))
        result: Tensor = _Product.apply(x, self)  # type: ignore[no-untyped-call]
        bias = self._bias_as(x.dtype)
        return result if bias is None else result + bias

    def extra_repr(self) -> str:
        """The widths, for printing."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"

    def _bias_as(self, dtype: torch.dtype) -> Tensor | None:
        return None if self.bias is None else self.bias.to(dtype)


class _Product(torch.autograd.Function):
    """A product that keeps the packed weight for backward, not the widened one."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layer: QuantizedLinear) -> Tensor:  # noqa: ANN401 - torch's context
        ctx.layer = layer
        return F.linear(x, layer.weight_as(x.dtype))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401
        return gradient @ ctx.layer.weight_as(gradient.dtype), None


class Nf4Linear(QuantizedLinear):
    """A weight in 4-bit NormalFloat, its scales quantised again (Dettmers et al. 2023, arXiv:2305.14314).

    Shape: weight (out_features, in_features), of any floating type; it is not kept.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__(weight, bias)
        packed, state = bitsandbytes().functional.quantize_4bit(
            weight.float(), blocksize=_NF4_BLOCK, compress_statistics=True, quant_type="nf4"
        )
        self.register_buffer("packed", packed)
        self.register_buffer("scales", state.absmax)
        self.register_buffer("scale_offset", state.offset)
        self.register_buffer("nested_scales", state.state2.absmax)
        self.register_buffer("nested_code", state.state2.code)
        self.register_buffer("code", state.code)

    def forward(self, x: Tensor) -> Tensor:
        """Shape: x (..., in_features), result (..., out_features)."""
        x = x.to(compute_type(x))
        result: Tensor = bitsandbytes().matmul_4bit(
            x, self.get_buffer("packed"), quant_state=self._state(x.dtype), bias=self._bias_as(x.dtype)
        )
        return result

    def weight_as(self, dtype: torch.dtype) -> Tensor:
        """The weight as it acts. Shape: (out_features, in_features)."""
        weight: Tensor = bitsandbytes().functional.dequantize_4bit(self.get_buffer("packed"), self._state(dtype))
        return weight

    def _state(self, dtype: torch.dtype) -> object:
        state = bitsandbytes().functional.QuantState
        nested = state(
            absmax=self.get_buffer("nested_scales"),
            code=self.get_buffer("nested_code"),
            blocksize=_NESTED_BLOCK,
            dtype=torch.float32,
        )
        return state(
            absmax=self.get_buffer("scales"),
            shape=torch.Size((self.out_features, self.in_features)),
            code=self.get_buffer("code"),
            blocksize=_NF4_BLOCK,
            quant_type="nf4",
            dtype=dtype,
            offset=self.get_buffer("scale_offset"),
            state2=nested,
        )


class Int4Linear(QuantizedLinear):
    """A weight in whole numbers from -8 to 7, with a 16-bit scale for each 32 of them along a row.

    Checkpoints that were released on such a grid (llama.cpp's Q4_0, as the embedded backbone) are held without loss.

    Shape: weight (out_features, in_features), of any floating type, in_features a multiple of 32; it is not kept.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__(weight, bias)
        blocks = weight.float().reshape(-1, _INT4_BLOCK)
        extreme = blocks.gather(1, blocks.abs().argmax(dim=1, keepdim=True))
        scales = (extreme / -8).to(torch.float16)
        numbers = (blocks / scales.float().where(scales != 0, torch.ones_like(extreme))).round().clamp(-8, 7) + 8
        pairs = numbers.to(torch.uint8).reshape(self.out_features, -1, 2)
        self.register_buffer("packed", pairs[..., 0] | (pairs[..., 1] << 4))
        self.register_buffer("scales", scales.reshape(self.out_features, -1))

    def weight_as(self, dtype: torch.dtype) -> Tensor:
        """The weight as it acts. Shape: (out_features, in_features)."""
        packed, scales = self.get_buffer("packed"), self.get_buffer("scales")
        numbers = torch.stack((packed & 15, packed >> 4), dim=-1).to(dtype).sub_(8)
        blocks = numbers.view(*scales.shape, _INT4_BLOCK).mul_(scales.to(dtype).unsqueeze(-1))
        return blocks.view(self.out_features, self.in_features)


def four_bit_linear(weight: Tensor, bias: Tensor | None) -> QuantizedLinear:
    """The 4-bit layer that is nearer to this weight: nf4, or whole numbers where those were released."""
    nf4 = Nf4Linear(weight, bias)
    if weight.shape[1] % _INT4_BLOCK:
        return nf4
    candidates = (Int4Linear(weight, bias), nf4)
    return min(candidates, key=lambda layer: float((layer.weight_as(torch.float32) - weight.float()).norm()))


class Int8Linear(QuantizedLinear):
    """A weight in 8 bits, with one scale a row (the weights of LLM.int8, Dettmers et al. 2022, arXiv:2208.07339).

    Activations stay as they are: in 8 bits too, with outliers apart, products were slower and less exact at these
    widths, on CPUs and on GPUs, and a text's output would depend on its neighbours in the batch.

    Shape: weight (out_features, in_features), of any floating type; it is not kept.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__(weight, bias)
        codes, scales, _ = bitsandbytes().functional.int8_vectorwise_quant(weight.to(torch.float16))
        self.register_buffer("codes", codes)
        self.register_buffer("scales", scales)

    def weight_as(self, dtype: torch.dtype) -> Tensor:
        """The weight as it acts. Shape: (out_features, in_features)."""
        return self.get_buffer("codes").to(dtype) * (self.get_buffer("scales") / 127.0).to(dtype).unsqueeze(1)


def bitsandbytes() -> ModuleType:
    """The package, imported where it is needed first.

    Raises:
        ConfigError: It is not installed.
    """
    # A list and no cache of functools: torch.compile warns of those.
    if not _package:
        with _importing:
            _package.append(_imported())
    return _package[0]


_package: list[ModuleType] = []


def _imported() -> ModuleType:
    log = logging.getLogger("bitsandbytes.backends.cpu.ops")
    before = log.level
    hidden = sys.modules.get("kernels")
    # With `kernels` installed, importing would fetch code from a hub; without it, it would log that it could not.
    sys.modules["kernels"] = None  # type: ignore[assignment]
    log.setLevel(logging.ERROR)
    try:
        import bitsandbytes as package
    except ImportError as error:
        raise ConfigError(
            f"8- and 4-bit backbones need the package bitsandbytes: {error}. Run: {install_command('quantized')}"
        ) from error
    finally:
        log.setLevel(before)
        sys.modules.pop("kernels")
        if hidden is not None:
            sys.modules["kernels"] = hidden
    module: ModuleType = package
    return module

"""Linear layers whose weights are held in 8 or 4 bits, by bitsandbytes' arithmetic.

bitsandbytes' own modules cast biases in place, pack weights anew at the first prediction, and keep inputs for backward;
a frozen backbone that many adapters train and serve on must stay as it is, so the modules here are ours.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from adaptkit.backbones.bitsandbytes_package import bitsandbytes
from adaptkit.backbones.packed_weight import INT4_BLOCK, NF4_BLOCK, WIDENED, Widths, fits_rows, nf4_state
from adaptkit.backbones.weight_products import multiplies_here, product
from adaptkit.layers.types import compute_type


class QuantizedLinear(nn.Module):
    """A frozen linear layer with a quantised weight. It computes in the input's type.

    Subclasses say what is held of the weight; it is widened for each product, on a GPU within it, and not kept for
    backward.
    """

    form: ClassVar[str]
    """The name of this form in `packed_weight`."""
    parts: ClassVar[tuple[str, ...]]
    """The names of what is held, in the order in which `packed_weight` takes it."""

    weight: None = None
    """Blocks of T5 look at the type of a weight before they call the layer."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        self.out_features, self.in_features = weight.shape
        self.bias = None if bias is None else nn.Parameter(bias, requires_grad=False)

    def weight_as(self, dtype: torch.dtype) -> Tensor:
        """The weight as it acts. Shape: (out_features, in_features)."""
        return WIDENED[self.form](self.held, self.widths, dtype)

    @property
    def held(self) -> Sequence[Tensor]:
        """What is held of the weight."""
        return [self._buffers[name] for name in self.parts]  # type: ignore[misc]

    @property
    def widths(self) -> Widths:
        """out_features, in_features."""
        return self.out_features, self.in_features

    def forward(self, x: Tensor) -> Tensor:
        """Shape: x (..., in_features), result (..., out_features)."""
        x = x.to(compute_type(x))
        bias = None if self.bias is None else self.bias.to(x.dtype)
        if not multiplies_here(x):
            return self._by_torch(x, bias)
        if x.requires_grad and torch.is_grad_enabled():
            result: Tensor = _ProductHere.apply(x, bias, self)  # type: ignore[no-untyped-call]
            return result
        return product(x, bias, self.held, self.form, self.widths)

    def extra_repr(self) -> str:
        """The widths, for printing."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"

    def _by_torch(self, x: Tensor, bias: Tensor | None) -> Tensor:
        result: Tensor = _Product.apply(x, self)  # type: ignore[no-untyped-call]
        return result if bias is None else result + bias


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


class _ProductHere(torch.autograd.Function):
    """The same where `weight_products` multiplies."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, bias: Tensor | None, layer: QuantizedLinear) -> Tensor:  # noqa: ANN401
        ctx.layer = layer
        return product(x, bias, layer.held, layer.form, layer.widths)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:  # noqa: ANN401
        layer = ctx.layer
        return product(gradient, None, layer.held, layer.form, layer.widths, backward=True), None, None


class Nf4Linear(QuantizedLinear):
    """A weight in 4-bit NormalFloat, its scales quantised again (Dettmers et al. 2023, arXiv:2305.14314).

    Shape: weight (out_features, in_features), of any floating type; it is not kept.
    """

    form = "nf4"
    parts = ("packed", "scales", "scale_offset", "nested_scales", "nested_code", "code")

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__(weight, bias)
        packed, state = bitsandbytes().functional.quantize_4bit(
            weight.float(), blocksize=NF4_BLOCK, compress_statistics=True, quant_type="nf4"
        )
        self.register_buffer("packed", packed)
        self.register_buffer("scales", state.absmax)
        self.register_buffer("scale_offset", state.offset)
        self.register_buffer("nested_scales", state.state2.absmax)
        self.register_buffer("nested_code", state.state2.code)
        self.register_buffer("code", state.code)

    def _by_torch(self, x: Tensor, bias: Tensor | None) -> Tensor:
        if not fits_rows(self.widths):
            return super()._by_torch(x, bias)
        state = nf4_state(self.held, self.widths, x.dtype)
        result: Tensor = bitsandbytes().matmul_4bit(x, self.get_buffer("packed"), quant_state=state, bias=bias)
        return result


class Int4Linear(QuantizedLinear):
    """A weight in whole numbers from -8 to 7, with a 16-bit scale for each 32 of them along a row.

    Checkpoints that were released on such a grid (llama.cpp's Q4_0, as the embedded backbone) are held without loss.

    Shape: weight (out_features, in_features), of any floating type, in_features a multiple of 32; it is not kept.
    """

    form = "int4"
    parts = ("packed", "scales")

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__(weight, bias)
        blocks = weight.float().reshape(-1, INT4_BLOCK)
        extreme = blocks.gather(1, blocks.abs().argmax(dim=1, keepdim=True))
        scales = (extreme / -8).to(torch.float16)
        numbers = (blocks / scales.float().where(scales != 0, torch.ones_like(extreme))).round().clamp(-8, 7) + 8
        pairs = numbers.to(torch.uint8).reshape(self.out_features, -1, 2)
        self.register_buffer("packed", pairs[..., 0] | (pairs[..., 1] << 4))
        self.register_buffer("scales", scales.reshape(self.out_features, -1))


def four_bit_linear(weight: Tensor, bias: Tensor | None) -> QuantizedLinear:
    """The 4-bit layer that is nearer to this weight: nf4, or whole numbers where those were released."""
    nf4 = Nf4Linear(weight, bias)
    if weight.shape[1] % INT4_BLOCK:
        return nf4
    candidates = (Int4Linear(weight, bias), nf4)
    return min(candidates, key=lambda layer: float((layer.weight_as(torch.float32) - weight.float()).norm()))


class Int8Linear(QuantizedLinear):
    """A weight in 8 bits, with one scale a row (the weights of LLM.int8, Dettmers et al. 2022, arXiv:2208.07339).

    Activations stay as they are: in 8 bits too, with outliers apart, products were slower and less exact at these
    widths, on CPUs and on GPUs, and a text's output would depend on its neighbours in the batch.

    Shape: weight (out_features, in_features), of any floating type; it is not kept.
    """

    form = "int8"
    parts = ("codes", "scales")

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__(weight, bias)
        codes, scales, _ = bitsandbytes().functional.int8_vectorwise_quant(weight.to(torch.float16))
        self.register_buffer("codes", codes)
        self.register_buffer("scales", scales)

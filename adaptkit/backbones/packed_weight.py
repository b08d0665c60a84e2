"""What a weight of 8 or 4 bits is, from what is held of it, by torch's operations on any device.

The kernels of a GPU (`product_kernels`) give the same numbers.
"""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from adaptkit.backbones.bitsandbytes_package import bitsandbytes

Widths = tuple[int, int]
"""Of a weight: out_features, in_features."""

NF4_BLOCK = 64
NF4_NESTED_BLOCK = 256
INT4_BLOCK = 32


def int8_weight(held: Sequence[Tensor], widths: Widths, dtype: torch.dtype) -> Tensor:  # noqa: ARG001 - as all forms
    """From codes (out_features, in_features) and a scale for each row."""
    codes, scales = held
    return codes.to(dtype) * (scales / 127.0).to(dtype).unsqueeze(1)


def int4_weight(held: Sequence[Tensor], widths: Widths, dtype: torch.dtype) -> Tensor:
    """From two numbers a byte (out_features, in_features / 2) and a scale for each 32 of a row."""
    packed, scales = held
    numbers = torch.stack((packed & 15, packed >> 4), dim=-1).to(dtype).sub_(8)
    return numbers.view(*scales.shape, INT4_BLOCK).mul_(scales.to(dtype).unsqueeze(-1)).view(widths)


def nf4_weight(held: Sequence[Tensor], widths: Widths, dtype: torch.dtype) -> Tensor:
    """From two numbers a byte, a scale in 8 bits for each 64, their offset, and a scale for each 256 of those."""
    if not fits_rows(widths):
        return _nf4_over_rows(held, widths, dtype)
    weight: Tensor = bitsandbytes().functional.dequantize_4bit(held[0], nf4_state(held, widths, dtype))
    return weight


def fits_rows(widths: Widths) -> bool:
    """Whether each block of nf4 lies in one row."""
    return widths[1] % NF4_BLOCK == 0


def nf4_state(held: Sequence[Tensor], widths: Widths, dtype: torch.dtype) -> object:
    """The same as bitsandbytes holds it."""
    state = bitsandbytes().functional.QuantState
    _, scales, offset, coarse_scales, scale_code, code = held
    nested = state(absmax=coarse_scales, code=scale_code, blocksize=NF4_NESTED_BLOCK, dtype=torch.float32)
    return state(
        absmax=scales,
        shape=torch.Size(widths),
        code=code,
        blocksize=NF4_BLOCK,
        quant_type="nf4",
        dtype=dtype,
        offset=offset,
        state2=nested,
    )


def _nf4_over_rows(held: Sequence[Tensor], widths: Widths, dtype: torch.dtype) -> Tensor:
    """Where blocks go on over the ends of rows: bitsandbytes 0.50 takes wrong scales for those on a CPU."""
    packed, scales, offset, coarse_scales, scale_code, code = held
    # The high half of a byte is the earlier number.
    numbers = torch.stack((packed >> 4, packed & 15), dim=-1).view(-1)[: widths[0] * widths[1]]
    coarse = coarse_scales.repeat_interleave(NF4_NESTED_BLOCK)[: len(scales)]
    fine = scale_code[scales.int()] * coarse + offset
    weight = code[numbers.int()] * fine.repeat_interleave(NF4_BLOCK)[: len(numbers)]
    return weight.to(dtype).view(widths)


WIDENED: Mapping[str, Callable[[Sequence[Tensor], Widths, torch.dtype], Tensor]] = {
    "int8": int8_weight,
    "int4": int4_weight,
    "nf4": nf4_weight,
}
"""The weight by the form in which it is held. Shape of each result: (out_features, in_features)."""

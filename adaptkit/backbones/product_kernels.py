"""Triton kernels for products with weights of 8 and 4 bits.

Imported where Triton is installed only: `weight_products` says which product runs where, and what is done without it.
A tile of the weight is 64 columns wide, so that each of its rows lies in one block of nf4, and is widened in registers
exactly as `packed_weight` widens the whole: a result differs by the order of its sums alone.
"""

from collections.abc import Sequence

import torch
import triton
import triton.language as tl
from torch import Tensor

_WIDE = tl.constexpr(64)
_COLUMNS = 64
_WIDENED_ROWS = 32

Tile = tuple[int, int, int, int]
"""Rows, features, steps that are loaded ahead, and warps."""

_TILES: dict[int, Tile] = {16: (16, 32, 4, 4), 256: (64, 32, 4, 4)}
"""By the most rows that they are for."""
_LARGEST_TILE: Tile = (128, 64, 3, 4)


def fused(
    x: Tensor, bias: Tensor | None, held: Sequence[Tensor], form: str, widths: tuple[int, int], *, backward: bool
) -> Tensor:
    """The product of 16-bit rows with a packed weight, or backward with its transpose, in one launch.

    Shape: x (rows, in_features), backward (rows, out_features); widths (out_features, in_features), in_features a
    multiple of 64 in nf4.
    """
    out_features, in_features = widths
    n_written = in_features if backward else out_features
    if x.stride(1) != 1:
        x = x.contiguous()
    rows = x.shape[0]
    result = torch.empty(rows, n_written, dtype=x.dtype, device=x.device)
    block_rows, block_features, ahead, warps = tile_for(rows)
    written = _COLUMNS if backward else block_features
    grid = (triton.cdiv(rows, block_rows) * triton.cdiv(n_written, written),)
    product_kernel[grid](
        x,
        result,
        x if bias is None else bias,
        *_pointers(held),
        rows,
        out_features,
        in_features,
        x.stride(0),
        FORM=form,
        BACKWARD=backward,
        HAS_BIAS=bias is not None,
        BLOCK_ROWS=block_rows,
        BLOCK_FEATURES=_COLUMNS if backward else block_features,
        num_warps=warps,
        num_stages=ahead,
        enable_fp_fusion=False,
    )
    return result


def widened(held: Sequence[Tensor], form: str, widths: tuple[int, int], dtype: torch.dtype) -> Tensor:
    """The whole weight in a floating type, in one launch. Shape: widths, result (out_features, in_features)."""
    weight = torch.empty(widths, dtype=dtype, device=held[0].device)
    total = weight.numel()
    # Blocks of nf4 go on over the ends of rows.
    rows, width = (triton.cdiv(total, _COLUMNS), _COLUMNS) if form == "nf4" else widths
    grid = (triton.cdiv(rows, _WIDENED_ROWS), triton.cdiv(width, _COLUMNS))
    widen_kernel[grid](
        weight, *_pointers(held), rows, width, total, FORM=form, BLOCK_ROWS=_WIDENED_ROWS, enable_fp_fusion=False
    )
    return weight


def tile_for(rows: int) -> Tile:
    """How the work is cut for so many rows."""
    return next((tile for most, tile in _TILES.items() if rows <= most), _LARGEST_TILE)


def _pointers(held: Sequence[Tensor]) -> list[Tensor]:
    """What the kernels take, in the order of `packed_weight`; a form that has less gives something of it twice."""
    return [*held, *(held[-1] for _ in range(6 - len(held)))]


@triton.jit
def _tile(
    packed,
    scales,
    offset,
    coarse_scales,
    scale_code,
    code,
    row,
    first,
    n_rows,
    width,
    total,
    DTYPE: tl.constexpr,
    FORM: tl.constexpr,
):
    """64 columns of some rows. What lies behind the end of the weight is some finite number."""
    if FORM == "int8":
        place = row[:, None] * width + (first + tl.arange(0, _WIDE))[None, :]
        codes = tl.load(packed + place, place < total, other=0).to(tl.float32)
        scale = tl.div_rn(tl.load(scales + row, row < n_rows, other=0.0), 127.0).to(DTYPE).to(tl.float32)
        tile = (codes * scale[:, None]).to(DTYPE)
    else:
        place = row[:, None] * (width // 2) + (first // 2 + tl.arange(0, _WIDE // 2))[None, :]
        pairs = tl.load(packed + place, place < (total + 1) // 2, other=0).to(tl.int32)
        low, high = pairs & 15, pairs >> 4
        if FORM == "int4":
            block = row[:, None] * (width // 32) + (first // 32 + tl.arange(0, _WIDE // 2) // 16)[None, :]
            scale = tl.load(scales + block, block < total // 32, other=0.0).to(DTYPE).to(tl.float32)
            earlier = (low - 8).to(tl.float32) * scale
            later = (high - 8).to(tl.float32) * scale
        else:
            block = row * (width // 64) + first // 64
            here = block < (total + 63) // 64
            fine = tl.load(scale_code + tl.load(scales + block, here, other=0).to(tl.int32))
            scale = fine * tl.load(coarse_scales + block // 256, here, other=0.0) + tl.load(offset)
            earlier = tl.load(code + high) * scale[:, None]
            later = tl.load(code + low) * scale[:, None]
        # Rounded behind the interleaving: Triton 3.6 fails where interleaved values are an operand as they are.
        tile = tl.interleave(earlier, later).to(DTYPE)
    return tile


@triton.jit
def widen_kernel(
    weight,
    packed,
    scales,
    offset,
    coarse_scales,
    scale_code,
    code,
    n_rows,
    width,
    total,
    FORM: tl.constexpr,
    BLOCK_ROWS: tl.constexpr,
):
    row = tl.program_id(0) * BLOCK_ROWS + tl.arange(0, BLOCK_ROWS)
    first = tl.program_id(1) * _WIDE
    dtype: tl.constexpr = weight.dtype.element_ty
    tile = _tile(packed, scales, offset, coarse_scales, scale_code, code, row, first, n_rows, width, total, dtype, FORM)
    column = (first + tl.arange(0, _WIDE))[None, :]
    place = row[:, None] * width + column
    tl.store(weight + place, tile, (column < width) & (place < total))


@triton.jit(do_not_specialize=["rows"])
def product_kernel(
    x,
    result,
    bias,
    packed,
    scales,
    offset,
    coarse_scales,
    scale_code,
    code,
    rows,
    out_features,
    in_features,
    x_stride,
    FORM: tl.constexpr,
    BACKWARD: tl.constexpr,
    HAS_BIAS: tl.constexpr,
    BLOCK_ROWS: tl.constexpr,
    BLOCK_FEATURES: tl.constexpr,
):
    total = out_features * in_features
    dtype: tl.constexpr = x.dtype.element_ty
    n_read = out_features if BACKWARD else in_features
    n_written = in_features if BACKWARD else out_features
    across = tl.cdiv(n_written, _WIDE if BACKWARD else BLOCK_FEATURES)
    row = (tl.program_id(0) // across) * BLOCK_ROWS + tl.arange(0, BLOCK_ROWS)
    # Many rows of a wide layer are more values than 32 bits count.
    x_row = x + row.to(tl.int64) * x_stride
    if BACKWARD:
        first = (tl.program_id(0) % across) * _WIDE
        sums = tl.zeros((BLOCK_ROWS, _WIDE), tl.float32)
        for start in range(0, n_read, BLOCK_FEATURES):
            read = start + tl.arange(0, BLOCK_FEATURES)
            here = (row < rows)[:, None] & (read < n_read)[None, :]
            values = tl.load(x_row[:, None] + read[None, :], here, other=0.0)
            tile = _tile(
                packed, scales, offset, coarse_scales, scale_code, code,
                read, first, out_features, in_features, total, dtype, FORM,
            )  # fmt: skip
            sums = tl.dot(values, tile, sums)
        written = first + tl.arange(0, _WIDE)
        place = row.to(tl.int64)[:, None] * n_written + written[None, :]
        tl.store(result + place, sums.to(dtype), (row < rows)[:, None] & (written < n_written)[None, :])
    else:
        # The weight stands first, so that no tile of it need be turned.
        first = (tl.program_id(0) % across) * BLOCK_FEATURES
        feature = first + tl.arange(0, BLOCK_FEATURES)
        sums = tl.zeros((BLOCK_FEATURES, BLOCK_ROWS), tl.float32)
        for start in range(0, n_read, _WIDE):
            read = start + tl.arange(0, _WIDE)
            here = (read < n_read)[:, None] & (row < rows)[None, :]
            values = tl.load(x_row[None, :] + read[:, None], here, other=0.0)
            tile = _tile(
                packed, scales, offset, coarse_scales, scale_code, code,
                feature, start, out_features, in_features, total, dtype, FORM,
            )  # fmt: skip
            sums = tl.dot(tile, values, sums)
        if HAS_BIAS:
            sums += tl.load(bias + feature, feature < n_written, other=0.0).to(tl.float32)[:, None]
        place = row.to(tl.int64)[None, :] * n_written + feature[:, None]
        tl.store(result + place, sums.to(dtype), (feature < n_written)[:, None] & (row < rows)[None, :])

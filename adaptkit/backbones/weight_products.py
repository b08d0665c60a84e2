"""Products with weights of 8 and 4 bits on a GPU: the weight is widened in the product, or by one launch before it.

Few rows of whole numbers go through one kernel that widens each tile of the weight as it needs it: one launch less. Of
more rows every tile would be widened many times, and tiles of nf4 are slow to widen; for those a kernel widens the
whole weight once, and the GPU's own library multiplies. Decision 15 has the times.
"""

import logging
import threading
from collections.abc import Sequence
from types import ModuleType

import torch
import torch.nn.functional as F
from torch import Tensor

from adaptkit.backbones.packed_weight import WIDENED, Widths

_log = logging.getLogger(__name__)
_trying = threading.Lock()

FUSED_BELOW = 64
"""From so many rows on, the whole weight is widened before the product."""
FUSED_FORMS = ("int8", "int4")
"""The forms whose fewer rows are multiplied by the fused kernel."""
DEVICES = {"cuda"}
"""Where products go through here. On other devices torch's operations are as fast."""


def multiplies_here(x: Tensor) -> bool:
    """Whether products of this tensor are made by `product`."""
    return x.device.type in DEVICES


def product(
    x: Tensor, bias: Tensor | None, held: Sequence[Tensor], form: str, widths: Widths, *, backward: bool = False
) -> Tensor:
    """The product with a packed weight, or with its transpose: what backward makes of a gradient.

    Shape: x (..., in_features), result (..., out_features); backward the other way round.
    """
    if torch.compiler.is_compiling():
        result: Tensor = _operation(x, bias, list(held), form, *widths, backward)
        return result
    return _product(x, bias, held, form, widths, backward)


@torch.library.custom_op("adaptkit::packed_product", mutates_args=())
def _operation(
    x: Tensor, bias: Tensor | None, held: list[Tensor], form: str, out_features: int, in_features: int, backward: bool
) -> Tensor:
    """What torch.compile sees of it: one operation, whatever it runs."""
    return _product(x, bias, held, form, (out_features, in_features), backward)


@_operation.register_fake
def _like(
    x: Tensor,
    bias: Tensor | None,  # noqa: ARG001 - as the operation
    held: list[Tensor],  # noqa: ARG001
    form: str,  # noqa: ARG001
    out_features: int,
    in_features: int,
    backward: bool,
) -> Tensor:
    return x.new_empty(*x.shape[:-1], in_features if backward else out_features)


def _product(
    x: Tensor, bias: Tensor | None, held: Sequence[Tensor], form: str, widths: Widths, backward: bool
) -> Tensor:
    kernels = _kernels()
    if kernels is not None:
        try:
            if not _several_devices():
                return _by_kernels(kernels, x, bias, held, form, widths, backward)
            with torch.cuda.device_of(x):  # type: ignore[no-untyped-call]
                return _by_kernels(kernels, x, bias, held, form, widths, backward)
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # a compiler of kernels fails in many ways, and each is said
            _do_without(error)
    return _multiplied(x, bias, WIDENED[form](held, widths, x.dtype), backward)


def _by_kernels(
    kernels: ModuleType,
    x: Tensor,
    bias: Tensor | None,
    held: Sequence[Tensor],
    form: str,
    widths: Widths,
    backward: bool,
) -> Tensor:
    rows = x.numel() // x.shape[-1]
    if 0 < rows < FUSED_BELOW and x.dtype != torch.float32 and form in FUSED_FORMS:
        result: Tensor = kernels.fused(x.reshape(rows, -1), bias, held, form, widths, backward=backward)
        return result.view(*x.shape[:-1], -1)
    return _multiplied(x, bias, kernels.widened(held, form, widths, x.dtype), backward)


def _multiplied(x: Tensor, bias: Tensor | None, weight: Tensor, backward: bool) -> Tensor:
    return x @ weight if backward else F.linear(x, weight, bias)


def _several_devices() -> bool:
    """Whether a launch must say on which one, which costs some microseconds each time."""
    if not _counted:
        _counted.append(torch.cuda.device_count())
    return _counted[0] > 1


_counted: list[int] = []


def _kernels() -> ModuleType | None:
    """The kernels; None where they cannot be had, which was said then."""
    if not _found:
        with _trying:
            if not _found:
                _found.append(_imported())
    return _found[0]


_found: list[ModuleType | None] = []


def _imported() -> ModuleType | None:
    try:
        from adaptkit.backbones import product_kernels
    except ImportError as error:
        _say(error)
        return None
    return product_kernels


def _do_without(error: Exception) -> None:
    with _trying:
        if _found[0] is not None:
            _found[0] = None
            _say(error)


def _say(error: Exception) -> None:
    reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
    _log.warning(
        "weights of 8 and 4 bits are widened by torch's own operations, which is slower: the kernels for this GPU need "
        f"Triton 3.6 or newer with a C compiler, and cannot run ({reason}). torch for CUDA brings Triton on Linux; "
        "elsewhere, 16 bits are the fastest."
    )

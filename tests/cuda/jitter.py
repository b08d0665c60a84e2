"""A CPU that rounds otherwise: what another order of sums does to a result, without another device."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map

_SUMS = {
    "mm",
    "addmm",
    "bmm",
    "baddbmm",
    "sum",
    "mean",
    "_softmax",
    "_log_softmax",
    "native_layer_norm",
    "_scaled_dot_product_flash_attention_for_cpu",
}


class Jitter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While open, what is summed comes out with random errors of so many roundings of its type."""

    def __init__(self, roundings: float = 4.0) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._roundings = roundings
        self._random = torch.Generator().manual_seed(0)

    def __torch_dispatch__(
        self,
        func: Any,  # noqa: ANN401 - torch has no type for it
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        result = func(*args, **(kwargs or {}))
        move: Callable[[Any], Any] = self._moved
        return tree_map(move, result) if func._schema.name.removeprefix("aten::") in _SUMS else result

    def _moved(self, result: object) -> object:
        if not isinstance(result, Tensor) or not result.is_floating_point():
            return result
        size = self._roundings * torch.finfo(result.dtype).eps / 2
        return result * (1 + size * torch.randn(result.shape, generator=self._random)).to(result.dtype)

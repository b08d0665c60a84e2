"""Random draws that are the same on every device."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

_DRAWS = (torch.rand, torch.randint, torch.randn)


class DrawnOnCpu(TorchFunctionMode):
    """While open, masks and dropout are drawn by the CPU's generator and brought to the device.

    A GPU's generator gives other numbers than a CPU's from the same seed, so that no two runs would train on the same
    masks. On the CPU too, dropout is then what is written here.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        """Take over draws; let the rest pass."""
        given = dict(kwargs or {})
        if func in _DRAWS:
            device = given.pop("device", None)
            drawn = func(*args, **given)
            return drawn if device is None else drawn.to(device)
        if func is F.dropout:
            return _dropped(*args, **given)
        return func(*args, **given)


def _dropped(x: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:  # noqa: ARG001
    if not training or p == 0:
        return x
    kept = (torch.rand(x.shape) >= p).to(x.device, x.dtype)
    return x * kept / (1 - p)

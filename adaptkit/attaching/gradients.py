"""Gradients of many weights in one tensor, so that one kernel copies them all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor


@dataclass(frozen=True)
class SideBySide:
    """Gradients one behind the other, with the shape of each; None for a weight that has none.

    Shape: flat (n_numbers).
    """

    flat: Tensor
    shapes: tuple[torch.Size | None, ...]
    types: tuple[torch.dtype | None, ...]

    @classmethod
    def of(cls, gradients: Sequence[Tensor | None]) -> Self:
        """These gradients, of which there is at least one; of several types, all in the widest."""
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients if gradient is not None])
        return cls(
            flat,
            tuple(None if gradient is None else gradient.shape for gradient in gradients),
            tuple(None if gradient is None else gradient.dtype for gradient in gradients),
        )

    def copied(self) -> list[Tensor | None]:
        """The gradients, in memory of their own, each in its type."""
        sizes = [0 if shape is None else shape.numel() for shape in self.shapes]
        pieces = torch.split(self.flat.clone(), sizes)
        return [
            None if shape is None else piece.view(shape).to(dtype)
            for piece, shape, dtype in zip(pieces, self.shapes, self.types, strict=True)
        ]

"""What the training loop asks of an objective."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """One batch of sentences.

    Shape: ids and mask (batch, seq); targets (batch, hidden_width), the vectors that sentences are drawn to, or None.
    `positions` (n, into the flattened batch) and `labels` (n) are what a masked objective asks for, or None.
    """

    ids: Tensor
    mask: Tensor
    targets: Tensor | None = None
    positions: Tensor | None = None
    labels: Tensor | None = None


class Objective(Protocol):
    """A loss with what it needs to compute it; an `nn.Module`, so that its own weights train with the adapter."""

    def prepare(self, batch: Batch) -> Batch:
        """What the backbone shall read instead of the plain batch. Draws from torch's random state."""
        ...

    def __call__(self, hidden: Tensor, batch: Batch) -> Tensor:
        """The loss of a prepared batch. Shape: hidden (batch, seq, hidden_width), result ()."""
        ...

    def measures(self, hidden: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        """What is reported of held-out batches: `loss`, and for a masked objective `token_loss`. Shapes: ()."""
        ...

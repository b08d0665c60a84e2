"""What a layer norm of the backbone read and gave, for layers that act before it."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, eq=False)
class Normed:
    """The site input at a layer norm: `before`, which it reads, `after`, which it gives, and the norm itself.

    `before` is the residual sum, and whatever layers lower in the stack have added to it.

    Shape: before and after (..., hidden_width).
    """

    before: Tensor
    after: Tensor
    norm: Callable[[Tensor], Tensor]

    def plus(self, change: Tensor) -> "Normed":
        """The same with `change` added before the norm. Shape: change (..., hidden_width)."""
        before = self.before + change.to(self.before.dtype)
        return Normed(before, self.norm(before), self.norm)

    def of_rows(self, rows: slice) -> "Normed":
        """Its part for some rows of the batch."""
        return Normed(self.before[rows], self.after[rows], self.norm)

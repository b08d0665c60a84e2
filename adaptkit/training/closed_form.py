"""Weights in closed form: ridge regression of what texts lack on what a layer counts in them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from adaptkit.errors import ConfigError, DivergedTraining
from adaptkit.terminal.asking import as_typed
from adaptkit.training.bags import DENSE_AT_ONCE, Bags

_FLOAT = 4
_MOST_LOST = 0.1


@dataclass(frozen=True)
class Solution:
    """What is added to every text, and the rows whose sums are added to each, made as narrow as they are to be.

    A text gets `shift + turned @ (sum of its rows, weighted)`.

    Shape: rows (n_rows, rank), turned (width, rank), shift (width).
    """

    rows: Tensor
    turned: Tensor
    shift: Tensor

    def in_16_bits(self, penalty: float) -> "Solution":
        """As it is saved.

        Raises:
            ConfigError: The penalty has left rows so small that little of them would be.
        """
        rows = self.rows.half()
        if (self.rows - rows).norm() > _MOST_LOST * self.rows.norm():
            raise ConfigError(
                f"by {as_typed(penalty=penalty)}, weights are so small that 16 bits do not hold them, and every text "
                "would be given the same: give a smaller one."
            )
        return Solution(rows, self.turned.half(), self.shift.half())


def bytes_to_solve(n_texts: int, n_rows: int) -> int:
    """Nearly all that `solved` holds at the same time: the products of all texts, and their factor beside them."""
    return _FLOAT * (n_texts**2 + max(n_texts**2, min(n_texts, DENSE_AT_ONCE) * (n_rows + n_texts)))


def solved(bags: Bags, lacking: Tensor, *, rank: int, penalty: float, least_texts: int) -> Solution:
    """The ridge regression of `lacking`, less its mean, on the bags; then the best of this rank for these texts.

    Shape: lacking (n_texts, width), float32 on the CPU.

    Raises:
        ConfigError: Nothing that is counted is in so many texts.
        DivergedTraining: The penalty is too small for the numbers that there are.
    """
    rareness = bags.rareness(least_texts)
    if not rareness.any():
        raise ConfigError(
            f"of what is counted, nothing is in {as_typed(least_texts=least_texts)} of the {bags.n_texts:,} texts and "
            "not in nearly all of them, so nothing can get a weight: give a smaller one, or more text."
        )
    weighted = bags.weighted(rareness)
    gram = weighted.gram()
    # So that a penalty of 1 means the same whatever is counted, and in however many texts.
    size = gram.diagonal().mean().clamp(min=torch.finfo(torch.float32).tiny)
    gram /= size
    gram.diagonal().add_(penalty)
    shift = lacking.mean(dim=0)
    rest = lacking - shift
    factor, failed = torch.linalg.cholesky_ex(gram)
    del gram  # as large as the factor, of which solving makes a copy
    if failed:
        raise DivergedTraining(f"the regression has no solution by {as_typed(penalty=penalty)}: give a larger one.")
    dual = torch.cholesky_solve(rest, factor)
    fitted = rest - penalty * dual
    directions = torch.linalg.eigh(fitted.T @ fitted).eigenvectors.flip(1)[:, :rank]
    narrow = weighted.turned_times(dual @ directions) * (rareness / size)[:, None]
    missing = rank - directions.shape[1]
    return Solution(
        torch.nn.functional.pad(narrow, (0, missing)), torch.nn.functional.pad(directions, (0, missing)), shift
    )

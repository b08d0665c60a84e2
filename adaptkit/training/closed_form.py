"""Weights in closed form: ridge regression of what texts lack on what a layer counts in them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from adaptkit.errors import DivergedTraining
from adaptkit.terminal.asking import as_typed
from adaptkit.training.bags import Bags


@dataclass(frozen=True)
class Solution:
    """What is added to every text, and the rows whose sums are added to each, made as narrow as they are to be.

    A text gets `shift + turned @ (sum of its rows, weighted)`.

    Shape: rows (n_rows, rank), turned (width, rank), shift (width).
    """

    rows: Tensor
    turned: Tensor
    shift: Tensor


def solved(bags: Bags, lacking: Tensor, *, rank: int, penalty: float, least_texts: int) -> Solution:
    """The ridge regression of `lacking`, less its mean, on the bags; then the best of this rank for these texts.

    Shape: lacking (n_texts, width), float32 on the CPU.

    Raises:
        DivergedTraining: The penalty is too small for the numbers that there are.
    """
    rareness = bags.rareness(least_texts)
    weighted = bags.weighted(rareness)
    gram = weighted.gram()
    # So that a penalty of 1 means the same whatever is counted, and in however many texts.
    size = gram.diagonal().mean().clamp(min=torch.finfo(torch.float32).tiny)
    gram /= size
    gram.diagonal().add_(penalty)
    shift = lacking.mean(dim=0)
    rest = lacking - shift
    factor, failed = torch.linalg.cholesky_ex(gram)
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

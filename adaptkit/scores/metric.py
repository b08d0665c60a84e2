"""What every metric can do: counts for each example, whose sums over any draw of examples give a score."""

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from adaptkit.errors import ConfigError

Predicted = TypeVar("Predicted", contravariant=True)
Gold = TypeVar("Gold", contravariant=True)


class Metric(Protocol[Predicted, Gold]):
    """A score from 0 to 100 that depends on the examples only through sums, so that it can be bootstrapped.

    `statistics` is computed once; a bootstrap draw then costs one sum and one `score`, also for scores such as F1 that
    are no mean over examples.
    """

    @property
    def name(self) -> str:
        """What a report calls it."""
        ...

    def statistics(self, predicted: Sequence[Predicted], gold: Sequence[Gold]) -> NDArray[np.float64]:
        """Summable statistics of each example. Shape: (n_examples, k).

        Raises:
            ConfigError: No examples, or not as many predictions as gold answers.
        """
        ...

    def score(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """The score, 0 to 100, of summed statistics. Shape: (..., k) -> (...)."""
        ...


def check_paired(predicted: Sequence[Any], gold: Sequence[Any]) -> None:
    """Refuse predictions that cannot be set against the gold answers one by one.

    Raises:
        ConfigError: The two differ in length, or are empty.
    """
    if len(predicted) != len(gold) or len(gold) == 0:
        raise ConfigError(
            "a score needs one prediction for each gold answer and at least one of them, "
            f"found {len(predicted)} predictions and {len(gold)} gold answers."
        )


def mean_statistics(values: ArrayLike) -> NDArray[np.float64]:
    """Statistics of a score that is a mean over examples. Shape: (n_examples) -> (n_examples, 2), value and count."""
    found = np.asarray(values, float)
    return np.stack([found, np.ones_like(found)], axis=-1)


def mean_score(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean, 0 to 100, of summed `mean_statistics`. Shape: (..., 2) -> (...)."""
    return 100 * ratio(sums[..., 0], sums[..., 1])


def f1(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """F1, 0 to 1, of counts (correct, predicted, gold); 0 where all are 0. Shape: (..., 3) -> (...)."""
    return ratio(2 * counts[..., 0], counts[..., 1] + counts[..., 2])


def ratio(part: ArrayLike, whole: ArrayLike) -> NDArray[np.float64]:
    """`part / whole`, and 0 where `whole` is 0. Shape: both the same, as the result."""
    over = np.asarray(whole, float)
    found: NDArray[np.float64] = np.divide(part, over, out=np.zeros_like(over), where=over > 0)
    return found

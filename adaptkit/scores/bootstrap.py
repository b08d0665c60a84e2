"""The difference between two systems on the same examples, with a paired bootstrap interval."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from adaptkit.errors import ConfigError

_DRAWS = 10_000


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Mean difference in points (0 to 100) and the interval that holds it with the given confidence."""

    mean: float
    low: float
    high: float
    confidence: float

    @property
    def verdict(self) -> str:
        """`helps`, `hurts` or `no evidence`."""
        if self.low > 0:
            return "helps"
        return "hurts" if self.high < 0 else "no evidence"


def paired_difference(with_: ArrayLike, without: ArrayLike, *, confidence: float = 0.95, seed: int = 0) -> Difference:
    """Bootstrap over examples (Efron and Tibshirani 1993; paired as in Koehn 2004).

    Shape: both (n_examples) or (n_seeds, n_examples), scores of each example between 0 and 1. Seeds are averaged for
    each example first, so that the interval is over examples and not over repeated runs of the same ones.

    Raises:
        ConfigError: The two are not of the same shape, or empty.
    """
    ours, theirs = np.atleast_2d(np.asarray(with_, float)), np.atleast_2d(np.asarray(without, float))
    if ours.shape[1] != theirs.shape[1] or ours.size == 0:
        raise ConfigError(
            f"a paired comparison needs the same examples on both sides, found {ours.shape} and {theirs.shape}."
        )
    differences = 100 * (ours.mean(axis=0) - theirs.mean(axis=0))
    random = np.random.default_rng(seed)
    means = differences[random.integers(len(differences), size=(_DRAWS, len(differences)))].mean(axis=1)
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Difference(mean=float(differences.mean()), low=float(low), high=float(high), confidence=confidence)

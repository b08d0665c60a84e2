"""How near predicted scores are to those that people gave."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adaptkit.scores.metric import check_paired, mean_score, mean_statistics


@dataclass(frozen=True)
class Closeness:
    """100 times 1 minus the mean absolute error of scores from 0 to 1; 100 where all are right."""

    name: str = "closeness"

    def statistics(self, predicted: Sequence[float], gold: Sequence[float]) -> NDArray[np.float64]:
        """Shape: (n_examples, 2), 1 minus the absolute error, and 1.

        Raises:
            ConfigError: No examples, or not as many predictions as gold scores.
        """
        check_paired(predicted, gold)
        return mean_statistics(1 - np.abs(np.asarray(predicted, float) - np.asarray(gold, float)))

    def score(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """Closeness, 0 to 100. Shape: (..., 2) -> (...)."""
        return mean_score(sums)

"""How predicted similarities go with those that people gave."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adaptkit.scores.metric import check_paired, ratio


@dataclass(frozen=True)
class PearsonCorrelation:
    """Pearson's r times 100; 0 where either side is the same number throughout.

    Unlike a rank correlation it depends on the examples through sums only, so that it can be bootstrapped.
    """

    name: str = "Pearson correlation"

    def statistics(self, predicted: Sequence[float], gold: Sequence[float]) -> NDArray[np.float64]:
        """Shape: (n_examples, 6): 1, p, g, p squared, g squared, p times g.

        Raises:
            ConfigError: No examples, or not as many predictions as gold scores.
        """
        check_paired(predicted, gold)
        p, g = np.asarray(predicted, float), np.asarray(gold, float)
        return np.stack([np.ones_like(p), p, g, p * p, g * g, p * g], axis=-1)

    def score(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """The correlation, -100 to 100. Shape: (..., 6) -> (...)."""
        n, p, g, pp, gg, pg = np.moveaxis(sums, -1, 0)
        # Rounding may leave a variance of nothing a little below or above 0.
        spread = np.sqrt(np.maximum(n * pp - p * p, 0) * np.maximum(n * gg - g * g, 0))
        meaningful = np.where(spread > 1e-9 * np.maximum(n * pp, n * gg), spread, 0)
        return 100 * ratio(n * pg - p * g, meaningful)

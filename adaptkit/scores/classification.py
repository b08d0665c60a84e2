"""Scores of one label for each text."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adaptkit.errors import ConfigError
from adaptkit.scores.metric import check_paired, f1, mean_score, mean_statistics, ratio


@dataclass(frozen=True)
class Accuracy:
    """Share of texts with the right label."""

    name: str = "accuracy"

    def statistics(self, predicted: Sequence[str], gold: Sequence[str]) -> NDArray[np.float64]:
        """Shape: (n_examples, 2), right or not and 1.

        Raises:
            ConfigError: No examples, or not as many predictions as gold labels.
        """
        check_paired(predicted, gold)
        return mean_statistics([found == right for found, right in zip(predicted, gold, strict=True)])

    def score(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """Accuracy, 0 to 100. Shape: (..., 2) -> (...)."""
        return mean_score(sums)


@dataclass(frozen=True)
class MacroF1:
    """Mean over labels of each label's F1; labels that occur neither in gold nor in predictions are left out.

    On the whole data this is `sklearn.metrics.f1_score(average="macro", zero_division=0)`. A bootstrap draw leaves out
    the labels that do not occur in that draw.

    `labels` are all labels that the head can predict, also those that the test set has no text of.

    Raises:
        ConfigError: No labels, or one of them twice.
    """

    labels: tuple[str, ...]
    name: str = "macro F1"

    def __post_init__(self) -> None:
        if not self.labels or len(set(self.labels)) < len(self.labels):
            raise ConfigError(f"macro F1 needs at least one label and each of them once, found {self.labels}.")

    def statistics(self, predicted: Sequence[str], gold: Sequence[str]) -> NDArray[np.float64]:
        """Shape: (n_examples, 3 * n_labels), for each label (correct, predicted, gold).

        Raises:
            ConfigError: A label that is not among `labels`, no examples, or not as many predictions as gold labels.
        """
        check_paired(predicted, gold)
        found, right = self._one_hot(predicted, "predicted"), self._one_hot(gold, "gold")
        return np.stack([found * right, found, right], axis=-1).reshape(len(gold), -1)

    def score(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """Macro F1, 0 to 100. Shape: (..., 3 * n_labels) -> (...)."""
        counts = sums.reshape(*sums.shape[:-1], len(self.labels), 3)
        occurring = counts.any(axis=-1).sum(axis=-1)
        return 100 * ratio(f1(counts).sum(axis=-1), occurring)

    def _one_hot(self, names: Sequence[str], side: str) -> NDArray[np.float64]:
        """Shape: (n_examples, n_labels)."""
        unknown = sorted(set(names) - set(self.labels))
        if unknown:
            raise ConfigError(
                f"{side} label {unknown[0]!r} is not among the labels {', '.join(self.labels)}. "
                "Name every label that the data or the head has."
            )
        columns = {label: column for column, label in enumerate(self.labels)}
        return np.eye(len(self.labels))[[columns[name] for name in names]]

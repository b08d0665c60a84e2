"""Scores of any number of labels for each text."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from adaptkit.errors import ConfigError
from adaptkit.scores.metric import check_paired, f1, ratio


@dataclass(frozen=True)
class LabelSetF1:
    """F1 of all labels counted together (`micro`), or the mean over labels of each label's F1 (`macro`).

    Macro leaves out labels that occur neither in gold nor in predictions. Over the labels that occur, both are
    `sklearn.metrics.f1_score(average=..., zero_division=0)` of indicators.

    `labels` are all labels that the head can predict, also those that the test set has no text of.

    Raises:
        ConfigError: No labels, or one of them twice.
    """

    labels: tuple[str, ...]
    average: Literal["micro", "macro"]

    def __post_init__(self) -> None:
        if not self.labels or len(set(self.labels)) < len(self.labels):
            raise ConfigError(f"{self.name} needs at least one label and each of them once, found {self.labels}.")

    @property
    def name(self) -> str:
        """What a report calls it."""
        return f"{self.average} F1"

    def statistics(self, predicted: Sequence[Collection[str]], gold: Sequence[Collection[str]]) -> NDArray[np.float64]:
        """Shape: (n_examples, 3 * n_labels), for each label (correct, predicted, gold).

        Raises:
            ConfigError: A label that is not among `labels`, no examples, or not as many predictions as gold sets.
        """
        check_paired(predicted, gold)
        found, right = self._indicators(predicted, "predicted"), self._indicators(gold, "gold")
        return np.stack([found * right, found, right], axis=-1).reshape(len(gold), -1)

    def score(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """F1, 0 to 100. Shape: (..., 3 * n_labels) -> (...)."""
        counts = sums.reshape(*sums.shape[:-1], len(self.labels), 3)
        if self.average == "micro":
            return 100 * f1(counts.sum(axis=-2))
        return 100 * ratio(f1(counts).sum(axis=-1), counts.any(axis=-1).sum(axis=-1))

    def _indicators(self, sets: Sequence[Collection[str]], side: str) -> NDArray[np.float64]:
        """Shape: (n_examples, n_labels)."""
        if unknown := sorted({label for each in sets for label in each} - set(self.labels)):
            raise ConfigError(
                f"{side} label {unknown[0]!r} is not among the labels {', '.join(self.labels)}. "
                "Name every label that the data or the head has."
            )
        return np.array([[label in each for label in self.labels] for each in sets], dtype=np.float64)

"""Scores of one label for each word."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from adaptkit.scores.classification import Accuracy, MacroF1
from adaptkit.scores.metric import check_paired

UNREAD = ""
"""What is predicted for a word that was not read: no label, so always wrong."""

UNTAGGED = "_"
"""The gold label of a word that has none, as CoNLL-U writes it: nothing is learned from it, and it is not scored."""


class _OfLabels(Protocol):
    def statistics(self, predicted: Sequence[str], gold: Sequence[str]) -> NDArray[np.float64]: ...


@dataclass(frozen=True)
class WordAccuracy:
    """Share of words with the right label; those without a gold label (`UNTAGGED`) are not counted."""

    name: str = "accuracy"

    def statistics(self, predicted: Sequence[Sequence[str]], gold: Sequence[Sequence[str]]) -> NDArray[np.float64]:
        """Shape: (n_sentences, 2), words that are right and words.

        Raises:
            ConfigError: No sentences, or not as many predicted labels as gold ones.
        """
        return _of_sentences(Accuracy(), 2, predicted, gold)

    def score(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """Accuracy, 0 to 100. Shape: (..., 2) -> (...)."""
        return Accuracy().score(sums)


@dataclass(frozen=True)
class WordMacroF1:
    """Mean over `labels` of each label's F1 among all words; those that occur nowhere are left out, as in `MacroF1`.

    Words without a gold label (`UNTAGGED`) are not counted.

    Raises:
        ConfigError: No labels, or one of them twice.
    """

    labels: tuple[str, ...]
    name: str = "macro F1"

    def __post_init__(self) -> None:
        MacroF1(self.labels)

    def statistics(self, predicted: Sequence[Sequence[str]], gold: Sequence[Sequence[str]]) -> NDArray[np.float64]:
        """Shape: (n_sentences, 3 * n_labels), for each label (correct, predicted, gold).

        Raises:
            ConfigError: A label that is not among `labels`, no sentences, or not as many predicted labels as gold ones.
        """
        found = _of_sentences(MacroF1((*self.labels, UNREAD)), 3 * (len(self.labels) + 1), predicted, gold)
        return found[:, : 3 * len(self.labels)]

    def score(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """Macro F1, 0 to 100. Shape: (..., 3 * n_labels) -> (...)."""
        return MacroF1(self.labels).score(sums)


def _of_sentences(
    metric: _OfLabels, width: int, predicted: Sequence[Sequence[str]], gold: Sequence[Sequence[str]]
) -> NDArray[np.float64]:
    check_paired(predicted, gold)
    sums = np.zeros((len(gold), width))
    for row, found, right in zip(sums, predicted, gold, strict=True):
        check_paired(found, right)
        told = [(one, other) for one, other in zip(found, right, strict=True) if other != UNTAGGED]
        if told:
            row += metric.statistics(*zip(*told, strict=True)).sum(axis=0)
    return sums

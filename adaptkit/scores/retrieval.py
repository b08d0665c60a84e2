"""Finding the translation of each sentence among those of all: at which rank it is found, and scores of ranks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adaptkit.errors import ConfigError
from adaptkit.scores.metric import check_paired, mean_score, mean_statistics

_TIED = 1e-6
"""Cosines of single precision that are nearer than this are as good as equal."""
_AT_ONCE = 1024


def translation_ranks(
    vectors: NDArray[np.float32], translations: NDArray[np.float32], texts: Sequence[str]
) -> NDArray[np.int64]:
    """At which rank each sentence finds its own translation by cosine among all translations; 1 is first.

    Row i of both is a pair, and `texts` are the translations in words: of equal ones any is right. What is as near as
    the right one stands before it, so that vectors that are all alike find nothing (the test is that of Artetxe and
    Schwenk 2019, arXiv:1812.10464).

    Shape: vectors and translations (n, width) of any length above 0, result (n).

    Raises:
        ConfigError: Not as many translations as sentences, or none; a vector that is not finite, or of length 0.
    """
    if not len(vectors) == len(translations) == len(texts) or not len(texts):
        raise ConfigError(
            f"retrieval needs as many translations as texts, and some: found {len(vectors)} and {len(translations)}."
        )
    ours, theirs = _unit(vectors, "text"), _unit(translations, "translation")
    alike = np.unique(np.asarray(texts), return_inverse=True)[1]
    ranks = np.empty(len(ours), np.int64)
    for start in range(0, len(ours), _AT_ONCE):
        rows = np.arange(start, min(start + _AT_ONCE, len(ours)))
        cosines = ours[rows] @ theirs.T
        right = cosines[np.arange(len(rows)), rows]
        before = (cosines > right[:, None] - _TIED) & (alike != alike[rows, None])
        ranks[rows] = 1 + before.sum(axis=1)
    return ranks


def _unit(vectors: NDArray[np.float32], what: str) -> NDArray[np.float32]:
    # In double precision, in which no square of single precision is too large.
    lengths = np.sqrt(np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64))
    if len(wrong := np.flatnonzero(~(np.isfinite(lengths) & (lengths > 0)))):
        found = "length 0" if lengths[wrong[0]] == 0 else "values that are not finite (NaN or infinite)"
        raise ConfigError(
            f"{len(wrong):,} of {len(vectors):,} vectors have no direction, so no cosine can be taken: that of {what} "
            f"{wrong[0]} has {found}. Look at what made them: weights or a precision that overflow, or a text of "
            "which nothing is read."
        )
    unit: NDArray[np.float32] = (vectors / lengths[:, None]).astype(np.float32)
    return unit


@dataclass(frozen=True)
class RecallAt:
    """Per cent of the translations that are among the first k; where a pair has two ranks, their mean."""

    k: int
    name: str = "recall"

    def statistics(self, predicted: Sequence[Sequence[int]], gold: Sequence[object]) -> NDArray[np.float64]:
        """Of the ranks of each pair. Shape: (n_examples, 2), share found, and 1.

        Raises:
            ConfigError: No pairs, or not as many ranks as pairs.
        """
        check_paired(predicted, gold)
        return mean_statistics((np.asarray(predicted) <= self.k).mean(axis=1))

    def score(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """Recall, 0 to 100. Shape: (..., 2) -> (...)."""
        return mean_score(sums)


@dataclass(frozen=True)
class ReciprocalRank:
    """100 times the mean of 1 over the rank (MRR, Voorhees 1999); where a pair has two ranks, their mean."""

    name: str = "MRR"

    def statistics(self, predicted: Sequence[Sequence[int]], gold: Sequence[object]) -> NDArray[np.float64]:
        """Of the ranks of each pair. Shape: (n_examples, 2), 1 over the rank, and 1.

        Raises:
            ConfigError: No pairs, or not as many ranks as pairs.
        """
        check_paired(predicted, gold)
        return mean_statistics((1 / np.asarray(predicted, float)).mean(axis=1))

    def score(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """MRR, 0 to 100. Shape: (..., 2) -> (...)."""
        return mean_score(sums)

"""Scores of translations, by sacrebleu: chrF++ and BLEU of a whole test set, with the signatures that it gives them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adaptkit.errors import ConfigError
from adaptkit.scores.metric import check_paired
from adaptkit.version import install_command


class _Sacrebleu:
    """A metric of sacrebleu, whose scores of a test set are made from counts of each sentence, which add up."""

    name: str

    @property
    def signature(self) -> str:
        """How it was computed, as sacrebleu writes it; scores of other signatures are not comparable."""
        # It says how many references there are once it has seen one.
        self._metric.corpus_score(["a"], [["a"]])
        return str(self._metric.get_signature().format())

    @property
    def _metric(self) -> Any:  # noqa: ANN401 - sacrebleu has no types
        raise NotImplementedError

    def statistics(self, predicted: Sequence[str], gold: Sequence[str]) -> NDArray[np.float64]:
        """Counts of n-grams. Shape: (n_examples, k).

        Raises:
            ConfigError: No examples, not as many translations as references, or sacrebleu is not installed.
        """
        check_paired(predicted, gold)
        return np.asarray(self._metric._extract_corpus_statistics(list(predicted), [list(gold)]), dtype=np.float64)

    def score(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """The score, 0 to 100, of summed counts. Shape: (..., k) -> (...)."""
        return np.apply_along_axis(self._scored, -1, np.asarray(sums, dtype=np.float64))

    def _scored(self, sums: NDArray[np.float64]) -> float:
        return float(self._metric._compute_score_from_stats(sums.tolist()).score)


@dataclass(frozen=True)
class ChrF(_Sacrebleu):
    """chrF++: F2 of n-grams of up to six letters and two words (Popović 2017, doi:10.18653/v1/W17-4770)."""

    name: str = "chrF++"

    @cached_property
    def _metric(self) -> Any:  # noqa: ANN401
        return _sacrebleu().CHRF(word_order=2)


@dataclass(frozen=True)
class Bleu(_Sacrebleu):
    """BLEU (Papineni et al. 2002) with sacrebleu's own tokenisation (Post 2018, arXiv:1804.08771)."""

    name: str = "BLEU"

    @cached_property
    def _metric(self) -> Any:  # noqa: ANN401
        return _sacrebleu().BLEU()

    def _scored(self, sums: NDArray[np.float64]) -> float:
        # Its n-grams are counted, and compared as whole numbers.
        return float(self._metric._compute_score_from_stats([round(value) for value in sums.tolist()]).score)


def _sacrebleu() -> ModuleType:
    try:
        from sacrebleu import metrics
    except ImportError as error:
        raise ConfigError(
            f"scores of translations need the package sacrebleu: {error}. Run: {install_command('translation')}"
        ) from error
    found: ModuleType = metrics
    return found

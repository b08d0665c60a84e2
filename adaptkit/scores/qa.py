"""Scores of extracted answers: exact match and token F1 (Rajpurkar et al. 2016, arXiv:1606.05250).

A question with several gold answers takes the best of them. One without any, an empty tuple, has no answer: a
prediction without tokens scores 1 and every other 0 (SQuAD 2, Rajpurkar et al. 2018, arXiv:1806.03822).

A quirk of SQuAD 1.1 and MLQA is kept: where a gold answer has no tokens (`The`), a prediction without tokens is an
exact match and yet has an F1 of 0.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adaptkit.scores.answer_tokens import SQUAD, AnswerNormaliser
from adaptkit.scores.metric import check_paired, mean_score, mean_statistics


@dataclass(frozen=True)
class ExactMatch:
    """Share of predictions whose tokens are those of a gold answer."""

    normaliser: AnswerNormaliser = SQUAD

    @property
    def name(self) -> str:
        """`SQuAD exact match`, or that of another scheme."""
        return f"{self.normaliser.scheme} exact match"

    def statistics(self, predicted: Sequence[str], gold: Sequence[tuple[str, ...]]) -> NDArray[np.float64]:
        """Shape: (n_questions, 2), match or not and 1.

        Raises:
            ConfigError: No questions, or not as many predictions as questions.
        """
        return _statistics(_exact_match, self.normaliser, predicted, gold)

    def score(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """Exact match, 0 to 100. Shape: (..., 2) -> (...)."""
        return mean_score(sums)


@dataclass(frozen=True)
class AnswerF1:
    """Mean over questions of the F1 between the tokens of prediction and gold answer, counted with repetitions."""

    normaliser: AnswerNormaliser = SQUAD

    @property
    def name(self) -> str:
        """`SQuAD F1`, or that of another scheme."""
        return f"{self.normaliser.scheme} F1"

    def statistics(self, predicted: Sequence[str], gold: Sequence[tuple[str, ...]]) -> NDArray[np.float64]:
        """Shape: (n_questions, 2), F1 from 0 to 1 and 1.

        Raises:
            ConfigError: No questions, or not as many predictions as questions.
        """
        return _statistics(_token_f1, self.normaliser, predicted, gold)

    def score(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mean F1, 0 to 100. Shape: (..., 2) -> (...)."""
        return mean_score(sums)


_Comparison = Callable[[list[str], list[str]], float]


def _statistics(
    compare: _Comparison, normaliser: AnswerNormaliser, predicted: Sequence[str], gold: Sequence[tuple[str, ...]]
) -> NDArray[np.float64]:
    check_paired(predicted, gold)
    return mean_statistics(
        [
            _best(compare, normaliser.tokens(text), [normaliser.tokens(answer) for answer in answers])
            for text, answers in zip(predicted, gold, strict=True)
        ]
    )


def _best(compare: _Comparison, found: list[str], answers: list[list[str]]) -> float:
    if not answers:
        return float(not found)
    return max(compare(found, answer) for answer in answers)


def _exact_match(found: list[str], answer: list[str]) -> float:
    return float(found == answer)


def _token_f1(found: list[str], answer: list[str]) -> float:
    shared = (Counter(found) & Counter(answer)).total()
    return 2 * shared / (len(found) + len(answer)) if shared else 0.0

"""Test rows that repeat a text: no evidence of their own, so they are drawn together, and too few texts say nothing."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from adaptkit.evaluation.results import Repeated
from adaptkit.scores import Difference
from adaptkit.terminal.amounts import counted

FEWEST_TEXTS = 6
"""With five texts that all changed for the better, a sign test has p = 2 / 2**5 = 0.06, which is no evidence."""


def text_numbers(texts: Iterable[Hashable]) -> NDArray[np.int64]:
    """The number of each row's text, equal for equal texts, in the order in which they come. Shape: (n_rows)."""
    numbers: dict[Hashable, int] = {}
    return np.asarray([numbers.setdefault(text, len(numbers)) for text in texts], dtype=np.int64)


def key_of(texts: Iterable[str]) -> Hashable:
    """What is alike of rows that count as one: their texts, whatever their case and white space."""
    return tuple(" ".join(text.casefold().split()) for text in texts)


def by_text(statistics: NDArray[np.float64], numbers: NDArray[np.int64]) -> NDArray[np.float64]:
    """The statistics of all rows of a text, summed. Shape: (n_seeds, n_rows, k) -> (n_seeds, n_texts, k)."""
    summed = np.zeros((len(statistics), int(numbers.max()) + 1, statistics.shape[2]))
    np.add.at(summed.swapaxes(0, 1), numbers, statistics.swapaxes(0, 1))
    return summed


def without_verdict(difference: Difference, n_texts: int) -> Difference:
    """The same, with an interval that holds zero where the texts are too few for a verdict."""
    if n_texts >= FEWEST_TEXTS:
        return difference
    return replace(difference, low=min(difference.low, 0.0), high=max(difference.high, 0.0))


def repeated_in(language: str, numbers: Sequence[int] | NDArray[np.int64]) -> Repeated | None:
    """How many rows and texts a test has; None where no text is repeated and there are enough."""
    n_rows, n_texts = len(numbers), len(set(map(int, numbers)))
    if n_rows == n_texts >= FEWEST_TEXTS:
        return None
    return Repeated(language=language, rows=n_rows, texts=n_texts, enough=n_texts >= FEWEST_TEXTS)


def repeats_told(each: Repeated) -> str:
    """The same in words."""
    repeats = f" repeat {counted(each.texts, 'text')}" if each.rows > each.texts else ""
    weak = "" if each.enough else f" Fewer than {FEWEST_TEXTS} different texts are too few for a verdict."
    joint = " Rows of one text are drawn together in intervals." if repeats else ""
    return f"{counted(each.rows, 'test row')}{repeats}.{joint}{weak}"

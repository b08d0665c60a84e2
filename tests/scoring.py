"""A metric's score of all examples together, as a test states it."""

from collections.abc import Sequence
from typing import TypeVar

from adaptkit.scores import Metric

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def score_of(metric: Metric[Item, Answer], predicted: Sequence[Item], gold: Sequence[Answer]) -> float:
    """From 0 to 100."""
    return float(metric.score(metric.statistics(predicted, gold).sum(axis=0)))
